"""A daily bar means the exchange's local date, however the feed stamps it."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from app.clock.calendars import calendar
from tests.clock.weeks import WEEKS, Week

DAY = 86_400
KINDS = ["local midnight", "UTC midnight", "session open"]
LONG_WEEKS = [week for week in WEEKS if week.days == 12]
"""In which the clocks change."""


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def stamps(week: Week, kind: str) -> list[datetime]:
    """One bar for each session of the week, as a feed of that kind stamps them."""
    made = []
    for day, parts in week.sessions().items():
        zones = {"local midnight": ZoneInfo(week.zone), "UTC midnight": UTC}
        opens = parts[0][0] if kind == "session open" else datetime.combine(day, time(), zones[kind])
        made.append(opens.astimezone(UTC))
    return made


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("week", WEEKS, ids=lambda week: f"{week.code}-{week.monday}")
def test_the_three_stamps_of_a_session_follow_one_another_without_gaps(week: Week, kind: str) -> None:
    known, made = calendar(week.code), stamps(week, kind)

    assert all(known.aligned(stamp, DAY) for stamp in made)
    for earlier, later in pairwise(made):
        assert known.missing(earlier, later, DAY, 9) == []
        assert known.close_of(earlier, DAY, earlier) <= later
    assert known.missing(made[0], made[-1], DAY, 99) == made[1:-1] or kind in ambiguous(week, kind)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("week", LONG_WEEKS, ids=lambda week: f"{week.code}-{week.monday}")
def test_the_next_windows_are_stamped_as_the_feed_stamps(week: Week, kind: str) -> None:
    """Where a stamp has two meanings, the window is foreseen an hour early at most, and is over with its bar."""
    known, made = calendar(week.code), stamps(week, kind)

    foreseen = [known.first_open(known.close_of(earlier, DAY, earlier), DAY, earlier) for earlier in made[:-1]]

    early = [later - opens for opens, later in zip(foreseen, made[1:], strict=True)]
    assert set(early) <= {timedelta(0), timedelta(hours=1)}
    assert not any(early) or ambiguous(week, kind)
    assert sum(1 for each in early if each) <= 1


def ambiguous(week: Week, kind: str) -> list[str]:
    """In winter Sydney opens at UTC midnight, and London's midnight is UTC's: one stamp cannot tell which is meant."""
    return ["UTC midnight"] if week.code in {"XASX", "XLON"} and kind == "UTC midnight" else []


@pytest.mark.parametrize(
    ("code", "stamp"),
    [
        ("XTKS", "2025-03-07 15:00"),  # Saturday's midnight in Tokyo
        ("XTKS", "2025-03-08 00:00"),
        ("XASX", "2025-03-08 13:00"),
        ("XNYS", "2025-03-08 05:00"),
        ("XNYS", "2025-03-08 00:00"),
        ("XNYS", "2025-04-18 13:30"),  # Good Friday
        ("CMES", "2025-03-08 00:00"),
        ("XHKG", "2024-12-25 16:00"),  # Boxing Day's midnight in Hong Kong
    ],
)
def test_a_day_without_a_session_has_no_bar(code: str, stamp: str) -> None:
    assert not calendar(code).aligned(utc(stamp), DAY)


def test_a_friday_midnight_east_of_greenwich_is_followed_by_monday() -> None:
    friday, monday = utc("2025-03-06 15:00"), utc("2025-03-09 15:00")

    assert calendar("XTKS").first_open(friday + timedelta(days=1), DAY, friday) == monday
    assert calendar("XTKS").missing(friday, monday, DAY, 9) == []


def test_whole_missing_sessions_are_missing_whatever_the_stamps() -> None:
    known = calendar("XASX")

    assert known.missing(utc("2025-03-31 13:00"), utc("2025-04-07 14:00"), DAY, 9) == [
        utc("2025-04-01 13:00"), utc("2025-04-02 13:00"), utc("2025-04-03 13:00"), utc("2025-04-06 14:00"),
    ]  # fmt: skip


def test_a_feed_that_changes_its_stamps_goes_on_with_the_next_session() -> None:
    known = calendar("XTKS")

    assert known.missing(utc("2025-03-06 15:00"), utc("2025-03-10 00:00"), DAY, 9) == []
    assert known.missing(utc("2025-03-05 15:00"), utc("2025-03-10 00:00"), DAY, 9) == [utc("2025-03-06 15:00")]


@pytest.mark.parametrize("zone", ["UTC", "America/New_York"])
def test_another_time_of_day_is_kept_over_a_change_of_the_clocks(zone: str) -> None:
    """A feed at 14:45 UTC, and one at 09:45 in New York: the window is over once its bar has closed."""
    known = calendar("XNYS")
    days = [date(2025, 3, 7), date(2025, 3, 10), date(2025, 3, 11), date(2025, 10, 31), date(2025, 11, 3)]
    clock = time(14, 45) if zone == "UTC" else time(9, 45)
    made = [datetime.combine(day, clock, ZoneInfo(zone)).astimezone(UTC) for day in days]

    for earlier, later in [*pairwise(made[:3]), *pairwise(made[3:])]:
        opens = known.first_open(known.close_of(earlier, DAY, earlier), DAY, earlier)
        assert later - timedelta(hours=1) <= opens <= later
        assert known.missing(earlier, later, DAY, 9) == []
