"""Trading windows: every day around the clock, or an exchange's sessions.

Sessions come from the package exchange_calendars, which is loaded when the first exchange is named. The windows follow
its early closes, breaks and daylight saving; the package knows no auctions.
"""

from __future__ import annotations

import warnings
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Any

from app.domain.errors import InvalidInput
from app.engine.ports import Calendar

DAY_SECONDS = 86_400
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
FIRST_YEAR = "1990-01-01"


@lru_cache(maxsize=256)
def calendar(code: str) -> Calendar:
    """The calendar of that code: `24/7`, or one that exchange_calendars knows, such as `XNYS`.
    Raises InvalidInput("unknown_calendar")."""
    return Continuous() if code == "24/7" else Sessions(code)


class Continuous:
    """Windows of any length, aligned to multiples of it since the epoch."""

    continuous = True

    def first_open(self, at: datetime, window_seconds: int, like: datetime) -> datetime:
        window = timedelta(seconds=window_seconds)
        return EPOCH - (EPOCH - at) // window * window

    def close_of(self, open_time: datetime, window_seconds: int) -> datetime:
        return open_time + timedelta(seconds=window_seconds)

    def aligned(self, open_time: datetime, window_seconds: int) -> bool:
        return not (open_time - EPOCH) % timedelta(seconds=window_seconds)

    def missing(self, after: datetime, until: datetime, window_seconds: int, limit: int) -> list[datetime]:
        window = timedelta(seconds=window_seconds)
        count = (until - after) // window - 1
        return [after + window * (number + 1) for number in range(min(count, limit))]


class Sessions:
    """An exchange's sessions. Daily windows open on session dates, at the time of day that the feed uses; shorter ones
    count from the session's open, the last one cut at its close; none opens during a break."""

    continuous = False

    def __init__(self, code: str) -> None:
        self._code = code
        self._sessions = _sessions_of(code)

    def first_open(self, at: datetime, window_seconds: int, like: datetime) -> datetime:
        if window_seconds == DAY_SECONDS:
            opens = datetime.combine(at.astimezone(UTC).date(), like.astimezone(UTC).timetz())
            while opens < at or not self._is_session(opens.date()):
                opens = opens + timedelta(days=1)
            return opens
        day = at.astimezone(UTC).date() - timedelta(days=1)
        while True:
            session = self._next_session(day)
            for opens, _ in self._windows(session, window_seconds):
                if opens >= at:
                    return opens
            day = session + timedelta(days=1)

    def close_of(self, open_time: datetime, window_seconds: int) -> datetime:
        nominal = open_time + timedelta(seconds=window_seconds)
        if window_seconds == DAY_SECONDS:
            return nominal
        return next((close for opens, close in self._around(open_time, window_seconds) if opens == open_time), nominal)

    def aligned(self, open_time: datetime, window_seconds: int) -> bool:
        if window_seconds == DAY_SECONDS:
            return self._is_session(open_time.astimezone(UTC).date())
        return any(opens == open_time for opens, _ in self._around(open_time, window_seconds))

    def missing(self, after: datetime, until: datetime, window_seconds: int, limit: int) -> list[datetime]:
        """Daily bars are matched by date: a feed's bars may shift by an hour with daylight saving."""
        daily = window_seconds == DAY_SECONDS
        found: list[datetime] = []
        opens = after
        while len(found) < limit:
            opens = self.first_open(opens + timedelta(seconds=1), window_seconds, after)
            if opens >= until or (daily and opens.date() >= until.astimezone(UTC).date()):
                break
            found.append(opens)
        return found

    def _around(self, at: datetime, window_seconds: int) -> tuple[tuple[datetime, datetime], ...]:
        """The windows of the sessions that can contain `at`: a session may begin on the evening before its date."""
        day = at.astimezone(UTC).date()
        days = (day - timedelta(days=1), day, day + timedelta(days=1))
        return tuple(
            window for near in days if self._is_session(near) for window in self._windows(near, window_seconds)
        )

    @lru_cache(maxsize=4096)  # noqa: B019 -- calendars live as long as the process
    def _windows(self, session: date, window_seconds: int) -> tuple[tuple[datetime, datetime], ...]:
        first, last = self._moment("session_open", session), self._moment("session_close", session)
        breaks = None
        if self._sessions.session_has_break(session.isoformat()):
            breaks = self._moment("session_break_start", session), self._moment("session_break_end", session)
        window, opens, found = timedelta(seconds=window_seconds), first, []
        while opens < last:
            if breaks is None or not breaks[0] <= opens < breaks[1]:
                found.append((opens, min(opens + window, last)))
            opens += window
        return tuple(found)

    def _moment(self, name: str, session: date) -> datetime:
        moment: datetime = getattr(self._sessions, name)(session.isoformat()).to_pydatetime()
        return moment

    @lru_cache(maxsize=4096)  # noqa: B019 -- calendars live as long as the process
    def _is_session(self, day: date) -> bool:
        self._require_known(day)
        return bool(self._sessions.is_session(day.isoformat()))

    def _next_session(self, day: date) -> date:
        self._require_known(day)
        found: date = self._sessions.date_to_session(day.isoformat(), "next").date()
        return found

    def _require_known(self, day: date) -> None:
        first, last = self._sessions.first_session.date(), self._sessions.last_session.date()
        if not first <= day <= last:
            raise InvalidInput("outside_calendar", f"{day} is outside what is known of {self._code}: {first} to {last}")


def _sessions_of(code: str) -> Any:
    import exchange_calendars as known

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of exchange_calendars, about its own use of pandas
        try:
            return known.get_calendar(code, start=FIRST_YEAR)
        except known.errors.InvalidCalendarName:
            raise InvalidInput("unknown_calendar", f"{code!r} is not a calendar: 24/7, or one such as XNYS") from None
        except ValueError:  # some calendars begin later
            return known.get_calendar(code)
