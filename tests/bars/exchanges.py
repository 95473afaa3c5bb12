"""Opens of bars as exchanges keep their hours: local times in a zone, in UTC seconds."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from app.bars.reader import bar_seconds_of
from app.bars.series import Series

WEEKDAYS = range(5)
SUNDAY_TO_THURSDAY = (6, 0, 1, 2, 3)
EVENINGS = SUNDAY_TO_THURSDAY
SUNDAY = date(2024, 9, 1)
NEW_YORK, LONDON, SYDNEY = "America/New_York", "Europe/London", "Australia/Sydney"

Lost = Callable[[datetime], bool]


def no_bar(_: datetime) -> bool:
    return False


def lost(first: str, last: str) -> Lost:
    """The bars from the local time `first` to before `last`, as in 2024-09-12T15:10."""
    begin, end = datetime.fromisoformat(first), datetime.fromisoformat(last)
    return lambda local: begin <= local < end


def any_of(*holes: Lost) -> Lost:
    return lambda local: any(hole(local) for hole in holes)


def opens(
    zone: str,
    *sessions: tuple[str, str],
    minutes: int = 15,
    first: date = date(2024, 9, 2),
    days: int = 110,
    week: Sequence[int] = WEEKDAYS,
    lost: Lost = no_bar,
) -> list[int]:
    """Bars of the local hours `sessions`, such as ("09:30", "16:00"), on the weekdays of `week`: by default from summer
    to winter, with a change of the clock in between."""
    found = []
    for day in _days(first, days, week):
        for begin, end in (tuple(map(time.fromisoformat, session)) for session in sessions):
            clock = datetime.combine(day, begin)
            start = int(clock.replace(tzinfo=ZoneInfo(zone)).timestamp())
            length = 60 * (end.hour - begin.hour) + end.minute - begin.minute
            kept = (m for m in range(0, length, minutes) if not lost(clock + timedelta(minutes=m)))
            found += [start + 60 * minute for minute in kept]
    return found


def daily_opens(
    zone: str,
    at: str = "00:00",
    *,
    first: date = date(2022, 1, 3),
    days: int = 700,
    week: Sequence[int] = WEEKDAYS,
    lost: Lost = no_bar,
) -> list[int]:
    """One bar a day, stamped at the local time `at`."""
    clocks = [datetime.combine(day, time.fromisoformat(at)) for day in _days(first, days, week)]
    return [int(clock.replace(tzinfo=ZoneInfo(zone)).timestamp()) for clock in clocks if not lost(clock)]


def opens_all_week(
    zone: str, opening: int, closing: int, *, minutes: int = 30, days: int = 110, lost: Lost = no_bar
) -> list[int]:
    """Futures and currencies: from Sunday `opening` o'clock, local time, to Friday `closing` o'clock, with a pause from
    `closing` to `opening` on the days between."""
    evenings = opens(
        zone, (f"{opening}:00", "23:59"), minutes=minutes, first=SUNDAY, days=days, week=EVENINGS, lost=lost
    )
    mornings = opens(zone, ("00:00", f"{closing}:00"), minutes=minutes, first=SUNDAY, days=days, lost=lost)
    return sorted(evenings + mornings)


def series_at(open_times: Iterable[int]) -> Series:
    """Flat bars at 100 that open at the given seconds."""
    times = np.array(list(open_times), dtype=np.int64)
    flat = np.full(len(times), 100.0)
    return Series(
        instrument="FLAT", bar_seconds=bar_seconds_of(times), open_time=times, open=flat, high=flat, low=flat,
        close=flat, volume=flat, notional=100.0 * flat, trades=flat, synthetic=np.zeros(len(times), dtype=np.bool_),
    )  # fmt: skip


def write_series(path: Path, series: Series) -> None:
    names = ("open", "high", "low", "close", "volume", "notional")
    columns: dict[str, Any] = {"timestamp": pa.array(series.open_time, pa.timestamp("s", tz="UTC"))}
    pq.write_table(pa.table(columns | {name: getattr(series, name) for name in names}), path)


def _days(first: date, days: int, week: Sequence[int]) -> list[date]:
    every = [first + timedelta(days=number) for number in range(days)]
    return [day for day in every if day.weekday() in week]
