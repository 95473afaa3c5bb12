"""Tapes: bars to train or to measure on, read from bar files and cut by time, or simulated as random walks.

Shapes: T bars, C columns.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from app.bars.file_names import require_one_symbol_each
from app.bars.series import Series, raw_rows
from app.bars.stretches import stretches
from app.bars.walks import Walk, simulate_bars, simulated_series
from models.settings.sizes import LemConfig
from models.tapes.mirror import mirrored

WALK_BARS = 4_000
WALKS = 24
GAP_BARS, BARS_MIN = 24, 96
"""Between the bars that train and the bars that choose lie so many; a tape with fewer bars than the second is left
out."""
BAR_SECONDS = (60, 300, 900, 3_600, 14_400, 86_400)


@dataclass(frozen=True, slots=True, kw_only=True)
class MarketTapes:
    """The tapes of one market. Training draws from a market in proportion to its `weight`, whatever its number of bars,
    and places orders on the tapes and on their `mirrored` images (models/tapes/mirror.py) alike."""

    name: str
    tapes: tuple[Tape, ...]
    mirrored: tuple[Tape, ...] = ()
    weight: float = 1.0

    @property
    def both_ways(self) -> tuple[Tape, ...]:
        return (*self.tapes, *self.mirrored)

    @property
    def longest(self) -> int:
        """The most bars in a row on which orders are decided and trade."""
        return max((tape.hi - tape.lo for tape in self.tapes), default=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class TapeSpan:
    """Bars that open from `start` to `end`; without a start, all bars before `end`. Orders of a span with a start begin
    some bars later: their windows reach back over the start, as they do in the service, but what they trade in lies
    well after all that orders of the span before traded in."""

    start: datetime | None
    end: datetime

    def indices(self, series: Series, gap: int) -> tuple[int, int]:
        """The index of the first bar, `gap` bars after the start, and the index after the last bar."""
        lo = int(np.searchsorted(series.open_time, self.start.timestamp())) + gap if self.start else 0
        return lo, int(np.searchsorted(series.open_time, self.end.timestamp()))


@dataclass(frozen=True, slots=True, kw_only=True)
class Tape:
    """One gapless stretch of an instrument's bars: raw rows [T, C] in the columns of the window, closes and prices [T]
    in double precision. Orders are decided and trade on the bars `lo`..`hi` - 1. These may hold bars that were made to
    fill a short gap, as orders of the service run over such gaps too. `open_time` [T] is in seconds since the epoch."""

    instrument: str
    bar_seconds: int
    open_time: NDArray[np.int64]
    raw: NDArray[np.float32]
    close: NDArray[np.float64]
    price: NDArray[np.float64]
    lo: int
    hi: int


def read_tapes(
    files: Sequence[Path], config: LemConfig, span: TapeSpan, step_seconds: int | None = None
) -> tuple[list[Tape], list[Tape]]:
    """The bars of `files` in the span, aggregated to `step_seconds` where given, and their mirror images; earlier bars
    serve as history. Stretches too short for an order are left out. Raises InvalidInput where files of two symbols
    would be one instrument."""
    require_one_symbol_each(files)
    tapes, images = [], []
    for file in files:
        for steps in stretches(file, step_seconds):
            if len(steps) <= config.history_min:
                continue
            lo, hi = span.indices(steps, GAP_BARS)
            tape = _tape(steps, max(lo, config.history_min), hi)
            if tape.hi - tape.lo > BARS_MIN:
                tapes.append(tape)
                images.append(_tape(mirrored(steps), tape.lo, tape.hi))
    return tapes, images


def simulated_tapes(config: LemConfig, seed: int, walks: int = WALKS) -> list[Tape]:
    """Random walks of many bar lengths, volatilities and daily swings of volume, on which nothing can be forecast."""
    rng = np.random.default_rng(seed)
    tapes = []
    for number in range(walks):
        walk = Walk(
            bar_seconds=BAR_SECONDS[number % len(BAR_SECONDS)],
            sigma=float(10.0 ** rng.uniform(-3.5, -1.7)),
            volume=float(10.0 ** rng.uniform(0.0, 6.0)),
            volume_deviation=float(rng.uniform(0.2, 1.0)),
            daily_swing=float(rng.uniform(0.0, 0.8)),
        )
        bars = simulate_bars(rng, walk, 1, WALK_BARS)
        series = simulated_series(f"walk{number}", bars, 0, walk.bar_seconds)
        tapes.append(_tape(series, config.history_min, WALK_BARS))
    return tapes


def _tape(series: Series, lo: int, hi: int) -> Tape:
    return Tape(
        instrument=series.instrument,
        bar_seconds=series.bar_seconds,
        open_time=series.open_time,
        raw=raw_rows(series),
        close=series.close,
        price=series.price,
        lo=lo,
        hi=hi,
    )
