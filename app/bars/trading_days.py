"""The trading days of a series: the exchange's local date of each bar.

A daily bar may be stamped at local midnight, at midnight UTC of its date or at the session's open, and a session may
open on the evening before its date, in UTC or on the wall. Each of them means the same trading day.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app.bars.exchange_clock import SLOT_SECONDS, wall_seconds
from app.bars.series import SATURDAY, THURSDAY, Series
from app.domain.durations import DAY_SECONDS, HOUR_SECONDS

Seconds = NDArray[np.int64]

HALF_DAY = DAY_SECONDS // 2
USUAL_SHARE = 0.5
"""A weekday belongs to the week, and a time of day to the session, if it is there in this share of the weeks or of the
sessions."""
RARE_SHARE = 0.1
"""A half hour in which bars open on fewer days than this share of the busiest half hour's is part of the night."""
WEEKLY_PAUSE_SECONDS = 36 * HOUR_SECONDS
EVE_FROM_SECONDS = 10 * HOUR_SECONDS
"""Local midnight east of Greenwich lies at this time of the day before in UTC, or later: no zone is ahead by more than
14 hours."""
EARLY_HOURS = 6
"""A trading day begins so long before the usual stamp of its daily bar. A stamp later in the day keeps the date: it is
that of the last trade."""
STRAYS_MAX = 2
"""Stamps that fit no date are strays up to this number; more show that trading days begin earlier."""
EVE_SECONDS = 15 * HOUR_SECONDS
"""No exchange opens so late in the UTC day for a session of the same date."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TradingDays:
    """`date` [T] is each bar's trading day, in days since 1970-01-01; `second` [T] the time since that trading day
    began, on the exchange's clock. `usual` [7] says which weekdays are trading days, Monday first."""

    date: NDArray[np.int64]
    second: Seconds
    usual: NDArray[np.bool_]

    def missing_between(self) -> NDArray[np.int64]:
        """[T - 1]: how many usual trading days lie between the dates of two neighbours."""
        first = int(self.date[0])
        trading = self.usual[weekday(np.arange(first, int(self.date[-1]) + 1))]
        before = np.concatenate([[0], np.cumsum(trading)])  # trading days before each date, from the first on
        earlier, later = self.date[:-1] - first, self.date[1:] - first
        between: NDArray[np.int64] = np.maximum(before[later] - before[np.minimum(earlier + 1, later)], 0)
        return between


def weekday(date: NDArray[np.int64]) -> NDArray[np.int64]:
    """[D]: 0 for Monday, for days since the epoch."""
    day: NDArray[np.int64] = (date + THURSDAY) % 7
    return day


def trading_days(series: Series) -> TradingDays:
    wall = wall_seconds(series.open_time)
    daily = series.bar_seconds >= DAY_SECONDS
    begin, shift = _begin_of_daily(wall) if daily else _begin_of_sessions(wall, series.bar_seconds)
    number = (wall - begin) // DAY_SECONDS
    date = number + shift
    counts = np.bincount(weekday(np.unique(date)), minlength=7)
    return TradingDays(
        date=date, second=wall - begin - number * DAY_SECONDS, usual=counts >= USUAL_SHARE * counts.max()
    )


def _begin_of_daily(wall: Seconds) -> tuple[int, int]:
    """When trading days begin in seconds after midnight, and the days to add to the date on which they begin.

    With local midnight east of Greenwich bars are stamped on the date before. What gives the most dates, and the fewest
    on weekends, is right; for markets that trade on weekends the time of the stamp decides.
    """
    stamps, counts = np.unique(wall % DAY_SECONDS, return_counts=True)
    stamp = int(stamps[np.argmax(counts)])
    ahead_first = (1, 0) if stamp >= EVE_SECONDS else (0, 1) if stamp >= EVE_FROM_SECONDS else (0,)
    choices = [(hours, ahead) for ahead in ahead_first for hours in (EARLY_HOURS, 12, 18)]

    def misfits(choice: tuple[int, int]) -> int:
        hours, ahead = choice
        dates = np.unique((wall - stamp + hours * HOUR_SECONDS) // DAY_SECONDS + ahead)
        strays = 0 if hours == EARLY_HOURS else STRAYS_MAX
        return len(wall) - len(dates) + int((weekday(dates) >= SATURDAY).sum()) + strays

    hours, ahead = min(choices, key=misfits)
    return stamp - hours * HOUR_SECONDS, ahead


def _begin_of_sessions(wall: Seconds, bar_seconds: int) -> tuple[int, int]:
    """The middle of the night, in which no bar opens, as seconds after midnight; where there is no night, the time at
    which the week opens. A trading day has the date of its middle."""
    begin = _middle_of_night(wall, bar_seconds)
    if begin is None:
        opens = wall[1:][np.diff(wall) >= WEEKLY_PAUSE_SECONDS] % DAY_SECONDS // SLOT_SECONDS
        begin = int(np.argmax(np.bincount(opens))) * SLOT_SECONDS if len(opens) else 0
    return begin, int(begin >= HALF_DAY)


def _middle_of_night(wall: Seconds, bar_seconds: int) -> int | None:
    """The middle of the longest run of half hours without bars, None where there is no such half hour."""
    slots = DAY_SECONDS // SLOT_SECONDS
    opens = np.unique(wall // SLOT_SECONDS) % slots
    used = np.zeros(slots, dtype=np.int64)
    for covered in range(-(-bar_seconds // SLOT_SECONDS)):
        used += np.bincount((opens + covered) % slots, minlength=slots)
    busy = np.flatnonzero(used >= RARE_SHARE * used.max())
    pauses = np.diff(busy, append=busy[0] + slots) - 1
    longest = int(np.argmax(pauses))
    if pauses[longest] == 0:
        return None
    return int((2 * busy[longest] + 2 + pauses[longest]) * SLOT_SECONDS // 2) % DAY_SECONDS
