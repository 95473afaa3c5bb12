"""Trading windows: every day around the clock, or an exchange's sessions."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import lru_cache

from app.clock.sessions import Sessions
from app.clock.timetable import EPOCH, timetable
from app.engine.ports import Calendar


@lru_cache(maxsize=256)
def calendar(code: str) -> Calendar:
    """The calendar of that code: `24/7`, or one that exchange_calendars knows, such as `XNYS`, which takes some time
    when it is first named. Raises InvalidInput("unknown_calendar")."""
    return Continuous() if code == "24/7" else Sessions(timetable(code))


class Continuous:
    """Windows of any length, aligned to multiples of it since the epoch."""

    continuous = True

    def first_open(self, at: datetime, window_seconds: int, like: datetime | None) -> datetime:
        window = timedelta(seconds=window_seconds)
        return EPOCH - (EPOCH - at) // window * window

    def close_of(self, open_time: datetime, window_seconds: int, like: datetime | None = None) -> datetime:
        return open_time + timedelta(seconds=window_seconds)

    def complete_at(self, open_time: datetime, window_seconds: int) -> datetime:
        return self.close_of(open_time, window_seconds)

    def aligned(self, open_time: datetime, window_seconds: int) -> bool:
        return not (open_time - EPOCH) % timedelta(seconds=window_seconds)

    def missing(self, after: datetime, until: datetime, window_seconds: int, limit: int) -> list[datetime]:
        window = timedelta(seconds=window_seconds)
        count = (until - after) // window - 1
        return [after + window * (number + 1) for number in range(min(count, limit))]

    def bars_in(self, window_seconds: int, bar_seconds: int) -> int:
        return window_seconds // bar_seconds

    def session(self, at: datetime) -> tuple[datetime, datetime] | None:
        return None

    def require_known(self, at: datetime) -> None:
        """Every time is known."""
