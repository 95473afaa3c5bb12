"""How close orders that may not stop keep to their benchmark, and that over the TWAP schedule's on the same orders.
Rows in the columns of columns.py.

Few wild orders hold most of the squares, so a standard deviation says little without its interval: that is given, and
the ratio without the one day on which the TWAP schedule strays most.

Shapes: S starts of orders, C scenarios, R resamples.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from app.backtest.job import LEM
from app.bars.series import DAY_SECONDS
from models.evaluation.backtest_run import Part
from models.evaluation.bootstrap import DayBlocks, interval_of
from models.evaluation.columns import TRACKED
from models.evaluation.groups import POOLED
from models.evaluation.results import Results
from models.evaluation.statistics import Row, blocks_of, row_of, spread

Vector = NDArray[np.float64]
Integers = NDArray[np.int64]


def tracking(results: Results, resamples: int, seed: int) -> Iterator[Row]:
    """min_steps = max_steps, of every baseline and at every risk aversion."""
    runs = [run for run in results.runs(Part.MAIN) if run.policy != LEM] + results.runs(Part.FRONTIER, LEM)
    twap = results.orders(results.runs(Part.MAIN, "twap")[0])
    for run in runs:
        one = results.orders(run)
        blocks = blocks_of(one, resamples, seed)
        for group in POOLED:
            ours, theirs = (-each.at(group, run.max_steps).astype(np.float64) for each in (one, twap))
            row = {**row_of(results, run), "benchmark": group.benchmark, "orders": ours.size}
            yield row | _over_twap(ours, theirs) | _intervals(ours, theirs, blocks) | _spared(ours, theirs, one.day)


def _over_twap(ours: Vector, theirs: Vector) -> Row:
    figures, measure = spread(ours), spread(theirs)
    row: Row = {}
    for name in TRACKED:
        row[f"{name}_bps"] = figures[f"{name}_bps"]
        row[f"{name}_to_twap"] = _ratio(figures[f"{name}_bps"], measure[f"{name}_bps"])
    return row


def _intervals(ours: Vector, theirs: Vector, blocks: DayBlocks) -> Row:
    """Of the ratios of both means and standard deviations of `ours` and `theirs` [S, C], drawn together."""
    ratios = {
        "mean_absolute": [_resampled_mean(np.abs(gain), blocks) for gain in (ours, theirs)],
        "std": [_resampled_std(gain, blocks) for gain in (ours, theirs)],
    }
    row: Row = {}
    for name, (one, other) in ratios.items():
        with np.errstate(divide="ignore", invalid="ignore"):
            row[f"{name}_to_twap_low"], row[f"{name}_to_twap_high"] = interval_of(one / other)
    return row


def _spared(ours: Vector, theirs: Vector, day: Integers) -> Row:
    """The day (UTC, of the order's start) with the most of the TWAP schedule's squares, its share of ours, and the
    ratio of the standard deviations without it."""
    days, of_day = np.unique(day, return_inverse=True)
    wildest = days[np.argmax(np.bincount(of_day, np.square(theirs).sum(axis=1)))]
    kept = day != wildest
    squares = np.square(ours).sum(axis=1)
    without = [float(gain[kept].std()) if kept.any() else np.nan for gain in (ours, theirs)]
    return {
        "wildest_day": str(np.datetime64(int(wildest) * DAY_SECONDS, "s").astype("datetime64[D]")),
        "wildest_day_share": _ratio(float(squares[~kept].sum()), float(squares.sum())),
        "std_to_twap_without_wildest_day": _ratio(*without),
    }


def _resampled_mean(values: Vector, blocks: DayBlocks) -> Vector:
    return blocks.resampled(values.mean(axis=1))


def _resampled_std(values: Vector, blocks: DayBlocks) -> Vector:
    variance = _resampled_mean(np.square(values), blocks) - np.square(_resampled_mean(values, blocks))
    std: Vector = np.sqrt(np.maximum(variance, 0.0))
    return std


def _ratio(one: float, other: float) -> float:
    return one / other if other else np.nan
