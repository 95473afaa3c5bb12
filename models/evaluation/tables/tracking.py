"""How close orders that may not stop keep to their benchmark, and the ratio to the TWAP schedule on the same orders.

Few wild orders hold most of the squares, so a standard deviation says little without its interval. The interval is
given, and so is the ratio without the one day on which the TWAP schedule strays most.

Shapes: S starts of orders, C scenarios, R resamples.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from app.backtest.job import LEM
from app.domain.durations import DAY_SECONDS
from models.evaluation.backtest_run import Part
from models.evaluation.bootstrap import DayBlocks, interval_of
from models.evaluation.market_results import MarketResults
from models.evaluation.scenario_groups import POOLED
from models.evaluation.tables.row_figures import Row, blocks_of, row_of, spread
from models.evaluation.tables.table_columns import TRACKED

Vector = NDArray[np.float64]
Integers = NDArray[np.int64]


def tracking(results: MarketResults, resamples: int, seed: int) -> Iterator[Row]:
    """Orders with min_steps = max_steps: of every baseline, and of the LEM at every risk aversion."""
    runs = [run for run in results.runs(Part.MAIN) if run.policy != LEM] + results.runs(Part.FRONTIER, LEM)
    schedule = results.orders(results.runs(Part.MAIN, "twap")[0])
    for run in runs:
        orders = results.orders(run)
        blocks = blocks_of(orders, resamples, seed)
        for group in POOLED:
            gain, twap = orders.gain_of(group, run.max_steps), schedule.gain_of(group, run.max_steps)
            yield {
                **row_of(results, run),
                "benchmark": group.benchmark,
                "orders": gain.size,
                **_over_twap(gain, twap),
                **_intervals(gain, twap, blocks),
                **_without_wildest_day(gain, twap, orders.day),
            }


def _over_twap(gain: Vector, twap: Vector) -> Row:
    figures, of_twap = spread(gain), spread(twap)
    row: Row = {}
    for name in TRACKED:
        row[f"{name}_bps"] = figures[f"{name}_bps"]
        row[f"{name}_to_twap"] = _ratio(figures[f"{name}_bps"], of_twap[f"{name}_bps"])
    return row


def _intervals(gain: Vector, twap: Vector, blocks: DayBlocks) -> Row:
    """Intervals of the ratios of mean absolute gains and of standard deviations [S, C]. Both sides of a ratio are of
    the same resamples."""
    resampled = {
        "mean_absolute": (_resampled_mean(np.abs(gain), blocks), _resampled_mean(np.abs(twap), blocks)),
        "std": (_resampled_std(gain, blocks), _resampled_std(twap, blocks)),
    }
    row: Row = {}
    for name, (figures, of_twap) in resampled.items():
        with np.errstate(divide="ignore", invalid="ignore"):
            row[f"{name}_to_twap_low"], row[f"{name}_to_twap_high"] = interval_of(figures / of_twap)
    return row


def _without_wildest_day(gain: Vector, twap: Vector, day: Integers) -> Row:
    """The day (UTC, of the order's start) with most of the TWAP schedule's squares, its share of the squares of `gain`,
    and the ratio of the standard deviations without this day."""
    days, index_of_day = np.unique(day, return_inverse=True)
    wildest = days[np.argmax(np.bincount(index_of_day, np.square(twap).sum(axis=1)))]
    others = day != wildest
    squares = np.square(gain).sum(axis=1)
    std, std_of_twap = (float(each[others].std()) if others.any() else np.nan for each in (gain, twap))
    return {
        "wildest_day": str(np.datetime64(int(wildest) * DAY_SECONDS, "s").astype("datetime64[D]")),
        "wildest_day_share": _ratio(float(squares[~others].sum()), float(squares.sum())),
        "std_to_twap_without_wildest_day": _ratio(std, std_of_twap),
    }


def _resampled_mean(values: Vector, blocks: DayBlocks) -> Vector:
    return blocks.resampled(values.mean(axis=1))


def _resampled_std(values: Vector, blocks: DayBlocks) -> Vector:
    variance = _resampled_mean(np.square(values), blocks) - np.square(_resampled_mean(values, blocks))
    std: Vector = np.sqrt(np.maximum(variance, 0.0))
    return std


def _ratio(figure: float, of_twap: float) -> float:
    return figure / of_twap if of_twap else np.nan
