"""What policies read is made bar by bar, and is what their plain twin makes of the whole history."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import accumulate, pairwise

import numpy as np
import pytest

from app.clock.calendars import calendar
from app.decision.market import seen_bars
from app.domain.bar import Bar, aggregate
from app.domain.slice import Window
from app.engine.instruments.history import BARS_AT_HAND, StepHistory
from tests.builders import BAR_SECONDS, bars
from tests.market import raw_window

LOOKBACK = 8


def history_of(made: Sequence[Bar], parts: int = 1) -> StepHistory:
    history = StepHistory(parts * BAR_SECONDS, BAR_SECONDS, LOOKBACK, calendar("24/7"))
    for bar in made:
        history.push(bar)
    return history


@pytest.mark.parametrize("count", [1, LOOKBACK - 1, LOOKBACK, LOOKBACK + 5])
def test_a_window_has_the_newest_bars_and_zeros_before_the_first(count: int) -> None:
    made = bars(count)

    window = history_of(made).window(made[-1])

    np.testing.assert_array_equal(window.bars[0], raw_window(made, LOOKBACK))
    assert seen_bars(window.bars)[0] == min(count, LOOKBACK)


@pytest.mark.parametrize("unfinished", [0, 1, 3])
def test_a_step_of_four_bars_appears_with_its_last_bar(unfinished: int) -> None:
    """The first bar closes a step of which the others were never seen."""
    made = bars(1 + 12 + unfinished, first=3)
    steps = [aggregate(made[first : first + 4]) for first in (1, 5, 9)]

    history = history_of(made, parts=4)

    assert history.newest == steps[-1]
    np.testing.assert_array_equal(history.window(made[-1]).bars[0], raw_window(steps, LOOKBACK))
    assert history.bar_in(Window(steps[1].open_time, steps[1].close_time)) == steps[1]


@pytest.mark.parametrize(
    ("step_seconds", "unfinished", "bars_of_steps"), [(3_600, 1, [1, 2, 2, 1, 2, 2, 1]), (86_400, 2, [10])]
)
def test_steps_on_an_exchange_are_made_of_the_bars_between_its_breaks(
    step_seconds: int, unfinished: int, bars_of_steps: list[int]
) -> None:
    """Tokyo trades from 9:00 to 11:30 and from 12:30 to 15:00; the first bars are the last of the day before."""
    tokyo = calendar("XTKS")
    opens = [datetime(2024, 6, 3, 5, tzinfo=UTC)]
    while len(opens) < unfinished + sum(bars_of_steps):
        opens.append(tokyo.first_open(opens[-1] + timedelta(seconds=1), 1_800, None))
    made = [
        replace(bar, open_time=at, close_time=at + timedelta(seconds=1_800))
        for bar, at in zip(bars(len(opens)), opens, strict=True)
    ]
    ends = list(accumulate(bars_of_steps, initial=unfinished))
    steps = [aggregate(made[first:end]) for first, end in pairwise(ends)]

    history = StepHistory(step_seconds, 1_800, LOOKBACK, tokyo)
    for bar in made:
        history.push(bar)

    np.testing.assert_array_equal(history.window(made[-1]).bars[0], raw_window(steps, LOOKBACK))
    assert history.newest == steps[-1]
    assert sum(step.volume for step in steps) == sum(bar.volume for bar in made[unfinished:])


def test_nothing_from_before_a_restart_is_read() -> None:
    before, after = bars(6), bars(2, first=40)
    history = history_of(before)

    history.restart()
    for bar in after:
        history.push(bar)

    np.testing.assert_array_equal(history.window(after[-1]).bars[0], raw_window(after, LOOKBACK))
    assert history.bar_in(Window(before[-1].open_time, before[-1].close_time)) is None


def test_of_old_bars_what_policies_read_is_kept_and_not_the_bars() -> None:
    """A thousand instruments with a lookback of days would take more memory than all else."""
    count = 3 * BARS_AT_HAND
    made = [replace(bars(1)[0], volume=Decimal(777)), *bars(count - 1, first=1)]
    history = StepHistory(BAR_SECONDS, BAR_SECONDS, count, calendar("24/7"))

    for bar in made:
        history.push(bar)

    kept = [bar for bar in made if history.bar_in(Window(bar.open_time, bar.close_time))]
    assert kept == made[-BARS_AT_HAND:]
    assert history.busiest_volume == 777
    np.testing.assert_array_equal(history.window(made[-1]).bars[0], raw_window(made, count))
