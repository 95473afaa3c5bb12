"""Where the orders of a backtest start in a series, and how many windows each of them has.

Shapes: T bars, S starts of orders.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app.backtest.setup import Setup, Starts
from app.bars.gaps import round_the_clock
from app.bars.series import Series
from app.bars.trading_days import trading_days
from app.decision.policy import Policy
from app.domain.durations import DAY_SECONDS
from app.domain.errors import InvalidInput

Integers = NDArray[np.int64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderStarts:
    """`bar` [S] is the bar of each order's first window, `windows` [S] the order's own max_steps: fewer than the
    setup's only in a session that has no more. `skipped` counts the starts that were left out: a bar is missing in
    their horizon, or the session is too short for the slice cap."""

    bar: Integers
    windows: Integers
    skipped: int


def order_starts(series: Series, policy: Policy, setup: Setup) -> OrderStarts:
    """Starts do not depend on the policy but for the history that it needs, so that policies meet the same orders: of
    the bars that it reads before a start at least one and `history_min` must be true ones, as in the service."""
    bar, windows = _session_opens(series, setup) if setup.starts is Starts.OPEN else _even_starts(series, setup)
    true_bars = _running_count(~series.synthetic)
    kept = true_bars[bar] - true_bars[np.maximum(bar - policy.lookback, 0)] >= max(1, policy.history_min)
    opens = series.open_time[bar]
    if setup.start is not None:
        kept &= opens >= setup.start
    if setup.end is not None:
        kept &= opens < setup.end
    bar, windows = bar[kept], windows[kept]
    synthetic = _running_count(series.synthetic)
    whole = (synthetic[bar + windows] == synthetic[bar]) & (windows >= setup.steps_at_least)
    return OrderStarts(bar=bar[whole], windows=windows[whole], skipped=int((~whole).sum()))


def _running_count(flags: Flags) -> Integers:
    """[T + 1]: how many of the bars before each index are flagged."""
    counted: Integers = np.concatenate([[0], np.cumsum(flags)])
    return counted


def _even_starts(series: Series, setup: Setup) -> tuple[Integers, Integers]:
    """Bars at multiples of `every` that have max_steps bars from there on."""
    bar = np.arange(0, len(series) - setup.max_steps + 1, setup.every)
    return bar, np.full(len(bar), setup.max_steps)


def _session_opens(series: Series, setup: Setup) -> tuple[Integers, Integers]:
    """The first bar of every `every`-th session. No order goes beyond its session.

    A session that does not begin at the usual time of the day lacks its first bar, and the end of the series' last
    session is not seen where the session is shorter than the order: both are left out. Raises InvalidInput where the
    series has no sessions.
    """
    if series.bar_seconds >= DAY_SECONDS or round_the_clock(series):
        raise InvalidInput(
            "no_sessions",
            f"{series.instrument}: orders can start at the open only in bars of an exchange's sessions, shorter than a "
            "day: leave this file out, or start them at --starts bars",
        )
    days = trading_days(series)
    _, first, bars = np.unique(days.date, return_index=True, return_counts=True)
    usual = np.bincount(days.second[first]).argmax()
    seen = days.second[first] == usual
    seen[-1] &= bars[-1] >= setup.max_steps
    chosen = np.flatnonzero(seen)[:: setup.every]
    return first[chosen], np.minimum(bars[chosen], setup.max_steps)
