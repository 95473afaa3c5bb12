"""How close orders that may not stop keep to their benchmark, and the ratios to the TWAP schedule and to the best
baseline on the same orders.

Few wild orders hold most of the squares, so a standard deviation says little without its interval. The interval is
given, and so is the ratio without the one day on which the TWAP schedule strays most.

Shapes: S starts of orders, C scenarios, R resamples.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from app.backtest.bootstrap import DayBlocks, interval_of
from app.backtest.job import LEM
from app.domain.durations import DAY_SECONDS
from models.evaluation.backtest_run import Part
from models.evaluation.market_results import MarketResults, Orders
from models.evaluation.scenario_groups import POOLED, ScenarioGroup
from models.evaluation.tables.row_figures import Row, blocks_of, row_of, spread
from models.evaluation.tables.table_columns import TRACKED

WHOLE, SHORT = "whole", "short"
"""The sessions of a row's orders: those with max_steps windows, or those with fewer. Steps that know no sessions are
whole."""

ROUNDING_BPS = 1e-3
"""An even pace with a fixed quantity strays no further from TWAP than roundings of its slices: no ratio is to that."""

Vector = NDArray[np.float64]
Integers = NDArray[np.int64]


def tracking(results: MarketResults, resamples: int, seed: int) -> Iterator[Row]:
    """Orders with min_steps = max_steps: of every baseline, and of the LEM at every risk aversion. Orders over short
    sessions have rows of their own."""
    baselines = [run for run in results.runs(Part.MAIN) if run.policy != LEM]
    runs = [run for run in baselines + results.points() if results.max_steps in run.min_steps]
    for short in (False, True):
        of_runs = [results.orders(run, short=short) for run in runs]
        if not of_runs or not len(of_runs[0].start_time):
            continue
        blocks = blocks_of(of_runs[0], resamples, seed)
        for group in POOLED:
            spreads = [_Spread(orders, group, blocks) for orders in of_runs]
            words = {"benchmark": group.benchmark, "sessions": SHORT if short else WHOLE}
            for each, row in zip(spreads, _rows(spreads), strict=True):
                yield row_of(results, each.run) | words | row


class _Spread:
    """How far the gains of one run stray, and how far in each resample of the days; `figures` and `resampled` [R] by
    the names in `TRACKED`."""

    def __init__(self, orders: Orders, group: ScenarioGroup, blocks: DayBlocks) -> None:
        self.run, self.day = orders.run, orders.day
        self.gain = orders.gain_of(group, orders.run.max_steps)
        figures = spread(self.gain)
        self.figures: dict[str, float] = {name: figures[f"{name}_bps"] for name in TRACKED}
        self.resampled = {
            "mean_absolute": _resampled_mean(np.abs(self.gain), blocks),
            "std": _resampled_std(self.gain, blocks),
            "w": blocks.resampled_width(self.gain),
        }


def _rows(spreads: Sequence[_Spread]) -> Iterator[Row]:
    """Each figure, and its ratio to TWAP's and to the best baseline's: of each figure the lowest, which favours the
    baselines."""
    (twap,) = (each for each in spreads if each.run.policy == "twap")
    baselines = [each for each in spreads if each.run.policy != LEM]
    for each in spreads:
        row: Row = {"orders": each.gain.size}
        for name in TRACKED:
            best = min(baselines, key=lambda other: other.figures[name])
            row |= {f"{name}_bps": each.figures[name], f"{name}_best": best.run.policy}
            row |= _over(name, "twap", each, twap) | _over(name, "best", each, best)
        yield row | _without_wildest_day(each.gain, twap.gain, each.day)


def _over(name: str, words: str, one: _Spread, other: _Spread) -> Row:
    """A ratio with its interval. Both sides of a ratio are of the same resamples."""
    ratio = _ratio(one.figures[name], other.figures[name])
    with np.errstate(divide="ignore", invalid="ignore"):
        low, high = interval_of(one.resampled[name] / other.resampled[name]) if np.isfinite(ratio) else (ratio, ratio)
    return {
        f"{name}_to_{words}": ratio,
        f"{name}_to_{words}_low": low,
        f"{name}_to_{words}_high": high,
    }


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


def _ratio(figure: float, other: float) -> float:
    return figure / other if other > ROUNDING_BPS else np.nan
