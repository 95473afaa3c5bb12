"""Confidence intervals for the mean of orders that are not independent.

Orders of one day depend on each other, over all instruments, and so do days that follow each other. So whole days are
drawn, all instruments together, in blocks of consecutive days: the circular block bootstrap of Politis and Romano
(1992). The limits of the interval are percentiles of the resampled means.

Shapes: S orders, D days with an order, R resamples, K blocks in a resample.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from app.domain.durations import DAY_SECONDS

Vector = NDArray[np.float64]

BLOCK_DAYS_MIN = 5
BLOCKS_MIN = 4
"""Blocks are made shorter before there are fewer of them, which would say nothing about the spread between blocks."""
COVERAGE = 95.0
DAYS_MIN = 2
"""Fewer say nothing about the spread between days."""


class DayBlocks:
    """The days, drawn once, so that all figures on the same orders are resampled alike.

    `block_days` counts days on which an order starts, `block_span_days` the days of the calendar that a block covers on
    average. Where that is not above `horizon_days` there are too few days: orders of different blocks overlap, and the
    intervals are too narrow.
    """

    def __init__(self, day: NDArray[np.int64], *, horizon_days: int, resamples: int, seed: int) -> None:
        days, self._day = np.unique(day, return_inverse=True)
        self.days, self.horizon_days = len(days), horizon_days
        spacing = (days[-1] - days[0]) / (len(days) - 1) if len(days) > 1 else 1.0
        self.block_days = block_days(self.days, horizon_days, spacing)
        self.block_span_days = float(self.block_days * spacing)
        count = -(-self.days // self.block_days) if self.days else 0
        self._first = np.random.default_rng(seed).integers(0, max(1, self.days), (resamples, count))
        self._orders = self._in_blocks(np.ones(len(day)))

    def interval(self, values: Vector, coverage: float = COVERAGE) -> tuple[float, float]:
        """The interval of the mean of `values` [S], by default of 95 %; NaN where there are fewer than two days."""
        return interval_of(self.resampled(values), coverage)

    def resampled(self, values: Vector) -> Vector:
        """[R]: the mean of `values` [S] in each resample; NaN where there are fewer than two days."""
        if self.days < DAYS_MIN:
            return np.full(len(self._first), np.nan)
        means: Vector = self._in_blocks(values)[self._first].sum(axis=1) / self._orders[self._first].sum(axis=1)
        return means

    def weights(self) -> NDArray[np.int64]:
        """[R, D]: how often each day is drawn in each resample."""
        begun = np.stack([np.bincount(firsts, minlength=self.days) for firsts in self._first])
        total = np.cumsum(np.concatenate([begun[:, -self.block_days :], begun], axis=1), axis=1)
        drawn: NDArray[np.int64] = total[:, self.block_days :] - total[:, : self.days]
        return drawn

    def resampled_width(self, values: Vector, low: float = 5.0, high: float = 95.0) -> Vector:
        """[R]: the distance between two percentiles of `values` [S, C] in each resample, without interpolation; NaN
        where there are fewer than two days."""
        if self.days < DAYS_MIN:
            return np.full(len(self._first), np.nan)
        order = np.argsort(values, axis=None, kind="stable")
        day, ranked = np.repeat(self._day, values.shape[1])[order], values.reshape(-1)[order]
        widths = np.empty(len(self._first))
        for index, weight in enumerate(self.weights()):
            total = np.cumsum(weight[day])
            first, last = np.searchsorted(total, np.array([low, high]) / 100.0 * total[-1])
            widths[index] = ranked[last] - ranked[first]
        return widths

    def _in_blocks(self, values: Vector) -> Vector:
        """[D]: the sum of values [S] over the block that begins with each day, going round at the end."""
        of_day = np.bincount(self._day, values, self.days)
        total = np.concatenate([[0.0], np.cumsum(np.concatenate([of_day, of_day[: self.block_days]]))])
        blocks: Vector = total[self.block_days :][: self.days] - total[: self.days]
        return blocks


def horizon_days(max_steps: int, bar_seconds: int) -> int:
    """The days that an order may run, at least one."""
    return -(-max_steps * bar_seconds // DAY_SECONDS)


def interval_of(resampled: Vector, coverage: float = COVERAGE) -> tuple[float, float]:
    """The limits between which `coverage` % of a figure's resamples [R] lie; NaN where one of them is NaN."""
    tail = (100.0 - coverage) / 2.0
    low, high = np.percentile(resampled, [tail, 100.0 - tail])
    return float(low), float(high)


def block_days(days: int, horizon_days: int, spacing: float = 1.0) -> int:
    """The days with orders in a block, which lie `spacing` days apart: a week of them or twice the horizon, so that
    orders that overlap stay together; less where days are few."""
    wanted = max(BLOCK_DAYS_MIN, math.ceil(2 * horizon_days / spacing))
    return max(1, min(wanted, days // BLOCKS_MIN))
