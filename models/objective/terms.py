"""What orders ask for: drawn at random to train on, or all alike to measure with.

Shapes: B orders.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from models.network.context_layout import CONTEXT
from models.objective.paths import Paths

LONGEST_SHARE, FORCED_SHARE, NEUTRAL_SHARE, SMALL_SHARE = 0.5, 0.1, 0.2, 0.6
"""How many random orders have the longest horizon, min_steps = max_steps, no risk aversion, a size without impact: real
orders are like that far more often than a uniform draw."""
SMALL_ORDER = 1e-6
"""A share of the volume expected over the horizon that has no impact to speak of."""
NO_IMPACT_SHARE = 1e-7


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What each order asks for, [B]: the same for all scenarios. `order_volume` is base units."""

    min_steps: Tensor
    max_steps: Tensor
    risk_aversion: Tensor
    max_slice_fraction: Tensor
    max_participation_rate: Tensor
    order_volume: Tensor


def draw_terms(paths: Paths, capped: bool, generator: torch.Generator) -> Terms:
    """Random orders, [B]: every pair min_steps <= max_steps that the paths are long enough for, risk aversions from 0
    to 10, caps down to an even pace, sizes up to a tenth of the horizon's volume."""
    count = len(paths.price)

    def uniform() -> Tensor:
        return torch.rand(count, generator=generator).to(paths.price.device)

    longest = float(paths.price.shape[1])
    max_steps = torch.where(uniform() < LONGEST_SHARE, longest, torch.ceil(uniform() * longest).clamp(min=1.0))
    min_steps = torch.ceil(uniform() * max_steps).clamp(min=1.0)
    min_steps = torch.where(uniform() < FORCED_SHARE, max_steps, min_steps)
    risk = 10.0 ** (uniform() * 2.5 - 1.5)
    risk = torch.where(uniform() < NEUTRAL_SHARE, 0.0, risk)
    cap = torch.ones_like(max_steps)
    if capped:
        even = 1.0 / max_steps
        cap = (even * 1.001 * (1.0 / even) ** (0.9 * uniform())).clamp(max=1.0)
    mean_volume = torch.exp(paths.context[:, 0, CONTEXT.log_volume]).detach()
    share = 10.0 ** (uniform() * 4.0 - 5.0)
    share = torch.where(uniform() < SMALL_SHARE, NO_IMPACT_SHARE, share)
    return Terms(
        min_steps=min_steps,
        max_steps=max_steps,
        risk_aversion=risk,
        max_slice_fraction=cap,
        max_participation_rate=torch.ones_like(max_steps),
        order_volume=(share * mean_volume * max_steps).clamp(min=1e-12),
    )


def small_orders(paths: Paths, min_steps: int, max_steps: int, risk_aversion: float) -> Terms:
    """The same order on each path, [B], without a cap."""

    def every(value: float) -> Tensor:
        return torch.full_like(paths.price[:, 0], float(value))

    return Terms(
        min_steps=every(min_steps),
        max_steps=every(max_steps),
        risk_aversion=every(risk_aversion),
        max_slice_fraction=every(1.0),
        max_participation_rate=every(1.0),
        order_volume=SMALL_ORDER * paths.volume_forecast[:, 0].sum(-1),
    )
