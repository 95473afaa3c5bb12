"""What orders of a model were measured to earn, by market and kind of order, and its value for an order in between.

Gains are in units of sigma * sqrt(N), sigma being the volatility per bar that is known at the order's start and N the
order's max_steps. In that unit a walk's optimum depends on M / N alone, nearly: few rows serve every order.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import TypeVar

from app.decision.quotes.gains import between
from app.domain.order import Benchmark
from app.domain.quote import AS_MEASURED, Gains, Tails

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True, kw_only=True)
class CalibratedRow:
    """What orders of one horizon earned; `orders` counts them. The gains are as far from their median as `tails` says
    against what was measured, so that they hold for the time after."""

    max_steps: int
    min_steps: int
    orders: int
    tails: Tails = AS_MEASURED
    gains: Gains


@dataclass(frozen=True, slots=True, kw_only=True)
class CalibratedTable:
    """The rows of orders that were alike otherwise, measured on the bars of `market` in [start, end).

    `slice_cap_multiple` is the slice cap as a multiple of an even slice, None where there was none.
    """

    market: str
    bar_seconds: int
    benchmark: Benchmark
    risk_aversion: float
    slice_cap_multiple: float | None
    start: datetime
    end: datetime
    rows: tuple[CalibratedRow, ...]

    def gains(self, max_steps: int, min_steps: int) -> Gains:
        """On straight lines in log N and in M / N; the outermost rows stand for what lies beyond them."""
        by_length = _grouped(self.rows, lambda row: math.log(row.max_steps))
        share = min_steps / max_steps
        points = [
            (length, between(sorted_points((row.min_steps / row.max_steps, row.gains) for row in rows), share))
            for length, rows in by_length
        ]
        return between(points, math.log(max_steps))

    @property
    def orders(self) -> int:
        return sum(row.orders for row in self.rows)


@dataclass(frozen=True, slots=True, kw_only=True)
class MarketCalibration:
    """The tables of one market and one benchmark; at least one."""

    tables: tuple[CalibratedTable, ...]

    @property
    def first(self) -> CalibratedTable:
        """Any of them: the market's name, its bars and their time span are the same in all."""
        return self.tables[0]

    @property
    def lengths(self) -> tuple[int, int]:
        """The shortest and the longest N of the rows."""
        lengths = [row.max_steps for table in self.tables for row in table.rows]
        return min(lengths), max(lengths)

    @property
    def risk_aversions(self) -> tuple[float, float]:
        """The smallest and the largest."""
        found = [table.risk_aversion for table in self.tables]
        return min(found), max(found)

    @property
    def tightest_cap_multiple(self) -> float | None:
        """The smallest slice cap; None where no order had one."""
        found = [table.slice_cap_multiple for table in self.tables if table.slice_cap_multiple is not None]
        return min(found, default=None)

    def gains(self, *, max_steps: int, min_steps: int, risk_aversion: float, slice_cap_multiple: float | None) -> Gains:
        """On straight lines in log(1 + risk aversion), and in the share of the horizon that the cap takes to finish."""
        points = []
        for aversion, tables in _grouped(self.tables, lambda table: math.log1p(table.risk_aversion)):
            capped = sorted_points((_cap(t.slice_cap_multiple), t.gains(max_steps, min_steps)) for t in tables)
            points.append((aversion, between(capped, _cap(slice_cap_multiple))))
        return between(points, math.log1p(risk_aversion))

    def orders_near(self, max_steps: int) -> int:
        """How many orders stand behind a quote: those of the rows next to this length, over all tables."""
        lengths = sorted({row.max_steps for table in self.tables for row in table.rows})
        below = max((each for each in lengths if each <= max_steps), default=lengths[0])
        above = min((each for each in lengths if each >= max_steps), default=lengths[-1])
        return sum(row.orders for t in self.tables for row in t.rows if row.max_steps in {below, above})


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """All that a model was calibrated on."""

    tables: tuple[CalibratedTable, ...] = ()

    def nearest(self, bar_seconds: float, benchmark: Benchmark) -> MarketCalibration | None:
        """That of the market whose bars are nearest in length, of several the one with the most orders; None where
        nothing is calibrated."""
        same = [table for table in self.tables if table.benchmark is benchmark]
        if not same:
            return None
        markets = {table.market: [each for each in same if each.market == table.market] for table in same}
        best = min(
            markets.values(),
            key=lambda tables: (
                abs(math.log(tables[0].bar_seconds / bar_seconds)),
                -sum(table.orders for table in tables),
            ),
        )
        return MarketCalibration(tables=tuple(best))


UNCALIBRATED = Calibration()


def sorted_points(points: Iterable[tuple[float, Gains]]) -> list[tuple[float, Gains]]:
    return sorted(points, key=lambda point: point[0])


def _cap(multiple: float | None) -> float:
    return 0.0 if multiple is None else 1.0 / multiple


def _grouped(items: Sequence[Item], place: Callable[[Item], float]) -> list[tuple[float, list[Item]]]:
    return [(at, list(group)) for at, group in groupby(sorted(items, key=place), key=place)]
