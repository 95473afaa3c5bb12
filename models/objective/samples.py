"""What one training step sees: stretches of consecutive bars, and random orders that start on them.

A stretch's contexts are computed once and shared by all orders that pass over it.
Shapes: T bars of a series, C columns, G stretches, K contexts per stretch, J starts, R orders per start, N steps.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from app.bars.series import raw_windows
from app.decision.market import COLUMNS
from app.domain.errors import InvalidInput
from models.network.context import FORECASTS, ContextReading
from models.network.features import Features
from models.objective.rollout import Paths, Terms
from models.settings.sizes import LemConfig
from models.tapes.tapes import Tape

VOLUME = COLUMNS.index("volume")

LONGEST_SHARE, FORCED_SHARE, NEUTRAL_SHARE, SMALL_SHARE = 0.5, 0.1, 0.2, 0.6
"""How many random orders have the longest horizon, min_steps = max_steps, no risk aversion, a size without impact: real
ones are such far more often than a uniform draw."""
SMALL_ORDER = 1e-6
"""A share of the volume expected over the horizon that has no impact to speak of."""


@dataclass(frozen=True, slots=True)
class Stretches:
    """`windows` [G K, L, C]; `close` [G, K + N], of which entry k is the close of the bar that context k stands on;
    `price` and `volume` [G, K + N - 1], of which entry k is of the bar after it. Orders start on the first contexts."""

    windows: Tensor
    price: Tensor
    close: Tensor
    volume: Tensor
    contexts: int
    starts: int

    def to(self, device: torch.device) -> Stretches:
        windows, price, close, volume = (
            part.to(device) for part in (self.windows, self.price, self.close, self.volume)
        )
        return Stretches(windows, price, close, volume, self.contexts, self.starts)


def draw_stretches(
    tapes: Sequence[Tape],
    config: LemConfig,
    count: int,
    starts: int,
    rng: np.random.Generator,
    horizon: int | None = None,
) -> Stretches:
    """`count` stretches with `starts` order starts each, for orders of up to `horizon` steps (None: the longest); every
    bar of every tape is equally likely to begin one."""
    contexts = starts + (horizon or config.max_steps) - 1
    reach = contexts + config.max_steps
    room = np.array([max(0, tape.hi - tape.lo - reach) for tape in tapes], dtype=np.float64)
    if not room.any():
        raise InvalidInput("too_few_bars", f"no tape has the {reach + 1} bars that a stretch needs")
    chosen = rng.choice(len(tapes), size=count, p=room / room.sum())
    places = [(tapes[index], int(rng.integers(tapes[index].lo, tapes[index].hi - reach))) for index in chosen]
    return stretches_at(places, config, contexts, starts)


def stretches_at(places: Sequence[tuple[Tape, int]], config: LemConfig, contexts: int, starts: int) -> Stretches:
    """The stretches that begin at the given bars; orders start on the first `starts` contexts of each."""
    reach = np.arange(contexts + config.max_steps)
    windows = []
    for tape, first in places:
        begin = max(0, first - config.lookback + 1)
        windows.append(
            raw_windows(tape.raw[begin : first + contexts], config.lookback, first - begin + np.arange(contexts))
        )
    return Stretches(
        windows=torch.from_numpy(np.concatenate(windows)),
        price=torch.from_numpy(np.stack([tape.price[first + 1 + reach[:-1]] for tape, first in places])),
        close=torch.from_numpy(np.stack([tape.close[first + reach] for tape, first in places])),
        volume=torch.from_numpy(np.stack([tape.raw[first + 1 + reach[:-1], VOLUME] for tape, first in places])),
        contexts=contexts,
        starts=starts,
    )


def paths_of(stretches: Stretches, features: Features, reading: ContextReading, repeat: int) -> Paths:
    """Every start of every stretch, each `repeat` times: B = G J R orders.

    `features` and `reading` are of the stretches' windows. What the orders come to teaches the forecasts nothing: they
    would bend them to what a hedge likes to see, which has figures of its own.
    """
    groups, contexts, starts = len(stretches.price), stretches.contexts, stretches.starts
    steps = contexts - starts + 1
    reach = torch.arange(starts)[:, None] + torch.arange(steps)  # [J, N]: step n of start j stands on context j + n
    origin = stretches.close[:, :starts, None]
    told = torch.cat([reading.context[:, :FORECASTS].detach(), reading.context[:, FORECASTS:]], dim=-1)
    context, volume_forecast = (part.unflatten(0, (groups, contexts)) for part in (told, reading.volume.detach()))
    volatility = features.volatility.unflatten(0, (groups, contexts))[:, :starts]

    def per_order(values: Tensor) -> Tensor:
        return values.flatten(0, 1).repeat_interleave(repeat, dim=0)

    return Paths(
        price=per_order((stretches.price[:, reach] / origin).float()),
        close=per_order((stretches.close[:, reach] / origin).float()),
        volume=per_order(stretches.volume[:, reach]),
        context=per_order(context[:, reach]),
        volume_forecast=per_order(volume_forecast[:, reach]),
        volatility=per_order(volatility),
    )


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
    mean_volume = torch.exp(paths.context[:, 0, 1]).detach()
    share = 10.0 ** (uniform() * 4.0 - 5.0)
    share = torch.where(uniform() < SMALL_SHARE, 1e-7, share)
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
