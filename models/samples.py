"""What one training step sees: stretches of consecutive bars, and random orders that start on them.

A stretch's contexts are computed once and shared by all orders that pass over it.
Shapes: T bars of a series, C columns, G stretches, K contexts per stretch, J starts, R orders per start, N steps.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from app.engine.market import COLUMNS
from models.config import LemConfig
from models.rollout import Paths, Terms

CLOSE, VOLUME, BAR_SECONDS = COLUMNS.index("close"), COLUMNS.index("volume"), COLUMNS.index("bar_seconds")


@dataclass(frozen=True, slots=True)
class Series:
    """One instrument's bars: raw rows [T, C] in the columns of the window, and the bars' prices [T] in double
    precision. `lo`..`hi` are the bars at which an order may start."""

    raw: NDArray[np.float32]
    price: NDArray[np.float64]
    lo: int
    hi: int

    @property
    def starts(self) -> int:
        return max(0, self.hi - self.lo)


@dataclass(frozen=True, slots=True)
class Stretches:
    """`windows` [G K, L, C]; `price` and `close` and `volume` [G, K + N], of which `close[:, k]` is the close of the
    bar that context k stands on and `price[:, k]` that of the bar after it."""

    windows: Tensor
    price: Tensor
    close: Tensor
    volume: Tensor
    contexts: int


def draw_stretches(
    series: Sequence[Series], config: LemConfig, count: int, starts: int, rng: np.random.Generator
) -> Stretches:
    """`count` stretches with `starts` order starts each, every possible start equally likely."""
    contexts, ahead = starts + config.max_steps - 1, config.max_steps
    room = np.array([max(0, one.starts - contexts - ahead) for one in series], dtype=np.float64)
    chosen = rng.choice(len(series), size=count, p=room / room.sum())
    windows, price, close, volume = [], [], [], []
    for index in chosen:
        one = series[index]
        first = int(rng.integers(one.lo, one.hi - contexts - ahead))
        windows.append(_windows(one.raw, first, contexts, config.lookback))
        reach = slice(first, first + contexts + ahead)
        close.append(one.raw[reach, CLOSE].astype(np.float64))
        later = slice(first + 1, first + 1 + contexts + ahead)
        price.append(one.price[later])
        volume.append(one.raw[later, VOLUME])
    return Stretches(
        windows=torch.from_numpy(np.concatenate(windows)),
        price=torch.from_numpy(np.stack(price)),
        close=torch.from_numpy(np.stack(close)),
        volume=torch.from_numpy(np.stack(volume)),
        contexts=contexts,
    )


def _windows(raw: NDArray[np.float32], first: int, count: int, lookback: int) -> NDArray[np.float32]:
    """[count, L, C]: the windows that end with bars first .. first + count - 1, zeros before the series' start."""
    begin = first - lookback + 1
    rows = raw[max(0, begin) : first + count]
    if begin < 0:
        rows = np.concatenate([np.zeros((-begin, rows.shape[1]), dtype=np.float32), rows])
    views = np.lib.stride_tricks.sliding_window_view(rows, lookback, axis=0)
    return np.ascontiguousarray(views.transpose(0, 2, 1))


def paths_of(stretches: Stretches, context: Tensor, volume_forecast: Tensor, steps: int, repeat: int) -> Paths:
    """Every start of every stretch, each `repeat` times: B = G J R orders.

    `context` [G K, H] and `volume_forecast` [G K, N] are the model's reading of the stretches' windows.
    """
    groups, contexts = len(stretches.price), stretches.contexts
    starts = contexts - steps + 1
    reach = torch.arange(starts)[:, None] + torch.arange(steps)  # [J, N]: step n of start j stands on context j + n
    origin = stretches.close[:, :starts, None]

    def per_order(values: Tensor) -> Tensor:
        return values.flatten(0, 1).repeat_interleave(repeat, dim=0)

    by_context = context.unflatten(0, (groups, contexts))
    volatility = torch.exp(by_context[:, :starts, 0])
    return Paths(
        price=per_order((stretches.price[:, reach] / origin).float()),
        close=per_order((stretches.close[:, reach] / origin).float()),
        volume=per_order(stretches.volume[:, reach]),
        context=per_order(by_context[:, reach]),
        volume_forecast=per_order(volume_forecast.unflatten(0, (groups, contexts))[:, reach]),
        volatility=per_order(volatility.detach()),
    )


def draw_terms(paths: Paths, config: LemConfig, capped: bool, generator: torch.Generator) -> Terms:
    """Random orders, [B]: every pair min_steps <= max_steps, risk aversions from 0 to 10, caps down to an even pace.

    The longest horizon, and min_steps = max_steps, come more often than their share, since most orders are such.
    """
    count = len(paths.price)

    def uniform() -> Tensor:
        return torch.rand(count, generator=generator)

    longest = float(config.max_steps)
    max_steps = torch.where(uniform() < 0.5, longest, torch.ceil(uniform() * longest).clamp(min=1.0))
    min_steps = torch.ceil(uniform() * max_steps).clamp(min=1.0)
    min_steps = torch.where(uniform() < 0.1, max_steps, min_steps)
    risk = 10.0 ** (uniform() * 2.7 - 1.7)
    risk = torch.where(uniform() < 0.1, 0.0, risk)
    cap = torch.ones(count)
    if capped:
        even = 1.0 / max_steps
        cap = torch.minimum(torch.ones(count), even * 1.02 * (1.0 / (even * 1.02)) ** uniform())
        cap = torch.maximum(cap, even * 1.001).clamp(max=1.0)
    mean_volume = torch.exp(paths.context[:, 0, 1]).detach()
    share = 10.0 ** (uniform() * 5.0 - 6.0)
    return Terms(
        min_steps=min_steps,
        max_steps=max_steps,
        risk_aversion=risk,
        max_slice_fraction=cap,
        max_participation_rate=torch.ones(count),
        order_volume=(share * mean_volume * max_steps).clamp(min=1e-12),
    )
