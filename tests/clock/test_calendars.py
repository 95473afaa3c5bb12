"""Windows open when markets do."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from app.clock.calendars import calendar
from app.domain.errors import InvalidInput

HOUR = 3600
DAY = 86_400
EXCHANGE = "XNYS"


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def test_an_unknown_code_is_refused() -> None:
    with pytest.raises(InvalidInput) as refused:
        calendar("NOWHERE")

    assert refused.value.code == "unknown_calendar"


@pytest.mark.parametrize(
    ("at", "opens"),
    [
        ("2025-01-04 10:15:00", "2025-01-04 10:15:00"),
        ("2025-01-04 10:15:00.000001", "2025-01-04 10:30:00"),
        ("2025-01-04 10:29:59.999999", "2025-01-04 10:30:00"),
    ],
)
def test_round_the_clock_windows_are_aligned_to_the_epoch(at: str, opens: str) -> None:
    assert calendar("24/7").first_open(utc(at), 900, utc(at)) == utc(opens)


def test_daily_bars_step_over_days_without_a_session_and_keep_their_time_of_day() -> None:
    """Friday, then Monday; and Good Friday 2025."""
    exchange, like = calendar(EXCHANGE), utc("2025-01-03 00:00")

    after_friday = exchange.first_open(utc("2025-01-04 00:00"), DAY, like)
    after_thursday = exchange.first_open(utc("2025-04-18 14:30"), DAY, utc("2025-04-17 14:30"))

    assert after_friday == utc("2025-01-06 00:00")
    assert after_thursday == utc("2025-04-21 14:30")


def test_a_daily_bar_that_shifts_with_daylight_saving_is_no_gap() -> None:
    exchange = calendar(EXCHANGE)

    assert exchange.missing(utc("2025-03-07 14:30"), utc("2025-03-10 13:30"), DAY, 5) == []
    assert exchange.missing(utc("2025-10-31 13:30"), utc("2025-11-03 14:30"), DAY, 5) == []
    assert exchange.missing(utc("2025-03-06 14:30"), utc("2025-03-10 13:30"), DAY, 5) == [utc("2025-03-07 14:30")]


def test_hours_count_from_the_open_and_the_last_is_cut_at_the_close() -> None:
    exchange, like = calendar(EXCHANGE), utc("2025-01-03 14:30")

    assert exchange.first_open(utc("2025-01-03 14:31"), HOUR, like) == utc("2025-01-03 15:30")
    assert exchange.close_of(utc("2025-01-03 20:30"), HOUR) == utc("2025-01-03 21:00")
    assert exchange.first_open(utc("2025-01-03 21:00"), HOUR, like) == utc("2025-01-06 14:30")


def test_an_early_close_ends_the_day_early() -> None:
    """The day after Thanksgiving closes at 13:00 in New York."""
    exchange, like = calendar(EXCHANGE), utc("2024-11-29 14:30")

    assert exchange.close_of(utc("2024-11-29 17:30"), HOUR) == utc("2024-11-29 18:00")
    assert exchange.first_open(utc("2024-11-29 18:00"), HOUR, like) == utc("2024-12-02 14:30")


def test_hours_follow_daylight_saving() -> None:
    like = utc("2025-03-07 14:30")

    assert calendar(EXCHANGE).first_open(utc("2025-03-08 00:00"), HOUR, like) == utc("2025-03-10 13:30")


def test_no_window_opens_during_a_break() -> None:
    """Tokyo rests from 11:30 to 12:30."""
    exchange, opens = calendar("XTKS"), utc("2024-06-03 00:00")

    following = exchange.first_open(opens + timedelta(hours=2, minutes=1), HOUR // 2, opens)

    assert following == utc("2024-06-03 03:30")


def test_only_windows_of_the_calendar_are_aligned() -> None:
    exchange = calendar(EXCHANGE)

    assert exchange.aligned(utc("2025-01-03 14:30"), HOUR)
    assert not exchange.aligned(utc("2025-01-03 15:00"), HOUR)
    assert not exchange.aligned(utc("2025-01-04 14:30"), DAY)
    assert calendar("24/7").aligned(utc("2025-01-04 00:15"), 900)
    assert not calendar("24/7").aligned(utc("2025-01-04 00:15:01"), 900)


def test_years_that_the_calendar_does_not_know_are_refused() -> None:
    with pytest.raises(InvalidInput) as refused:
        calendar(EXCHANGE).aligned(utc("1980-01-02 14:30"), DAY)

    assert refused.value.code == "outside_calendar"


@pytest.mark.parametrize(
    ("code", "at", "session"),
    [
        ("XNYS", "2025-03-05 14:30:00", ("2025-03-05 14:30:00", "2025-03-05 21:00:00")),
        ("XNYS", "2025-03-05 20:59:59", ("2025-03-05 14:30:00", "2025-03-05 21:00:00")),
        ("XNYS", "2024-11-29 15:00:00", ("2024-11-29 14:30:00", "2024-11-29 18:00:00")),
        ("XHKG", "2025-03-05 04:30:00", ("2025-03-05 01:30:00", "2025-03-05 08:00:00")),
        ("XNYS", "2025-03-05 21:00:00", None),
        ("XNYS", "2025-03-05 14:29:59", None),
        ("24/7", "2025-03-05 14:30:00", None),
    ],
)
def test_a_session_lasts_from_its_open_to_its_close_with_its_breaks(
    code: str, at: str, session: tuple[str, str] | None
) -> None:
    expected = None if session is None else (utc(session[0]), utc(session[1]))

    assert calendar(code).session(utc(at)) == expected
