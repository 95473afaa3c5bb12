"""The course of a day is read from the same time on earlier days, along the bars."""

from __future__ import annotations

import pytest
import torch

from app.decision.market import COLUMNS
from models.network.clean_bars import CleanBars, clean_bars
from models.network.profiles import DAYS_MAX, earlier_days

BAR_SECONDS, RECURRENCE = 3_600.0, 3


def bars_at(hours: list[int], missing: tuple[int, ...] = ()) -> CleanBars:
    """Bars that open at these hours of their days, one after the other; the `missing` positions do not exist."""
    raw = torch.ones(1, len(hours), len(COLUMNS))
    raw[0, :, COLUMNS.index("second_of_day")] = torch.tensor(hours) * BAR_SECONDS
    raw[0, :, COLUMNS.index("bar_seconds")] = BAR_SECONDS
    raw[0, list(missing)] = 0.0
    return clean_bars(raw)


def by_loop(bars: CleanBars, values: torch.Tensor, steps: int) -> list[float]:
    """The same profile in plain words."""
    length, here = values.shape[1], bars.here[0] > 0.0
    time = bars.second_of_day[0]
    days = [place for place in range(length - 1) if here[place] and time[place] == time[-1]][-DAYS_MAX:]
    profile = []
    for reach in range(1 - RECURRENCE, steps + 1):
        found = [values[0, day + reach].item() for day in days if 0 <= day + reach < length and here[day + reach]]
        profile.append(sum(found) / (len(found) + 1.0))
    return profile


ROUND_THE_CLOCK = [hour % 24 for hour in range(100)]
SESSIONS = [9, 10, 11, 12, 13, 14, 15] * 4 + [9, 10, 11] + [9, 10, 11, 12, 13, 14, 15] * 2 + [9, 10, 11, 12, 13]
"""Seven bars a day, but three on a half day that has no bar at the time of the newest one."""


@pytest.mark.parametrize("steps", [4, 24, 60])
@pytest.mark.parametrize(
    ("hours", "missing"),
    [(ROUND_THE_CLOCK, ()), (ROUND_THE_CLOCK, (*range(20), 50, 77)), (SESSIONS, ()), (7 * ROUND_THE_CLOCK, ())],
)
def test_the_profile_is_that_of_a_plain_loop(hours: list[int], missing: tuple[int, ...], steps: int) -> None:
    bars = bars_at(hours, missing)
    values = torch.randn(1, len(hours), generator=torch.Generator().manual_seed(1)) * bars.here

    profile = earlier_days(bars, RECURRENCE, steps).profile(values)[0]

    assert profile.tolist() == pytest.approx(by_loop(bars, values, steps), abs=1e-5)


def test_a_step_beyond_a_day_is_read_from_the_days_before() -> None:
    """Four days, each busier than the last: one hour ahead is read from three of them, 25 hours ahead from two."""
    hours = [hour % 24 for hour in range(4 * 24)]
    day = torch.arange(len(hours)).div(24, rounding_mode="floor").float()[None]

    profile = earlier_days(bars_at(hours), RECURRENCE, 48).profile(day)[0, RECURRENCE:]

    assert profile[0].item() == pytest.approx((1.0 + 2.0 + 3.0) / 4.0)
    assert profile[24].item() == pytest.approx((2.0 + 3.0) / 3.0)


def test_a_half_day_without_the_time_of_the_newest_bar_is_passed_over() -> None:
    days = earlier_days(bars_at(SESSIONS), RECURRENCE, 4)

    assert int(days.known.sum()) == sum(hour == SESSIONS[-1] for hour in SESSIONS[:-1])


def test_a_window_without_an_earlier_day_says_nothing() -> None:
    bars = bars_at(list(range(10)))

    days = earlier_days(bars, RECURRENCE, 30)

    assert not days.known.any()
    assert not days.profile(torch.ones(1, 10)).any()


def test_what_is_older_than_the_newest_days_counts_for_nothing() -> None:
    hours = [hour % 24 for hour in range(24 * (DAYS_MAX + 3))]
    values = torch.zeros(1, len(hours))
    values[0, : 24 * 2] = 100.0  # older than the newest DAYS_MAX times of the newest bar

    profile = earlier_days(bars_at(hours), RECURRENCE, 12).profile(values)

    assert not profile.any()
