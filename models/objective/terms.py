"""What orders ask for: drawn at random to train on, or all alike to measure with.

Shapes: B orders.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from models.network.context_layout import CONTEXT
from models.objective.paths import Paths

FORCED_SHARE, NEUTRAL_SHARE, SMALL_SHARE, BY_VOLUME_SHARE = 0.1, 0.2, 0.6, 0.3
"""How many random orders have min_steps = max_steps, no risk aversion, a size without impact: real orders are like that
far more often than a uniform draw. And how many with a limit have it on their participation, not on their slices."""
FREEDOM = 1.3, 8.0
"""By how much a limit on participation is above what an order needs, at least and at most."""
SMALL_ORDER = 1e-6
"""A share of the volume expected over the horizon that has no impact to speak of."""
NO_IMPACT_SHARE = 1e-7


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What each order asks for, [B]: the same for all scenarios. Their horizon is that of the paths. `order_volume` is
    base units."""

    min_steps: Tensor
    risk_aversion: Tensor
    max_slice_fraction: Tensor
    max_participation_rate: Tensor
    order_volume: Tensor


def draw_terms(paths: Paths, limited: Tensor, generator: torch.Generator) -> Terms:
    """Random orders, [B]: every min_steps up to the paths' horizon, risk aversions from 0 to 10, sizes up to a tenth of
    the horizon's volume. Those that are `limited` [B] have slice caps down to an even pace, mostly of a few even
    slices, or a limit on their participation."""
    count, longest = len(paths.price), paths.price.shape[1]

    def uniform() -> Tensor:
        return torch.rand(count, generator=generator).to(paths.price.device)

    min_steps = torch.ceil(uniform() * longest).clamp(min=1.0)
    min_steps = torch.where(uniform() < FORCED_SHARE, float(longest), min_steps)
    risk = 10.0 ** (uniform() * 2.5 - 1.5)
    risk = torch.where(uniform() < NEUTRAL_SHARE, 0.0, risk)
    share = 10.0 ** (uniform() * 4.0 - 5.0)
    share = torch.where(uniform() < SMALL_SHARE, NO_IMPACT_SHARE, share)
    even, by_volume = 1.001 / longest, uniform() < BY_VOLUME_SHARE
    cap = (even * longest ** (0.9 * uniform() ** 1.5)).clamp(max=1.0)
    low, high = FREEDOM
    rate = (low * (high / low) ** uniform() * share).clamp(max=0.99)
    mean_volume = torch.exp(paths.context[:, 0, CONTEXT.log_volume]).detach()
    return Terms(
        min_steps=min_steps,
        risk_aversion=risk,
        max_slice_fraction=torch.where(limited & ~by_volume, cap, 1.0),
        max_participation_rate=torch.where(limited & by_volume, rate, 1.0),
        order_volume=(share * mean_volume * longest).clamp(min=1e-12),
    )


def small_orders(paths: Paths, min_steps: int, risk_aversion: float, max_slice_fraction: float = 1.0) -> Terms:
    """The same order on each path, [B], too small to have impact."""

    def every(value: float) -> Tensor:
        return torch.full_like(paths.price[:, 0], float(value))

    return Terms(
        min_steps=every(min_steps),
        risk_aversion=every(risk_aversion),
        max_slice_fraction=every(max_slice_fraction),
        max_participation_rate=every(1.0),
        order_volume=SMALL_ORDER * paths.volume_forecast[:, 0].sum(-1),
    )
