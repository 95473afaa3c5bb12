"""Bars of a random walk, on which nothing can be forecast and the best mean gain is known.

The log price is a Brownian motion observed at `POINTS` moments per bar. Between two of them the path's average and
extremes are drawn from their exact conditional laws, so a bar's VWAP is the path's average: given the bar's move dS it
is N(dS / 2, sigma^2 / 12) in logs, for any `POINTS`. The drift makes the price itself a martingale.

Shapes: P paths, T bars, K points in a bar.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from app.bars.series import Series
from app.domain.durations import DAY_SECONDS

Matrix = NDArray[np.float64]

POINTS = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Walk:
    """The settings of a simulated market. `sigma` is the volatility per bar (0.002: 20 bps).

    Volumes are lognormal with mean `volume` (base units) and `volume_deviation` in logs. `daily_swing` in [0, 1) adds a
    daily profile, a cosine with its peak at noon UTC. With `volume_per_move`, bars that move have more volume, as in
    real markets: a move of one volatility multiplies the volume of a bar that stands still by exp(volume_per_move).
    """

    bar_seconds: int = 900
    sigma: float = 0.002
    price: float = 100.0
    volume: float = 1000.0
    volume_deviation: float = 0.5
    daily_swing: float = 0.0
    volume_per_move: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class WalkBars:
    """Simulated bars, [P, T] each, in the units of `Series`."""

    open: Matrix
    high: Matrix
    low: Matrix
    close: Matrix
    volume: Matrix
    notional: Matrix


def simulate_bars(random: np.random.Generator, walk: Walk, paths: int, bars: int, *, first_open: int = 0) -> WalkBars:
    """Independent paths of `bars` bars; the first bar opens at `first_open` (seconds since the epoch)."""
    deviation = walk.sigma / np.sqrt(POINTS)
    moves = deviation * random.standard_normal((paths, bars, POINTS)) - deviation**2 / 2.0
    ends = np.cumsum(moves.reshape(paths, -1), axis=1).reshape(moves.shape)
    begins = ends - moves
    middle = (begins + ends) / 2.0
    average = middle + deviation / np.sqrt(12.0) * random.standard_normal(moves.shape)
    reach = np.sqrt(moves**2 - 2.0 * deviation**2 * np.log(1.0 - random.random((2, *moves.shape)))) / 2.0
    high = np.maximum(middle + reach[0], average).max(axis=2)
    low = np.minimum(middle - reach[1], average).min(axis=2)
    volume = _volumes(random, walk, paths, bars, first_open)
    if walk.volume_per_move:
        moves_of_bars = np.abs(ends[:, :, -1] - begins[:, :, 0]) / walk.sigma
        volume = volume * np.exp(walk.volume_per_move * (moves_of_bars - np.sqrt(2.0 / np.pi)))
    return WalkBars(
        open=walk.price * np.exp(begins[:, :, 0]),
        high=walk.price * np.exp(high),
        low=walk.price * np.exp(low),
        close=walk.price * np.exp(ends[:, :, -1]),
        volume=volume,
        notional=volume * walk.price * np.exp(average.mean(axis=2)),
    )


def simulated_series(instrument: str, bars: WalkBars, index: int, bar_seconds: int) -> Series:
    """The path at `index` as a series whose first bar opens at the epoch."""
    count = bars.close.shape[1]
    return Series(
        instrument=instrument,
        bar_seconds=bar_seconds,
        open_time=bar_seconds * np.arange(count, dtype=np.int64),
        trades=np.zeros(count),
        synthetic=np.zeros(count, dtype=np.bool_),
        **{field.name: getattr(bars, field.name)[index] for field in fields(bars)},
    )


def write_bars(path: Path, bars: WalkBars, index: int, bar_seconds: int, *, first_open: int = 0) -> None:
    """Write the simulated path at `index` as a bar file that `read_series` takes."""
    opens = first_open + bar_seconds * np.arange(bars.close.shape[1], dtype=np.int64)
    columns: dict[str, Any] = {"timestamp": pa.array(opens * 1000, pa.timestamp("ms", tz="UTC"))}
    columns |= {field.name: getattr(bars, field.name)[index] for field in fields(bars)}
    pq.write_table(pa.table(columns), path)


def _volumes(random: np.random.Generator, walk: Walk, paths: int, bars: int, first_open: int) -> Matrix:
    second_of_day = (first_open + walk.bar_seconds * np.arange(bars)) % DAY_SECONDS
    profile = 1.0 - walk.daily_swing * np.cos(2.0 * np.pi * second_of_day / DAY_SECONDS)
    logs = walk.volume_deviation * random.standard_normal((paths, bars)) - walk.volume_deviation**2 / 2.0
    volumes: Matrix = walk.volume * profile * np.exp(logs)
    return volumes
