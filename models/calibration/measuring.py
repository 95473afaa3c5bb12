"""Runs orders over bars and keeps their gains, in units of sigma * sqrt(N).

Shapes: B orders.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from app.backtest.observing import observe_series
from app.backtest.run_series import Outcome, run_series
from app.backtest.setup import Setup
from app.bars.series import Series
from app.bars.stretches import stretches
from app.bundles.bundle import LemPolicy, load_bundle
from app.decision.scenarios import IS_VWAP
from app.domain.order import Benchmark
from models.calibration.grid import OrderKind, lengths, setups, usual_setups
from models.tapes.spacing import bars_per_day, over_the_day

Vector = NDArray[np.float64]
BPS = 1e4


@dataclass(frozen=True, slots=True, kw_only=True)
class BarSpan:
    """Orders start and end from `start` to before `end`, UTC days; None: from the first bar, to the last. About
    `starts_max` starts are taken of each file, spread evenly."""

    start: date | None
    end: date | None
    starts_max: int


@dataclass(frozen=True, slots=True, kw_only=True)
class KindGains:
    """[B] each: when orders of one kind started (seconds since the epoch), and their gains in sigma * sqrt(N)."""

    opened: NDArray[np.int64]
    gain: Vector

    def __len__(self) -> int:
        return len(self.gain)


@dataclass(frozen=True, slots=True, kw_only=True)
class FileGains:
    """What the orders of one file earned."""

    bar_seconds: int
    gains: dict[OrderKind, KindGains]


Setups = Sequence[tuple[float | None, Setup]]
"""Slice caps as multiples of an even slice, and the orders that have them."""


def measure_file(bundle: Path, path: Path, step_seconds: int | None, span: BarSpan) -> tuple[FileGains, FileGains]:
    """The gains of all orders of the grid on one file in the span, and of the usual ones before it. Loads the bundle:
    for a process of its own."""
    policy = load_bundle(bundle)
    every = lengths(policy.max_steps)
    earlier = BarSpan(start=None, end=span.start, starts_max=span.starts_max)
    return (
        gains_on(policy, path, step_seconds, span, [setups(policy, length) for length in every]),
        gains_on(policy, path, step_seconds, earlier, [usual_setups(policy, length) for length in every]),
    )


def gains_on(
    policy: LemPolicy, path: Path, step_seconds: int | None, span: BarSpan, by_length: Sequence[Setups]
) -> FileGains:
    """The gains of the orders in `by_length`; those of one entry have one max_steps, and the market is read once for
    them. Raises InvalidInput where the file cannot be read."""
    found: dict[OrderKind, list[KindGains]] = defaultdict(list)
    series_of_file = stretches(path, step_seconds)
    for series in series_of_file:
        for same_length in by_length:
            for kind, gains in _gains(policy, series, same_length, span):
                found[kind].append(gains)
    return FileGains(
        bar_seconds=series_of_file[0].bar_seconds, gains={kind: together(each) for kind, each in found.items()}
    )


def together(parts: Sequence[KindGains]) -> KindGains:
    """All orders of the parts."""
    return KindGains(
        opened=np.concatenate([part.opened for part in parts]), gain=np.concatenate([part.gain for part in parts])
    )


def _gains(
    policy: LemPolicy, series: Series, same_length: Setups, span: BarSpan
) -> Iterator[tuple[OrderKind, KindGains]]:
    placed = [(multiple, _inside(series, setup, span)) for multiple, setup in same_length]
    observed = observe_series(series, policy, placed[0][1])
    if not len(observed.starts):
        return
    for multiple, setup in placed:
        outcome = run_series(series, policy, setup, observed=observed)
        gain, moved = _in_sigmas(outcome, setup.max_steps)
        opened = series.open_time[outcome.start]
        for benchmark in Benchmark:
            same_benchmark = IS_VWAP[outcome.scenario] == (benchmark is Benchmark.VWAP)
            for min_steps in setup.min_steps:
                kind = OrderKind(
                    benchmark=benchmark,
                    risk_aversion=setup.risk_aversion,
                    slice_cap_multiple=multiple,
                    max_steps=setup.max_steps,
                    min_steps=min_steps,
                )
                chosen = moved & same_benchmark & (outcome.min_steps == min_steps)
                yield kind, KindGains(opened=opened[chosen], gain=gain[chosen])


def _in_sigmas(outcome: Outcome, max_steps: int) -> tuple[Vector, NDArray[np.bool_]]:
    """[B] each: the gain in units of sigma * sqrt(N), and whether there is such a unit: not where prices stood
    still."""
    moved = outcome.sigma > 0.0
    unit = np.where(moved, outcome.sigma, 1.0) * np.sqrt(max_steps) * BPS
    return -outcome.slippage_bps / unit, moved


def _inside(series: Series, setup: Setup, span: BarSpan) -> Setup:
    """Starts at all times of day, of orders that end before the span does."""
    start = _seconds(span.start) if span.start else int(series.open_time[0])
    end = _seconds(span.end) if span.end else int(series.open_time[-1]) + series.bar_seconds
    first, last = np.searchsorted(series.open_time, [start, end]) - [0, setup.max_steps - 1]
    every = over_the_day(max(1, int(last - first) // span.starts_max), bars_per_day(series.open_time))
    before = int(series.open_time[last]) if 0 <= last < len(series) else end
    return replace(setup, every=every, start=start, end=max(start, min(before, end)))


def _seconds(day: date) -> int:
    return int(datetime.combine(day, time(), UTC).timestamp())
