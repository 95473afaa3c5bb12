"""Weekends and nights without trading, whatever the exchange's time zone."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from app.bars.series import SATURDAY, THURSDAY, Series
from app.domain.durations import DAY_SECONDS, HOUR_SECONDS, WEEK_SECONDS

Seconds = NDArray[np.int64]

MONDAY = (7 - THURSDAY) * DAY_SECONDS
"""The first Monday after the epoch, 00:00 UTC."""
BEGIN_SECONDS = 2 * HOUR_SECONDS
LENGTH_SECONDS = 32 * HOUR_SECONDS
"""From Saturday 02:00 to Sunday 10:00 UTC no exchange that rests on Saturday and Sunday opens a bar. New York's trading
after hours ends on Saturday at 01:00 UTC, and Sunday 10:00 UTC is local midnight of the easternmost Monday. A series
round the clock has a bar of any length up to a day then."""
WEEKEND_SECONDS_MIN = 40 * HOUR_SECONDS
"""The least time from the end of a week's last bar to the next week's first, which are two days apart. An outage of a
day is shorter."""

OTHER_DAYS_OF_REST = (4, 3)
"""Fridays of exchanges that open on Sunday, from Cairo to Dhaka, and Thursdays of those that open on Saturday."""
OTHER_RESTS_MIN = 2
"""One Friday without bars may as well be an outage, where bars open at every hour of the other days."""


def trades_on_weekends(series: Series) -> bool | None:
    """Whether bars open on most of the weekends that the series shows; None where it shows no weekend.

    A session that opens on Sunday in UTC is none of a weekend: Monday's in Sydney, Sunday evening's of futures and
    currencies, daily bars of Monday at local midnight east of Greenwich. Nor do a few special sessions on Saturdays
    make a market that trades round the clock.
    """
    traded, rests = _counts(series.open_time, SATURDAY, series.bar_seconds + WEEKEND_SECONDS_MIN)
    if series.bar_seconds > DAY_SECONDS and traded + rests:
        # such bars miss a weekend's hours now and then; those of a week or a month do not keep their distance on them
        return traded > 0 and not (np.diff(series.open_time) % series.bar_seconds).any()
    if rests > traded:
        return False
    for day in OTHER_DAYS_OF_REST:
        traded_then, rests_then = _counts(series.open_time, day, LENGTH_SECONDS)
        if rests_then > traded_then and (rests_then >= OTHER_RESTS_MIN or has_nights(series)):
            return False
    return True if traded else None


def has_nights(series: Series) -> bool:
    """Whether there is an hour of the day (UTC) in which no bar ever opens. Bars of a day show no nights."""
    slot_seconds = max(HOUR_SECONDS, series.bar_seconds)
    slots = np.unique(series.open_time % DAY_SECONDS // slot_seconds)
    return len(slots) < DAY_SECONDS // slot_seconds


def _counts(open_time: Seconds, day: int, pause_min: int) -> tuple[int, int]:
    """On how many weekends that begin on `day` (0 for Monday) bars open, and how many pauses of at least `pause_min`
    seconds from open to open hold the others: a hole of months is one pause."""
    week = (int(open_time[0]) - MONDAY) // WEEK_SECONDS
    weeks = np.arange(week, (int(open_time[-1]) - MONDAY) // WEEK_SECONDS + 1)
    begins = MONDAY + weeks * WEEK_SECONDS + day * DAY_SECONDS + BEGIN_SECONDS
    before, after = (np.searchsorted(open_time, times) for times in (begins, begins + LENGTH_SECONDS))
    inside = (before == after) & (before > 0) & (after < len(open_time))
    pauses = np.unique(before[inside])
    long_enough = open_time[pauses] - open_time[pauses - 1] >= pause_min
    return int((after > before).sum()), int(long_enough.sum())
