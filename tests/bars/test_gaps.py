"""Missing bars: filled, cut at, or no gap at all."""

from __future__ import annotations

import pytest

from app.bars.gaps import GAP_WINDOWS_MAX, segments
from app.domain.errors import InvalidInput
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
