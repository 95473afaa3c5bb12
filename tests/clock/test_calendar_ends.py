"""What a calendar does not know is refused at the door, and stops nothing that is under way."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

import exchange_calendars
import pytest

from app.clock.calendars import calendar
from app.domain.errors import InvalidInput

DAY = 86_400


@pytest.fixture
def attempts() -> Iterator[list[object]]:
    """To load BROKEN, whose holidays cannot be computed, as happens with some versions of pandas."""
    made: list[object] = []

    def factory(**bounds: object) -> None:
        made.append(bounds)
        raise NotImplementedError

    exchange_calendars.register_calendar_type("BROKEN", factory)
    yield made
    exchange_calendars.deregister_calendar("BROKEN")


def test_an_exchange_whose_sessions_cannot_be_computed_is_refused_and_not_tried_again(attempts: list[object]) -> None:
    for _ in range(2):
        with pytest.raises(InvalidInput) as refused:
            calendar("BROKEN")

        assert refused.value.code == "unknown_calendar"
        assert "BROKEN" in refused.value.detail
    assert len(attempts) == 1


def test_holidays_are_known_for_decades_where_they_follow_a_rule() -> None:
    """Good Friday of 2045."""
    known = calendar("XNYS")

    assert known.aligned(datetime(2045, 4, 6, tzinfo=UTC), DAY)
    assert not known.aligned(datetime(2045, 4, 7, tzinfo=UTC), DAY)


@pytest.mark.parametrize("code", ["XNYS", "XSHG", "XTKS"])
@pytest.mark.parametrize("seconds", [3_600, DAY])
def test_a_time_beyond_the_last_session_is_refused_with_its_date(code: str, seconds: int) -> None:
    known = calendar(code)

    with pytest.raises(InvalidInput) as refused:
        known.aligned(datetime(2060, 3, 1, 1, 30, tzinfo=UTC), seconds)

    assert refused.value.code == "outside_calendar"
    last = datetime.fromisoformat(refused.value.detail[-10:]).replace(tzinfo=UTC)
    assert known.aligned(last, DAY)
    with pytest.raises(InvalidInput):
        known.aligned(last + timedelta(days=1), DAY)


@pytest.mark.parametrize("like", [None, datetime(2049, 12, 30, tzinfo=UTC)])
def test_an_order_under_way_finds_windows_beyond_the_last_session(like: datetime | None) -> None:
    """They are those of 52 weeks before: Christmas 2049 is no session, nor is the same day of 2050."""
    known, opens = calendar("XNYS"), datetime(2049, 12, 30, tzinfo=UTC)
    days: list[date] = []
    while len(days) < 300:
        opens = known.first_open(opens, DAY, like)
        days.append(opens.date())
        opens = known.close_of(opens, DAY, like)

    repeated = [day for day in days if day.year == 2050]
    assert days == sorted(set(days))
    assert all(
        known.aligned(datetime(day.year, day.month, day.day, tzinfo=UTC) - timedelta(days=364), DAY) for day in repeated
    )
    assert {day.weekday() for day in repeated} == set(range(5))
    assert known.missing(datetime(2049, 12, 31, tzinfo=UTC), datetime(2050, 1, 5, tzinfo=UTC), DAY, 9)


def test_windows_end_where_nothing_is_left_to_repeat() -> None:
    for like in (None, datetime(2049, 12, 30, tzinfo=UTC)):
        with pytest.raises(InvalidInput) as refused:
            calendar("XNYS").first_open(datetime(2060, 1, 1, tzinfo=UTC), DAY, like)

        assert refused.value.code == "outside_calendar"
