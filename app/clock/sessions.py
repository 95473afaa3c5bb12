"""The trading windows of an exchange, computed from the times at which its sessions and their parts open and close.

A part of a session is what lies between its open, its breaks and its close. Windows count from the open of a part, and
the last one is cut where the part closes: none reaches into a break or past the session. Nothing is laid out for a
length of windows, so that windows of a second cost what windows of an hour do.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from datetime import datetime, timedelta

from app.clock.days import Days
from app.clock.timetable import Timetable, rounded_up, seconds_of, time_at, time_of
from app.domain.durations import DAY_SECONDS


class Sessions:
    """Windows of a day are the bars of a daily feed (see app/clock/days.py) where one of its bars is given as `like`,
    and whole sessions from open to close without it."""

    continuous = False

    def __init__(self, timetable: Timetable) -> None:
        self._timetable = timetable
        self._days = Days(timetable)
        self._opens, self._closes = timetable.part_opens, timetable.part_closes
        spans = zip(timetable.opens, timetable.closes, strict=True)
        self._longest = max(closes - opens for opens, closes in spans)

    def first_open(self, at: datetime, window_seconds: int, like: datetime | None) -> datetime:
        second = rounded_up(at)
        if window_seconds == DAY_SECONDS:
            if like is not None:
                return self._days.first_open(at, like)
            return time_at(self._timetable.opens, bisect_left(self._timetable.opens, second))
        part = bisect_right(self._closes, second)
        if part < len(self._opens) and self._opens[part] < second:
            opens = _next_on_grid(self._opens[part], second, window_seconds)
            if opens < self._closes[part]:
                return time_of(opens)
            part += 1
        return time_at(self._opens, part)

    def close_of(self, open_time: datetime, window_seconds: int, like: datetime | None = None) -> datetime:
        opens, closes = self._opens, self._closes
        if window_seconds == DAY_SECONDS:
            if like is not None:
                return self._days.close_of(open_time)
            opens, closes = self._timetable.opens, self._timetable.closes
        second = seconds_of(open_time)
        part = bisect_right(opens, second) - 1
        cut = part >= 0 and second < closes[part] < second + window_seconds
        return time_of(closes[part]) if cut else open_time + timedelta(0, window_seconds)

    def complete_at(self, open_time: datetime, window_seconds: int) -> datetime:
        if window_seconds != DAY_SECONDS:
            return self.close_of(open_time, window_seconds)
        return min(self._days.session_close(open_time), self._days.close_of(open_time))

    def aligned(self, open_time: datetime, window_seconds: int) -> bool:
        self._timetable.require_known(open_time)
        if window_seconds == DAY_SECONDS:
            return self._days.session_of(open_time) is not None
        second = seconds_of(open_time)
        part = bisect_right(self._opens, second) - 1
        inside = part >= 0 and second < self._closes[part] and not open_time.microsecond
        return inside and (second - self._opens[part]) % window_seconds == 0

    def missing(self, after: datetime, until: datetime, window_seconds: int, limit: int) -> list[datetime]:
        if window_seconds == DAY_SECONDS:
            return self._days.missing(after, until, limit)
        found: list[datetime] = []
        first, end = seconds_of(after) + 1, rounded_up(until)
        part = bisect_right(self._closes, first)
        while len(found) < limit and part < len(self._opens) and self._opens[part] < end:
            opens = _next_on_grid(self._opens[part], first, window_seconds)
            inside = range(opens, min(self._closes[part], end), window_seconds)
            found += [time_of(second) for second in inside[: limit - len(found)]]
            part += 1
        return found

    def bars_in(self, window_seconds: int, bar_seconds: int) -> int:
        return -(-min(window_seconds, self._longest) // bar_seconds)

    def session(self, at: datetime) -> tuple[datetime, datetime] | None:
        opens, closes, second = self._timetable.opens, self._timetable.closes, seconds_of(at)
        index = bisect_right(opens, second) - 1
        return (time_of(opens[index]), time_of(closes[index])) if index >= 0 and second < closes[index] else None

    def require_known(self, at: datetime) -> None:
        self._timetable.require_known(at)


def _next_on_grid(origin: int, second: int, window_seconds: int) -> int:
    """The first multiple of the window after `origin` that is at or after `second`."""
    return origin + max(0, -(-(second - origin) // window_seconds)) * window_seconds
