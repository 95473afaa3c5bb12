"""Holes inside an exchange's sessions: found all year, and not where the exchange keeps other hours."""

from __future__ import annotations

from datetime import date

import pytest

from app.bars.gaps import missing
from tests.bars.exchanges import LONDON, NEW_YORK, SYDNEY, any_of, lost, opens, opens_all_week, series_at

HONG_KONG = ("09:30", "12:00"), ("13:00", "16:00")


def holes(times: list[int]) -> list[int]:
    """The bars missing in each gap, in order of time."""
    windows = missing(series_at(times)).windows
    return [int(count) for count in windows if count]


SUMMER_AND_WINTER = any_of(lost("2024-09-12T14:00", "2024-09-12T14:30"), lost("2024-12-11T14:00", "2024-12-11T14:30"))


@pytest.mark.parametrize(
    ("zone", "begin", "end"),
    [
        (NEW_YORK, "09:30", "16:00"),
        (LONDON, "08:00", "16:30"),
        (SYDNEY, "10:00", "16:00"),
        ("Asia/Tokyo", "12:30", "15:00"),
    ],
)
def test_the_same_half_hour_is_missed_in_summer_and_in_winter(zone: str, begin: str, end: str) -> None:
    assert holes(opens(zone, (begin, end), lost=SUMMER_AND_WINTER)) == [2, 2]


def test_a_hole_is_found_on_the_days_around_a_change_of_the_clock() -> None:
    days = any_of(
        lost("2024-11-01T15:00", "2024-11-01T15:30"),
        lost("2024-11-04T09:45", "2024-11-04T10:15"),
        lost("2024-11-05T15:15", "2024-11-05T15:45"),
    )

    assert holes(opens(NEW_YORK, ("09:30", "16:00"), lost=days)) == [2, 2, 2]


def test_a_hole_over_midnight_utc_is_inside_sydneys_session() -> None:
    summer = lost("2024-12-11T10:30", "2024-12-11T11:30")

    assert holes(opens(SYDNEY, ("10:00", "16:00"), lost=summer)) == [4]


def test_a_lunch_break_is_no_hole_and_a_hole_around_it_counts_only_what_is_missing() -> None:
    around = lost("2024-09-12T11:30", "2024-09-12T13:30")

    assert holes(opens("Asia/Hong_Kong", *HONG_KONG)) == []
    assert holes(opens("Asia/Hong_Kong", *HONG_KONG, lost=around)) == [4]
    assert holes(opens("Asia/Hong_Kong", *HONG_KONG, minutes=60, lost=around)) == [2]


def test_hours_of_one_weekday_are_no_holes() -> None:
    """Jakarta's break is longer on Fridays."""
    fridays = lambda local: local.weekday() == 4 and "11:30" <= f"{local:%H:%M}" < "14:00"  # noqa: E731

    assert holes(opens("Asia/Jakarta", ("09:00", "12:00"), ("13:30", "16:00"), lost=fridays)) == []


def test_a_change_of_the_exchanges_hours_makes_no_holes() -> None:
    """Singapore gave up its lunch break on 2011-08-01."""
    with_break = opens("Asia/Singapore", ("09:00", "12:30"), ("14:00", "17:00"), first=date(2011, 5, 2), days=90)
    without = opens("Asia/Singapore", ("09:00", "17:00"), first=date(2011, 8, 1), days=90)

    assert holes(with_break + without) == []


def test_early_closes_and_late_opens_are_no_holes() -> None:
    hours = any_of(lost("2024-11-29T13:00", "2024-12-01T00:00"), lost("2024-12-05T09:30", "2024-12-05T11:00"))

    assert holes(opens(NEW_YORK, ("09:30", "16:00"), lost=hours)) == []


def test_a_hole_from_one_session_into_the_next_is_a_gap() -> None:
    night = lost("2024-09-12T14:00", "2024-09-13T11:00")

    assert holes(opens(NEW_YORK, ("09:30", "16:00"), lost=night)) == [8 + 6]


@pytest.mark.parametrize(("opening", "closing"), [(17, 17), (18, 17)])
def test_holes_in_a_week_without_long_nights_are_found(opening: int, closing: int) -> None:
    times = opens_all_week(NEW_YORK, opening, closing, lost=SUMMER_AND_WINTER)

    assert holes(times) == [1, 1]


def test_holidays_of_futures_are_no_holes() -> None:
    """They close early on Thanksgiving, and for Christmas from one noon to the next evening."""
    holidays = any_of(lost("2024-11-28T13:00", "2024-11-28T18:00"), lost("2024-12-10T13:15", "2024-12-11T18:00"))

    assert holes(opens_all_week(NEW_YORK, 18, 17, lost=holidays)) == []
