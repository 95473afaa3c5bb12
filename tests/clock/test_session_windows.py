"""Windows of any length tile every part of a session, and nothing else."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.clock.calendars import calendar
from tests.clock.weeks import WEEKS, Week

CODES = [*sorted({week.code for week in WEEKS}), "24/7"]
DAY = 86_400
LENGTHS = [60, 420, 1_800, 3_600, 5_400, 7_200, 43_200]
Span = tuple[datetime, datetime]


def laid_out(week: Week, seconds: int) -> list[Span]:
    """The plain twin: windows one after another from the open of each part."""
    made = []
    for parts in week.sessions().values():
        for opens, closes in parts:
            while opens < closes:
                made.append((opens, min(opens + timedelta(seconds=seconds), closes)))
                opens += timedelta(seconds=seconds)  # noqa: PLW2901 -- the window after that one
    return made


def windows(code: str, start: datetime, until: datetime, seconds: int, like: datetime | None = None) -> list[Span]:
    """As the engine walks them: each is the first that opens once the one before has closed."""
    known, made = calendar(code), []
    while (opens := known.first_open(start, seconds, like)) < until:
        start = known.close_of(opens, seconds, like)
        made.append((opens, start))
    return made


@pytest.mark.parametrize("seconds", LENGTHS)
@pytest.mark.parametrize("week", WEEKS, ids=lambda week: f"{week.code}-{week.monday}")
def test_windows_tile_each_part_of_a_session_and_reach_into_no_break(week: Week, seconds: int) -> None:
    expected = laid_out(week, seconds)

    assert windows(week.code, week.start, expected[-1][1], seconds) == expected
    assert all(calendar(week.code).aligned(opens, seconds) for opens, _ in expected)


@pytest.mark.parametrize("week", WEEKS, ids=lambda week: f"{week.code}-{week.monday}")
def test_a_step_of_a_day_over_shorter_bars_is_a_session_with_its_breaks(week: Week) -> None:
    sessions = [(parts[0][0], parts[-1][1]) for parts in week.sessions().values()]

    assert windows(week.code, week.start, sessions[-1][1], DAY) == sessions


def test_hong_kong_counts_hours_anew_after_its_lunch_break() -> None:
    start = datetime(2025, 3, 4, tzinfo=UTC)

    made = windows("XHKG", start, start + timedelta(days=1), 3_600)

    assert [f"{opens:%H:%M}-{closes:%H:%M}" for opens, closes in made] == [
        "01:30-02:30", "02:30-03:30", "03:30-04:00", "05:00-06:00", "06:00-07:00", "07:00-08:00",
    ]  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(
    code=st.sampled_from(CODES),
    seconds=st.sampled_from([1, *LENGTHS]),
    after=st.datetimes(datetime(2015, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001 -- see UTC
    windows_between=st.integers(0, 60),
    limit=st.integers(0, 50),
)
def test_what_is_missing_is_what_opens_in_between(
    code: str, seconds: int, after: datetime, windows_between: int, limit: int
) -> None:
    known = calendar(code)
    first = opens = known.first_open(after, seconds, None)
    between = []
    for _ in range(windows_between):
        opens = known.first_open(opens + timedelta(seconds=1), seconds, None)
        between.append(opens)
    until = known.first_open(opens + timedelta(seconds=1), seconds, None)

    assert known.missing(first, until, seconds, limit) == between[:limit]
    assert known.missing(first, until, seconds, 1_000) == between


@settings(max_examples=60, deadline=None)
@given(
    code=st.sampled_from(CODES),
    seconds=st.sampled_from([1, *LENGTHS]),
    at=st.datetimes(datetime(2015, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001 -- see UTC
)
def test_a_window_that_opens_is_aligned_and_closes_before_the_next_opens(code: str, seconds: int, at: datetime) -> None:
    known = calendar(code)

    opens = known.first_open(at, seconds, None)
    closes = known.close_of(opens, seconds)

    assert opens >= at
    assert known.aligned(opens, seconds)
    assert opens < closes <= known.first_open(opens + timedelta(microseconds=1), seconds, None)
    assert known.first_open(opens, seconds, None) == opens


def test_a_gap_of_years_costs_what_its_limit_does() -> None:
    """Windows of a second: thirty years of them would be a hundred million."""
    known, opens = calendar("XNYS"), datetime(1995, 1, 3, 14, 30, tzinfo=UTC)

    found = known.missing(opens, datetime(2025, 1, 3, 14, 30, tzinfo=UTC), 1, 30_000)

    assert len(found) == 30_000
    assert found[23_399] == datetime(1995, 1, 4, 14, 30, tzinfo=UTC)


def test_a_window_holds_at_most_the_bars_of_a_session() -> None:
    assert calendar("XNYS").bars_in(DAY, 300) == 78
    assert calendar("XNYS").bars_in(5_400, 300) == 18
    assert calendar("24/7").bars_in(DAY, 300) == 288


def test_a_session_is_the_local_date_of_its_close() -> None:
    """Monday's session of futures opens on Sunday."""
    week = next(week for week in WEEKS if week.code == "CMES")

    assert next(iter(week.sessions())) == date(2025, 3, 3)
    assert calendar("CMES").first_open(week.start, 3_600, None) == datetime(2025, 3, 2, 23, tzinfo=UTC)
