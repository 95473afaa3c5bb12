"""Bars that are missing inside the sessions of an exchange.

Nights, lunch breaks, late opens and early closes are no holes. A time of day belongs to a session if most sessions
around it have a bar at that time, so that a change of the exchange's hours makes no holes; where a weekday has hours of
its own, most sessions of that weekday must have the bar too.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app.bars.series import Series
from app.bars.trading_days import USUAL_SHARE, TradingDays, weekday

Counts = NDArray[np.int64]

SESSIONS_AROUND = 21
"""Sessions that are asked, itself among them: about a month, so that each weekday has four."""
SAME_WEEKDAY_MIN = 3
"""So many sessions of its weekday show whether that weekday has hours of its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """One session of a series, its bars from index `first` on. They open at the seconds `own` of the trading day; the
    sessions around have bars at the seconds `around`, and those of its weekday among them at the seconds `usual`."""

    date: int
    first: int
    own: Counts
    around: Counts
    usual: Counts

    @property
    def lacks_begin(self) -> bool:
        return len(self.usual) > 0 and bool(self.usual[0] < self.own[0])

    @property
    def lacks_end(self) -> bool:
        return len(self.usual) > 0 and bool(self.usual[-1] > self.own[-1])

    def hole_before(self, later: Session) -> bool:
        """Whether bars are missing from here into the session of the next date, rather than that this one closed early
        and that one opened late."""
        return self.lacks_end and later.lacks_begin and later.date == self.date + 1


def sessions_of(days: TradingDays) -> Iterator[Session]:
    slots, slot = np.unique(days.second, return_inverse=True)
    firsts = np.flatnonzero(np.diff(days.date, prepend=days.date[0] - 1))
    dates = days.date[firsts]
    every = np.split(slot, firsts[1:])
    for first, date, own, usual in zip(firsts, dates, every, _usual(every, dates, len(slots)), strict=True):
        around, of_weekday = (slots[each] for each in usual)
        yield Session(date=int(date), first=int(first), own=slots[own], around=around, usual=of_weekday)


def missing_inside(series: Series, days: TradingDays) -> Counts:
    """[T - 1]: how many bars are missing between two neighbours of one session, or of two sessions on consecutive dates
    where the end of the first is missing and the beginning of the second too."""
    missing = np.zeros(len(series), dtype=np.int64)  # after each bar
    before: Session | None = None
    cut_short = 0
    for session in sessions_of(days):
        first, own, usual = session.first, session.own, session.usual
        place = np.searchsorted(own, usual[~np.isin(usual, own, assume_unique=True)])
        after_each = np.bincount(place, minlength=len(own) + 1)  # [0] is missing before the first bar of the session
        if before is not None and before.hole_before(session):
            missing[first - 1] = cut_short + after_each[0]
        missing[first : first + len(own) - 1] = after_each[1:-1]
        before, cut_short = session, after_each[-1]
    found: Counts = np.where(np.diff(series.open_time) > series.bar_seconds, missing[:-1], 0)
    return found


def _usual(sessions: Sequence[Counts], dates: Counts, slots: int) -> Iterator[tuple[Counts, Counts]]:
    """For each session the slots that its neighbours have, and those of them that its weekday has. Sums of the sessions
    around are carried along: memory stays that of eight sessions."""
    counts, weekday_counts = np.zeros(slots, dtype=np.int64), np.zeros((7, slots), dtype=np.int64)
    number, weekday_number = 0, np.zeros(7, dtype=np.int64)
    days = weekday(dates)
    low = high = 0
    for index, day in enumerate(days):
        begin = max(0, min(index - SESSIONS_AROUND // 2, len(sessions) - SESSIONS_AROUND))
        while high < min(begin + SESSIONS_AROUND, len(sessions)):
            counts[sessions[high]] += 1
            weekday_counts[days[high], sessions[high]] += 1
            number, high = number + 1, high + 1
            weekday_number[days[high - 1]] += 1
        while low < begin:
            counts[sessions[low]] -= 1
            weekday_counts[days[low], sessions[low]] -= 1
            number, low = number - 1, low + 1
            weekday_number[days[low - 1]] -= 1
        around = usual = counts >= USUAL_SHARE * number
        if weekday_number[day] >= SAME_WEEKDAY_MIN:
            usual = around & (weekday_counts[day] >= USUAL_SHARE * weekday_number[day])
        yield np.flatnonzero(around), np.flatnonzero(usual)
