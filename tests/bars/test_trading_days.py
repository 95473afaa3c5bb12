"""The exchange's local date of each bar, however a source stamps its bars."""

from __future__ import annotations

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from app.bars.exchange_clock import wall_seconds
from app.bars.trading_days import trading_days
from tests.bars.exchanges import (
    LONDON,
    NEW_YORK,
    SUNDAY_TO_THURSDAY,
    SYDNEY,
    WEEKDAYS,
    daily_opens,
    opens,
    opens_all_week,
    series_at,
)

ZONES = [
    "Europe/Berlin", "Asia/Tokyo", "Asia/Kolkata", "Asia/Kathmandu", SYDNEY, "Pacific/Auckland", "Pacific/Chatham",
    "UTC", NEW_YORK, "America/Los_Angeles", "Pacific/Honolulu", "America/Sao_Paulo",
]  # fmt: skip
MONDAY = date(2022, 1, 3)


def dates_of(open_times: list[int]) -> list[date]:
    days = trading_days(series_at(open_times)).date
    return [datetime.fromtimestamp(day * 86_400, UTC).date() for day in days.tolist()]


def local_dates(zone: str, open_times: list[int]) -> list[date]:
    return [datetime.fromtimestamp(seconds, ZoneInfo(zone)).date() for seconds in open_times]


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("days", [5, 40, 700])
def test_a_daily_bar_at_local_midnight_has_the_local_date(zone: str, days: int) -> None:
    stamps = daily_opens(zone, days=days)

    assert dates_of(stamps) == local_dates(zone, stamps)


@pytest.mark.parametrize(
    ("zone", "at"), [("Asia/Tokyo", "09:00"), (SYDNEY, "10:00"), ("Pacific/Auckland", "10:00"), (NEW_YORK, "09:30")]
)
def test_a_daily_bar_at_the_sessions_open_has_the_local_date(zone: str, at: str) -> None:
    stamps = daily_opens(zone, at)

    assert dates_of(stamps) == local_dates(zone, stamps)


def test_a_week_from_sunday_to_thursday_keeps_its_dates() -> None:
    for at in ("00:00", "10:00"):
        stamps = daily_opens("Asia/Riyadh", at, week=SUNDAY_TO_THURSDAY)

        assert dates_of(stamps) == local_dates("Asia/Riyadh", stamps)


@pytest.mark.parametrize("zone", [NEW_YORK, "Asia/Tokyo", "Europe/Berlin"])
@pytest.mark.parametrize("later", ["00:00", "09:30"])
def test_a_source_may_change_how_it_stamps_daily_bars(zone: str, later: str) -> None:
    """Local midnight at first, then midnight UTC of the date or the session's open."""
    first, then = daily_opens(zone), daily_opens("UTC" if later == "00:00" else zone, later)
    stamps = first[:300] + then[300:]

    assert dates_of(stamps) == local_dates(zone, first)


def test_the_newest_daily_bar_may_have_the_time_of_its_last_trade() -> None:
    stamps = daily_opens("Europe/Berlin")
    stamps[-1] += 17 * 3600 + 35 * 60

    assert dates_of(stamps) == local_dates("Europe/Berlin", stamps)


@pytest.mark.parametrize("days", [9, 110])
@pytest.mark.parametrize(
    ("zone", "sessions"),
    [
        (SYDNEY, [("10:00", "16:00")]),
        ("Pacific/Auckland", [("10:00", "16:45")]),
        ("Asia/Hong_Kong", [("09:30", "12:00"), ("13:00", "16:00")]),
        (NEW_YORK, [("04:00", "20:00")]),
        (LONDON, [("08:00", "16:30")]),
    ],
)
def test_a_session_has_one_date_though_midnight_utc_lies_in_it(
    zone: str, sessions: list[tuple[str, str]], days: int
) -> None:
    times = opens(zone, *sessions, days=days)

    assert dates_of(times) == local_dates(zone, times)


@pytest.mark.parametrize(("opening", "closing"), [(17, 17), (18, 17)])
def test_sunday_evening_belongs_to_monday_where_the_week_opens_then(opening: int, closing: int) -> None:
    times = opens_all_week(NEW_YORK, opening, closing, minutes=60)

    days = trading_days(series_at(times))
    assert dates_of(times)[0] == date(2024, 9, 2)
    assert days.usual.tolist() == [True] * 5 + [False] * 2
    assert days.missing_between().sum() == 0


def test_trading_days_that_are_missing_between_two_bars_are_counted() -> None:
    stamps = daily_opens("Asia/Tokyo", days=30)
    kept = [*stamps[:5], *stamps[7:12], *stamps[17:]]

    between = trading_days(series_at(kept)).missing_between()

    assert between[between > 0].tolist() == [2, 5]


def test_sunday_is_a_trading_day_of_daily_bars_that_have_sundays_evening_apart() -> None:
    days = trading_days(series_at(daily_opens("UTC", week=(*WEEKDAYS, 6))))

    assert days.usual.tolist() == [True] * 5 + [False, True]


@pytest.mark.parametrize("zone", [NEW_YORK, LONDON, SYDNEY, "Asia/Tokyo"])
def test_the_clock_of_the_exchange_shows_the_same_times_all_year(zone: str) -> None:
    times = opens(zone, ("10:00", "15:00"), minutes=30)

    wall = wall_seconds(series_at(times).open_time)

    assert len(set((wall % 86_400).tolist())) == 10
