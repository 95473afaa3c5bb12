"""The bars of a daily feed on an exchange: which session each of them means, and how the next ones will be stamped.

A session is the exchange's local date. Feeds stamp its bar at local midnight, at UTC midnight of that date or at the
session's open, and some at another time of that date. East of Greenwich, and where sessions open on the evening before,
the UTC date of such a stamp need not be the session's.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from datetime import datetime, timedelta
from typing import NamedTuple

from app.clock.timetable import DAY_SECONDS, Timetable, day_of, rounded_up, seconds_of, time_at

DAY = timedelta(days=1)


class Days:
    """Windows of a day: one for each session. Each opens at its session's stamp and lasts until the same time of the
    next day, or until the next stamp where that comes earlier."""

    def __init__(self, timetable: Timetable) -> None:
        self._timetable = timetable

    def session_of(self, stamp: datetime) -> int | None:
        """The index of the session that a daily bar of that stamp means, if any."""
        table, second = self._timetable, seconds_of(stamp)
        index = bisect_right(table.closes, second)
        if index < len(table.closes) and table.opens[index] <= second:
            return index
        date = second if second % DAY_SECONDS == 0 else day_of(stamp.astimezone(table.zone)) * DAY_SECONDS
        index = bisect_left(table.dates, date)
        return index if index < len(table.dates) and table.dates[index] == date else None

    def first_open(self, at: datetime, like: datetime) -> datetime:
        """The first stamp at or after `at`, of a feed that stamps as `like` is stamped."""
        stamps = self._stamps(like)
        return stamps.of(stamps.first_at(rounded_up(at)))

    def close_of(self, stamp: datetime) -> datetime:
        """Where daylight saving or a late open shortens the way to the next stamp, windows must not overlap."""
        nominal, session = stamp + DAY, self.session_of(stamp)
        if session is None or session + 1 == len(self._timetable.dates):
            return nominal
        return min(nominal, self._stamps(stamp).of(session + 1))

    def session_close(self, stamp: datetime) -> datetime:
        """When the session closes that a bar of that stamp means."""
        session = self.session_of(stamp)
        return stamp + DAY if session is None else time_at(self._timetable.closes, session)

    def missing(self, after: datetime, until: datetime, limit: int) -> list[datetime]:
        """Bars are matched by session: a feed's stamps may shift by an hour with daylight saving."""
        first, end = self._place(after) + 1, self._place(until)
        if first >= end:
            return []
        stamps = self._stamps(after)
        return [stamps.of(session) for session in range(first, min(end, first + limit))]

    def _stamps(self, like: datetime) -> Stamps:
        """The feed's stamps, at one time of the day in the exchange's zone, at the session's open, or at one in UTC.
        Where `like` leaves open which (Tokyo opens at UTC midnight, Sydney does in winter), the earlier of them is
        foreseen for each session: a window that opens too early is over once its bar has closed."""
        table, second, session = self._timetable, seconds_of(like), self.session_of(like)
        if session is None:
            return Stamps(table.dates, second % DAY_SECONDS)
        for times in (table.midnights, table.opens, table.dates):
            if times[session] == second:
                return Stamps(times, 0)
        return Stamps(table.dates, second - table.dates[session], table.midnights, second - table.midnights[session])

    def _place(self, stamp: datetime) -> int:
        session = self.session_of(stamp)
        return bisect_left(self._timetable.dates, seconds_of(stamp)) if session is None else session


class Stamps(NamedTuple):
    """When the bars of all sessions are stamped: at `times` moved by `offset` seconds, or at the `other` ones if those
    are earlier."""

    times: array[int]
    offset: int
    other: array[int] | None = None
    other_offset: int = 0

    def first_at(self, second: int) -> int:
        """The first session whose stamp is not before `second`."""
        found = bisect_left(self.times, second - self.offset)
        return found if self.other is None else max(found, bisect_left(self.other, second - self.other_offset))

    def of(self, session: int) -> datetime:
        stamp = time_at(self.times, session, self.offset)
        return stamp if self.other is None else min(stamp, time_at(self.other, session, self.other_offset))
