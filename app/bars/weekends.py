"""Weekends without trading, whatever the exchange's time zone."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from app.bars.series import DAY_SECONDS, THURSDAY, Series

Seconds = NDArray[np.int64]

HOUR_SECONDS = 3_600
WEEK_SECONDS = 7 * DAY_SECONDS
MONDAY = (7 - THURSDAY) * DAY_SECONDS
"""The first Monday after the epoch, 00:00 UTC."""
BEGIN_SECONDS = 2 * HOUR_SECONDS
LENGTH_SECONDS = 32 * HOUR_SECONDS
"""From Saturday 02:00 to Sunday 10:00 UTC no exchange that rests on Saturday and Sunday opens a bar. New York's trading
after hours ends on Saturday at 01:00 UTC, and Sunday 10:00 UTC is local midnight of the easternmost Monday. A series
round the clock has a bar of any length up to a day then."""

SATURDAY = 5
OTHER_DAYS_OF_REST = (4, 3)
"""Fridays of exchanges that open on Sunday, from Cairo to Dhaka, and Thursdays of those that open on Saturday."""
OTHER_RESTS_MIN = 2
"""One Friday without bars may as well be an outage."""


def trades_on_weekends(series: Series) -> bool | None:
    """Whether bars open on most of the weekends that the series shows; None where it shows no weekend.

    A session that opens on Sunday in UTC is none of a weekend: Monday's in Sydney, Sunday evening's of futures and
    currencies, daily bars of Monday at local midnight east of Greenwich. Nor do a few special sessions on Saturdays
    make a market that trades round the clock.
    """
    traded, rests = _counts(series.open_time, SATURDAY)
    if rests > traded:
        # bars of two days and more miss the weekend's hours now and then
        return series.bar_seconds > DAY_SECONDS and traded > 0
    for day in OTHER_DAYS_OF_REST:
        traded_then, rests_then = _counts(series.open_time, day)
        if rests_then >= OTHER_RESTS_MIN and rests_then > traded_then and series.bar_seconds <= DAY_SECONDS:
            return False
    return True if traded else None


def _counts(open_time: Seconds, day: int) -> tuple[int, int]:
    """On how many weekends that begin on `day` (0 for Monday) bars open, and in how many pauses of the series others
    lie: a hole of months is one pause."""
    week = (int(open_time[0]) - MONDAY) // WEEK_SECONDS
    weeks = np.arange(week, (int(open_time[-1]) - MONDAY) // WEEK_SECONDS + 1)
    begins = MONDAY + weeks * WEEK_SECONDS + day * DAY_SECONDS + BEGIN_SECONDS
    before, after = (np.searchsorted(open_time, times) for times in (begins, begins + LENGTH_SECONDS))
    traded = after > before
    inside = (before > 0) & (after < len(open_time))
    return int(traded.sum()), len(np.unique(before[~traded & inside]))
