"""A schedule shows what was done, what runs, and what is likely to come."""

from __future__ import annotations

from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest

from app.domain.order import Fills, Limits
from app.domain.order_words import Completion
from app.engine.results import Schedule, StepState
from tests.builders import a_bar, at, bars
from tests.engine.desk import Desk

HISTORY = 20
TENTH = Limits(max_participation_rate=Decimal("0.1"))
CAPPED = Limits(max_participation_rate=Decimal("0.1"), max_slice_fraction=Decimal("0.2"))


def states(schedule: Schedule) -> list[str]:
    return [step.state.value for step in schedule.steps]


@pytest.mark.parametrize("fills", Fills)
async def test_a_running_order_has_past_present_and_future(desk: Desk, fills: Fills) -> None:
    await desk.feed(bars(HISTORY))
    order = await desk.order(min_steps=6, max_steps=8, fills=fills)
    await desk.feed(bars(HISTORY + 2)[HISTORY:])

    schedule = await desk.engine.queries.schedule(order.order.order_id)

    steps = schedule.steps
    assert states(schedule)[:3] == ["done", "done", "current"]
    assert set(states(schedule)[3:]) == {StepState.PROJECTED}
    assert sum(step.end_probability for step in steps) == pytest.approx(1.0)
    assert all(step.end_probability == 0 for step in steps[:5])
    assert all(earlier.window.end == later.window.start for earlier, later in pairwise(steps))
    assert steps[0].window.start == at(HISTORY)


async def test_fractions_of_past_and_future_make_the_whole_order(desk: Desk) -> None:
    await desk.feed(bars(HISTORY))
    order = await desk.order(min_steps=6, max_steps=8)
    await desk.feed(bars(HISTORY + 2)[HISTORY:])

    schedule = await desk.engine.queries.schedule(order.order.order_id)

    assert sum(step.fraction for step in schedule.steps) == Decimal(1)


async def test_an_ended_order_has_no_future_and_tells_what_was_executed(desk: Desk) -> None:
    await desk.feed(bars(HISTORY))
    order = await desk.order(max_steps=4)
    await desk.feed(bars(HISTORY + 5)[HISTORY:])

    schedule = await desk.engine.queries.schedule(order.order.order_id)

    assert set(states(schedule)) == {"done"}
    assert sum(step.executed for step in schedule.steps) == order.order.size
    assert schedule.steps[-1].end_probability == 1.0


async def test_an_order_that_has_not_started_is_all_future(desk: Desk) -> None:
    await desk.feed(bars(HISTORY))
    order = await desk.order(start_time=at(HISTORY + 5), min_steps=3, max_steps=3)

    schedule = await desk.engine.queries.schedule(order.order.order_id)

    assert [step.window.start for step in schedule.steps] == [at(HISTORY + 5), at(HISTORY + 6), at(HISTORY + 7)]
    assert schedule.steps[-1].end_probability == pytest.approx(1.0)


@pytest.mark.parametrize(
    "terms",
    [
        {"min_steps": 6, "limits": Limits(finish_price=Decimal(100))},
        {"size": Decimal(70), "limits": TENTH},
        {"size": Decimal(70), "limits": TENTH, "completion": Completion.ALWAYS},
        {"size": Decimal(70), "limits": CAPPED, "completion": Completion.ALWAYS},
    ],
    ids=str,
)
async def test_a_market_that_does_as_foreseen_is_traded_as_the_schedule_says(desk: Desk, terms: dict[str, Any]) -> None:
    """Bars at one price, with as much traded in each."""
    await desk.feed([a_bar(step) for step in range(HISTORY)])
    order = await desk.order(**terms)

    schedule = await desk.engine.queries.schedule(order.order_id)
    await desk.feed_one_by_one([a_bar(HISTORY + step) for step in range(12)])

    assert [step.fraction for step in schedule.steps] == [piece.fraction for piece in await desk.slices(order)]
