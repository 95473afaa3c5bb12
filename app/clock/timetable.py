"""When an exchange trades, read from the package exchange_calendars, which is imported when an exchange is first named.

The package knows early closes, breaks and daylight saving, and no auctions. It computes holidays far ahead, but for
some exchanges only as far as they are published.
"""

from __future__ import annotations

import threading
import warnings
from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.domain.durations import DAY_SECONDS
from app.domain.errors import InvalidInput

Seconds = NDArray[np.int64]

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
EPOCH_DAY = EPOCH.toordinal()
FIRST_DAY, LAST_DAY = "1990-01-01", "2049-12-31"
"""What is asked of the package, where the exchange's calendar goes so far. More years cost hardly more."""
REPEATED_DAYS, REPEATED_TIMES = 364, 3
NANOSECONDS = 1_000_000_000
_LOADING = threading.Lock()
"""The package fills a cache of its own and `warnings` is one for the process: calendars load one at a time."""
_UNUSABLE: set[str] = set()
"""Codes of the package that failed to load: whoever asks for them again must not cost that time again."""


@dataclass(frozen=True, slots=True)
class Timetable:
    """The sessions of an exchange, and the parts between their breaks, oldest first, all in whole seconds since the
    epoch: `opens` and `closes`, `midnights` where their local dates begin, `dates` for UTC midnight of those dates.

    The first `known` sessions are the exchange's own. After them the last 52 weeks are repeated, so that an order under
    way finds its next window; new orders and bars are refused there.
    """

    code: str
    zone: tzinfo
    known: int
    dates: array[int]
    midnights: array[int]
    opens: array[int]
    closes: array[int]
    part_opens: array[int]
    part_closes: array[int]

    def require_known(self, at: datetime) -> None:
        """Raises InvalidInput("outside_calendar")."""
        last = self.known - 1
        if not self.opens[0] - DAY_SECONDS <= seconds_of(at) < self.closes[last]:
            first_day, last_day = (time_of(self.dates[index]).date() for index in (0, last))
            raise InvalidInput(
                "outside_calendar",
                f"{at.isoformat()} is outside what is known of {self.code}: sessions from {first_day} to {last_day}",
            )


def timetable(code: str) -> Timetable:
    """Takes up to some seconds, most of them for the import of pandas. Raises InvalidInput("unknown_calendar")."""
    with _LOADING:
        loaded = _loaded(code)
    columns = (loaded.sessions_nanos, loaded.opens_nanos, loaded.closes_nanos)
    breaks = (loaded.break_starts_nanos, loaded.break_ends_nanos)
    known = len(loaded.sessions_nanos)
    dates, opens, closes, starts, ends = _repeated([column // NANOSECONDS for column in (*columns, *breaks)])
    broken = (opens < starts) & (starts < ends) & (ends < closes)  # without a break, both are long before the open
    midnights = array("q", (_local_midnight(day, loaded.tz) for day in dates.tolist()))
    part_opens, part_closes = np.append(opens, ends[broken]), np.append(closes, starts[broken])
    times = (_array(each) for each in (opens, closes, np.sort(part_opens), np.sort(part_closes)))
    return Timetable(code, loaded.tz, known, _array(dates), midnights, *times)


def seconds_of(at: datetime) -> int:
    """Whole seconds since the epoch, rounded down."""
    since = at - EPOCH
    return since.days * DAY_SECONDS + since.seconds


def rounded_up(at: datetime) -> int:
    """Whole seconds since the epoch, rounded up."""
    return seconds_of(at) + (at.microsecond > 0)


def day_of(at: datetime) -> int:
    """The date of `at`, in days since the epoch."""
    return at.toordinal() - EPOCH_DAY


def time_of(seconds: int) -> datetime:
    return EPOCH + timedelta(0, seconds)


def time_at(times: array[int], index: int, offset: int = 0) -> datetime:
    """Raises InvalidInput("outside_calendar") behind the last of `times`."""
    if index >= len(times):
        raise InvalidInput("outside_calendar", f"no session is known as far ahead as {time_of(times[-1]).date()}")
    return time_of(times[index] + offset)


def _repeated(columns: Sequence[Seconds]) -> list[Seconds]:
    """Times of each session, with those of the last 52 weeks behind them again and again."""
    last_weeks = columns[0] > columns[0][-1] - REPEATED_DAYS * DAY_SECONDS
    later = [REPEATED_DAYS * DAY_SECONDS * count for count in range(1, REPEATED_TIMES + 1)]
    return [np.concatenate([column, *(column[last_weeks] + seconds for seconds in later)]) for column in columns]


def _array(times: Seconds) -> array[int]:
    """What bisects fastest."""
    return array("q", times.tolist())


def _local_midnight(utc_midnight: int, zone: tzinfo) -> int:
    return seconds_of(datetime.combine(date.fromordinal(EPOCH_DAY + utc_midnight // DAY_SECONDS), time(), zone))


def _loaded(code: str) -> Any:
    import exchange_calendars as known

    if code in _UNUSABLE:
        raise _unusable(code)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of exchange_calendars, about its own use of pandas
        try:
            return known.get_calendar(code, start=FIRST_DAY, end=LAST_DAY)
        except known.errors.InvalidCalendarName:
            detail = f"{code!r} is not a calendar: 24/7, or one such as XNYS"
            raise InvalidInput("unknown_calendar", detail, "#/calendar") from None
        except ValueError:  # some calendars begin later or end earlier
            return _within_bounds(known, code)
        except NotImplementedError as error:  # of pandas, about holidays that its version cannot compute
            raise _unusable(code) from error


def _within_bounds(known: Any, code: str) -> Any:
    try:
        default = known.get_calendar(code)
        first, last = default.bound_min(), default.bound_max()
        start = FIRST_DAY if first is None else max(FIRST_DAY, str(first.date()))
        end = LAST_DAY if last is None else min(LAST_DAY, str(last.date()))
        return known.get_calendar(code, start=start, end=end)
    except (ValueError, NotImplementedError) as error:
        raise _unusable(code) from error


def _unusable(code: str) -> InvalidInput:
    _UNUSABLE.add(code)
    detail = f"the sessions of {code} cannot be computed; name another calendar"
    return InvalidInput("unknown_calendar", detail, "#/calendar")
