"""What trades round the clock and what has weekends, wherever it trades."""

from __future__ import annotations

from datetime import date

import pytest

from app.bars.gaps import round_the_clock
from tests.bars.exchanges import (
    NEW_YORK,
    SUNDAY_TO_THURSDAY,
    SYDNEY,
    WEEKDAYS,
    daily_opens,
    opens,
    opens_all_week,
    series_at,
)

EAST_AND_WEST = ["Asia/Tokyo", "Asia/Kolkata", "Pacific/Auckland", "Europe/Berlin", NEW_YORK, "Pacific/Honolulu"]
EVERY_DAY = range(7)


@pytest.mark.parametrize("zone", EAST_AND_WEST)
@pytest.mark.parametrize("days", [5, 12, 30, 700])
def test_daily_bars_at_local_midnight_are_sessions(zone: str, days: int) -> None:
    assert not round_the_clock(series_at(daily_opens(zone, days=days)))


@pytest.mark.parametrize("zone", EAST_AND_WEST)
@pytest.mark.parametrize("days", [12, 700])
def test_seven_daily_bars_a_week_are_round_the_clock(zone: str, days: int) -> None:
    assert round_the_clock(series_at(daily_opens(zone, days=days, week=EVERY_DAY)))


@pytest.mark.parametrize("days", [5, 9, 110])
def test_a_monday_that_opens_on_sunday_in_utc_is_a_session(days: int) -> None:
    for zone in (SYDNEY, "Pacific/Auckland"):
        assert not round_the_clock(series_at(opens(zone, ("10:00", "16:00"), days=days)))


@pytest.mark.parametrize("minutes", [5, 60, 240])
@pytest.mark.parametrize(("opening", "closing"), [(17, 17), (18, 17)])
def test_futures_and_currencies_rest_on_weekends(opening: int, closing: int, minutes: int) -> None:
    times = opens_all_week(NEW_YORK, opening, closing, minutes=minutes, days=40)

    assert not round_the_clock(series_at(times))


def test_a_daily_bar_for_sundays_evening_makes_no_week_of_seven_days() -> None:
    assert not round_the_clock(series_at(daily_opens("UTC", week=(*WEEKDAYS, 6))))


@pytest.mark.parametrize("days", [12, 110])
def test_a_week_from_sunday_to_thursday_rests_on_fridays(days: int) -> None:
    times = opens("Asia/Riyadh", ("10:00", "15:00"), days=days, week=SUNDAY_TO_THURSDAY)

    assert not round_the_clock(series_at(times))


def test_a_few_special_sessions_on_saturdays_leave_the_weekends() -> None:
    special = daily_opens("Asia/Kolkata", first=date(2022, 1, 15), days=1, week=[5])

    assert not round_the_clock(series_at(sorted(daily_opens("Asia/Kolkata", days=40) + special)))


def test_trading_after_hours_on_friday_leaves_the_weekend() -> None:
    """In winter New York's last bar opens on Saturday in UTC."""
    times = opens(NEW_YORK, ("04:00", "20:00"), first=date(2024, 1, 4), days=5)

    assert not round_the_clock(series_at(times))


def test_an_outage_on_the_only_weekend_makes_no_sessions() -> None:
    """33 hours from Saturday 01:30 on, as of 2018-02-08 at one exchange."""
    friday = daily_opens("UTC", first=date(2022, 1, 7), days=1)[0]
    quarters = [friday + 900 * number for number in range(4 * 96)]
    begin = friday + 86_400 + 5_400

    assert round_the_clock(series_at(time for time in quarters if not begin <= time < begin + 33 * 3600))


def test_a_hole_of_months_is_one_weekend_without_bars() -> None:
    hours = [hour * 3600 for hour in range(24 * 14)]

    assert round_the_clock(series_at([*hours, *(hour + 200 * 86_400 for hour in hours)]))


def test_months_are_sessions_and_bars_of_three_days_are_round_the_clock() -> None:
    months = daily_opens("UTC", first=date(2015, 1, 1), days=1800, week=EVERY_DAY, lost=lambda local: local.day > 1)

    assert not round_the_clock(series_at(months))
    assert round_the_clock(series_at(range(0, 300 * 86_400, 3 * 86_400)))
