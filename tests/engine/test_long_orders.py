"""Orders of a whole day and of three months: late bars, restarts, holidays, and a schedule at any time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import pairwise

import pytest

from app.decision.policies.optimal_stopping import OptimalStopping
from app.decision.policies.twap import Twap
from app.decision.policies.volume_curve import VolumeCurve
from app.domain.bar import Bar
from app.domain.errors import InvalidInput
from app.domain.order import Fills
from app.engine.results import StepState
from tests.builders import a_fill, at, bars
from tests.engine.desk import Desk, ManualClock, a_desk
from tests.engine.policies import Reader
from tests.engine.test_exchanges import daily_bars, listed

HISTORY = 200
DAY_STEPS, HALF_DAY_STEPS, QUARTER_STEPS = 96, 48, 63
A_SECOND = timedelta(seconds=1)
CURVE = (VolumeCurve(), Twap())
HOLIDAYS = {"2024-11-28", "2024-12-25", "2025-01-01", "2025-01-09", "2025-01-20"}
"""Of New York from November 2024 to January 2025, one of mourning among them. It closed early on 2024-11-29 and
2024-12-24."""


def with_daily_shape(made: Sequence[Bar]) -> list[Bar]:
    """Twice as much is traded in the second half of each day as in the first."""
    halves = (Decimal(40), Decimal(80))
    return [replace(bar, volume=halves[bar.open_time.hour // 12], notional=None) for bar in made]


async def test_a_whole_day_follows_the_volume_of_earlier_days(store_url: str) -> None:
    made = with_daily_shape(bars(HISTORY + DAY_STEPS))
    async with a_desk(store_url, policies=CURVE) as desk:
        await desk.feed(made[:HISTORY])
        order = await desk.order(size=Decimal(1000), min_steps=DAY_STEPS, max_steps=DAY_STEPS)
        await desk.feed_one_by_one(made[HISTORY:])
        ended, slices = await desk.again(order), await desk.slices(order)

    assert (ended.status, ended.filled) == ("completed", Decimal(1000))
    assert [piece.step for piece in slices] == list(range(1, DAY_STEPS + 1))
    assert {piece.decided.model for piece in slices} == {"volume_curve"}
    morning, evening = ([each.quantity for each in slices if each.window.start.hour // 12 == half] for half in (0, 1))
    assert sum(evening) > Decimal("1.3") * sum(morning)


async def test_a_schedule_shows_every_step_of_a_whole_day(store_url: str) -> None:
    made = bars(HISTORY + 30)
    async with a_desk(store_url, policies=(OptimalStopping(), *CURVE)) as desk:
        await desk.feed(made[:HISTORY])
        order = await desk.order(size=Decimal(1000), min_steps=48, max_steps=DAY_STEPS)
        await desk.feed_one_by_one(made[HISTORY:])
        schedule = await desk.engine.queries.schedule(order.order_id)

    states = [step.state for step in schedule.steps]
    assert states[:31] == [StepState.DONE] * 30 + [StepState.CURRENT]
    assert len(states) > 90
    assert sum(step.fraction for step in schedule.steps) == pytest.approx(Decimal(1), abs=Decimal("1e-9"))
    assert sum(step.end_probability for step in schedule.steps) == pytest.approx(1.0)
    assert all(step.end_probability == 0 for step in schedule.steps[:47])
    assert all(earlier.window.end == later.window.start for earlier, later in pairwise(schedule.steps))


async def test_a_late_bar_in_a_long_day_costs_one_fallback_slice_and_no_step(store_url: str) -> None:
    made, clock, late = bars(HISTORY + DAY_STEPS), ManualClock(at(HISTORY)), HISTORY + 40
    async with a_desk(store_url, policies=CURVE, clock=clock, grace_seconds=2) as desk:
        await desk.feed(made[:HISTORY])
        order = await desk.order(size=Decimal(1000), min_steps=DAY_STEPS, max_steps=DAY_STEPS)
        for index in range(HISTORY, len(made)):
            clock.time = made[index].close_time + 3 * A_SECOND
            if index == late:
                await desk.engine.late_slices.give()
            await desk.feed([made[index]])
        ended, slices = await desk.again(order), await desk.slices(order)

    assert (ended.status, ended.filled, ended.sums.steps) == ("completed", Decimal(1000), DAY_STEPS)
    assert [piece.step for piece in slices if piece.decided.fallback_reason == "bar_late"] == [late - HISTORY + 2]


async def test_reports_of_a_long_order_are_booked_slice_by_slice(store_url: str) -> None:
    made = bars(HISTORY + HALF_DAY_STEPS)
    async with a_desk(store_url, policies=CURVE) as desk:
        await desk.feed(made[:HISTORY])
        state = await desk.order(
            size=Decimal(1000), min_steps=HALF_DAY_STEPS, max_steps=HALF_DAY_STEPS, fills=Fills.REPORTED
        )
        for bar in made[HISTORY:]:
            state = await desk.again(state)
            if state.current is not None and state.current.quantity:
                fill = a_fill(state, execution_id=f"exec-{state.step}", quantity=state.current.quantity)
                await desk.engine.fills.report(state.order_id, fill)
            await desk.feed([bar])
        ended = await desk.again(state)

    assert (ended.status, ended.filled, ended.reports_due) == ("completed", Decimal(1000), ())


async def test_three_months_of_daily_bars_skip_holidays_and_survive_restarts(store_url: str) -> None:
    made, clock = a_quarter(), ManualClock(at(0))
    first = len(made) - QUARTER_STEPS
    late, restarts = made[first + 20], {made[first + 5].open_time, made[first + 21].open_time}
    instrument = listed("XNYS", 86_400)
    clock.time = made[first - 1].close_time
    async with a_desk(store_url, policies=CURVE, clock=clock, instrument=instrument, grace_seconds=60) as desk:
        await desk.feed(made[:first])
        order = await desk.order(size=Decimal(6300), min_steps=QUARTER_STEPS, max_steps=QUARTER_STEPS)
    remaining: Sequence[Bar] = made[first:]
    while remaining:
        async with a_desk(store_url, policies=CURVE, clock=clock, instrument=instrument, grace_seconds=60) as desk:
            remaining = await until_restart(desk, clock, remaining, late, restarts)
            ended, slices = await desk.again(order), await desk.slices(order)

    assert (ended.status, ended.filled, ended.sums.partial) == ("completed", Decimal(6300), False)
    assert ended.sums.volume_sum == sum(bar.volume for bar in made[first:])
    assert [f"{piece.window.start:%Y-%m-%d}" for piece in slices] == [f"{b.open_time:%Y-%m-%d}" for b in made[first:]]
    assert [piece.step for piece in slices if piece.decided.basis == "fallback"] == [22]


async def until_restart(
    desk: Desk, clock: ManualClock, remaining: Sequence[Bar], late: Bar, restarts: set[datetime]
) -> Sequence[Bar]:
    """Feed bars a minute after they are complete, but the late one when its next window has long opened."""
    for index, bar in enumerate(remaining):
        clock.time = bar.close_time + 61 * A_SECOND
        if bar is late:
            clock.time = remaining[index + 1].open_time + timedelta(hours=1)
            await desk.engine.late_slices.give()
        await desk.feed([bar])
        if bar.open_time in restarts:
            return remaining[index + 1 :]
    return ()


def a_quarter() -> list[Bar]:
    """Daily bars of New York from September 2024 on, stamped at midnight there; the last 63 are of an order."""
    days, day = [], at(0).replace(year=2024, month=9, day=3)
    while f"{day:%Y-%m-%d}" <= "2025-01-31":
        if day.weekday() < 5 and f"{day:%Y-%m-%d}" not in HOLIDAYS:
            days.append(f"{day:%Y-%m-%d}")
        day += timedelta(days=1)
    return daily_bars(days, "America/New_York")


async def test_an_order_longer_than_the_model_decides_is_refused_though_fallbacks_could(store_url: str) -> None:
    async with a_desk(store_url, policies=(Reader(), *CURVE)) as desk:
        await desk.feed(bars(HISTORY))
        with pytest.raises(
            InvalidInput, match=f"max_steps is 97; the model decides at most {Reader.max_steps}"
        ) as told:
            await desk.order(max_steps=Reader.max_steps + 1)

    assert (told.value.code, told.value.pointer) == ("horizon_too_long", "#/horizon/max_steps")
