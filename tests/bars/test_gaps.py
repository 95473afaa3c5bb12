"""Missing bars: filled, cut at, or no gap at all."""

from __future__ import annotations

import numpy as np
import pytest

from app.bars.gaps import GAP_WINDOWS_MAX, missing, segments
from app.domain.errors import InvalidInput
from tests.bars.exchanges import NEW_YORK, daily_opens, lost, opens, opens_all_week, series_at
from tests.builders import a_bar, bars
from tests.market import series_of

WEEK = 7 * 96


def test_a_series_with_weekends_is_filled_and_the_filling_is_marked() -> None:
    made = bars(WEEK)

    (whole,) = segments(series_of([*made[:100], *made[103:]]))

    assert len(whole) == WEEK
    assert whole.synthetic.nonzero()[0].tolist() == [100, 101, 102]


def test_the_longest_gap_that_is_filled_is_filled_whole() -> None:
    made = bars(2 * WEEK)

    (whole,) = segments(series_of([*made[:100], *made[100 + GAP_WINDOWS_MAX :]]))

    assert whole.synthetic.sum() == GAP_WINDOWS_MAX


def test_one_more_missing_bar_starts_the_history_anew() -> None:
    made = bars(2 * WEEK)
    first_after = 100 + GAP_WINDOWS_MAX + 1

    parts = segments(series_of([*made[:100], *made[first_after:]]))

    assert [len(part) for part in parts] == [100, 2 * WEEK - first_after]
    assert not any(part.synthetic.any() for part in parts)


def test_nights_and_weekends_of_an_exchange_are_no_gaps() -> None:
    sessions = [a_bar(96 * day + 56 + step) for day in (0, 1, 2, 3, 4, 7, 8) for step in range(28)]

    (whole,) = segments(series_of(sessions))

    assert len(whole) == len(sessions)
    assert not whole.synthetic.any()


def test_a_bar_off_the_grid_is_refused() -> None:
    made = bars(WEEK)
    series = series_of(made)
    series.open_time[50] += 60

    with pytest.raises(InvalidInput, match="off the grid"):
        segments(series)


def test_a_few_hours_of_a_weekday_count_as_round_the_clock() -> None:
    made = [a_bar(step, bar_seconds=60) for step in range(1100)]
    kept = [*made[:700], *made[700 + GAP_WINDOWS_MAX + 1 :]]

    assert [len(part) for part in segments(series_of(kept))] == [700, 400 - GAP_WINDOWS_MAX - 1]


def test_weekdays_without_a_night_are_round_the_clock() -> None:
    made = bars(3 * 96)

    (whole,) = segments(series_of([*made[:100], *made[103:]]))

    assert whole.synthetic.sum() == 3


@pytest.mark.parametrize("days", [2, 5])
def test_weekdays_with_nights_are_sessions_where_no_weekend_shows(days: int) -> None:
    sessions = [a_bar(96 * day + 56 + step) for day in range(days) for step in range(28)]

    (whole,) = segments(series_of(sessions))

    assert len(whole) == len(sessions)


def test_a_holiday_within_a_week_of_daily_bars_is_no_gap() -> None:
    days = [a_bar(day, bar_seconds=86_400) for day in (0, 1, 3, 4)]

    (whole,) = segments(series_of(days))

    assert len(whole) == 4


def test_no_exchange_is_closed_for_three_months() -> None:
    stamps = daily_opens("UTC", lost=lost("2022-09-01", "2022-12-01"))
    series = series_at(stamps)

    found = missing(series)

    assert found.windows[found.new_history].tolist() == [65]
    assert [len(part) for part in segments(series)] == [173, 262]


def test_two_lost_weeks_of_sessions_begin_a_new_history() -> None:
    times = opens(NEW_YORK, ("09:30", "16:00"), lost=lost("2024-09-09", "2024-09-21"))

    assert [len(part) // 26 for part in segments(series_at(times))] == [5, 65]


@pytest.mark.parametrize(
    ("zone", "holiday"),
    [
        ("Asia/Taipei", ("2023-01-18", "2023-01-30")),
        ("Asia/Shanghai", ("2023-09-29", "2023-10-09")),
        (NEW_YORK, ("2023-09-11", "2023-09-17")),
    ],
)
def test_the_longest_holidays_are_no_gaps(zone: str, holiday: tuple[str, str]) -> None:
    series = series_at(daily_opens(zone, lost=lost(*holiday)))

    assert not missing(series).windows.any()
    assert len(segments(series)) == 1


def test_daily_bars_round_the_clock_are_consecutive_over_a_change_of_the_clock() -> None:
    stamps = daily_opens("Europe/Berlin", week=range(7))

    (whole,) = segments(series_at([*stamps[:100], *stamps[102:]]))

    assert len(whole) == 700
    assert whole.synthetic.nonzero()[0].tolist() == [100, 101]
    assert (np.diff(whole.open_time) > 0).all()


def test_a_date_with_two_daily_bars_round_the_clock_is_refused() -> None:
    stamps = daily_opens("UTC", week=range(7), days=30)

    with pytest.raises(InvalidInput, match="the bar of 2022-01-12 03:00:00 UTC is off the grid"):
        segments(series_at([*stamps[:10], stamps[9] + 3 * 3600, *stamps[10:]]))


def test_a_hole_in_a_session_as_long_as_a_gap_may_be_begins_a_new_history() -> None:
    short, long = (
        segments(series_at(opens_all_week(NEW_YORK, 17, 17, minutes=1, days=14, lost=lost("2024-09-04T02:00", end))))
        for end in ("2024-09-04T06:48", "2024-09-04T06:49")
    )

    assert (len(short), len(long)) == (1, 2)
    assert not short[0].synthetic.any()


def test_weeks_are_consecutive_and_a_lost_month_of_them_is_a_gap() -> None:
    weeks = daily_opens("Europe/Berlin", week=[0])

    assert not missing(series_at(weeks)).windows.any()
    assert missing(series_at([*weeks[:30], *weeks[34:]])).windows.sum() == 4
