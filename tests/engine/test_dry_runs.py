"""A dry run answers what an order would be answered, and leaves nothing behind."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from app.domain.errors import LemError
from app.domain.order import Limits
from app.domain.order_words import Completion, OrderWarning
from app.engine.dry_runs import DryRun
from tests.builders import a_bar, an_instrument, an_order, bars
from tests.clock.session_bars import session_bars
from tests.engine.desk import Desk, a_desk

HISTORY = 20
TENTH = Limits(max_participation_rate=Decimal("0.1"))


async def dry_run(desk: Desk, **order: Any) -> DryRun:
    return await desk.engine.dry_runs.run(an_order(**order))


async def flat(desk: Desk, count: int = HISTORY) -> None:
    """Bars at 100 with 50 traded in each."""
    await desk.feed([a_bar(step) for step in range(count)])


async def test_it_takes_nothing_and_answers_the_order_before_its_first_step(desk: Desk) -> None:
    await desk.feed(bars(HISTORY))
    counted = dict(desk.counts)

    found = await dry_run(desk)

    assert (found.state.status, found.state.step, found.warnings) == ("accepted", 0, ())
    assert (await desk.engine.queries.orders()).orders == ()
    assert await desk.store.claimed(an_order().order_id) is None
    assert dict(desk.counts) == counted


async def test_an_order_that_was_sent_before_is_answered_as_it_stands(desk: Desk) -> None:
    await desk.feed(bars(HISTORY))
    sent = await desk.order()

    found = await dry_run(desk)

    assert found == DryRun(state=sent)


async def test_a_name_that_was_refused_before_is_free(desk: Desk) -> None:
    await desk.feed(bars(HISTORY))
    with pytest.raises(LemError):
        await desk.order(limits=Limits(limit_price=Decimal("99.995")))

    assert (await dry_run(desk)).state.status == "accepted"


async def refused_alike(desk: Desk, changes: dict[str, Any]) -> None:
    with pytest.raises(LemError) as tried:
        await dry_run(desk, **changes)
    with pytest.raises(LemError) as sent:
        await desk.order(**changes)

    refusals = [(each.value.code, each.value.detail, each.value.pointer) for each in (tried, sent)]
    assert refusals[0] == refusals[1]


@pytest.mark.parametrize(
    "changes",
    [
        {"instrument": "unknown"},
        {"size": Decimal("0.015")},
        {"size": Decimal(10**9)},
        {"max_steps": 10_000},
        {"limits": Limits(limit_price=Decimal("99.995"))},
        {"limits": Limits(max_slice_fraction=Decimal("0.01"))},
        {"limits": Limits(max_participation_rate=Decimal("0.0001"))},
        {"limits": Limits(avoid_open_minutes=5)},
    ],
    ids=str,
)
async def test_an_order_is_refused_exactly_as_it_would_be(desk: Desk, changes: dict[str, Any]) -> None:
    await flat(desk)

    await refused_alike(desk, changes)


async def test_another_order_under_a_name_that_is_taken_is_refused_as_it_would_be(desk: Desk) -> None:
    await flat(desk)
    await desk.order()

    await refused_alike(desk, {"size": Decimal(11)})


@pytest.mark.parametrize(
    ("changes", "warnings"),
    [
        ({"size": Decimal(48), "limits": TENTH}, ()),
        ({"size": Decimal(49), "limits": TENTH}, (OrderWarning.LITTLE_ROOM,)),
        ({"size": Decimal(61), "limits": TENTH}, (OrderWarning.MAY_NOT_FINISH,)),
        (
            {"size": Decimal(500), "limits": TENTH, "completion": Completion.ALWAYS},
            (OrderWarning.PARTICIPATION_GIVES_WAY,),
        ),
        ({"limits": Limits(limit_price=Decimal(99))}, (OrderWarning.BEYOND_LIMIT_PRICE,)),
        ({"limits": Limits(finish_price=Decimal(100))}, (OrderWarning.AT_FINISH_PRICE,)),
    ],
)
async def test_it_warns_of_what_is_odd(desk: Desk, changes: dict[str, Any], warnings: tuple[OrderWarning, ...]) -> None:
    await flat(desk)

    assert (await dry_run(desk, **changes)).warnings == warnings


async def test_it_warns_of_slices_below_the_minimum_and_of_a_model_that_cannot_read(store_url: str) -> None:
    async with a_desk(store_url, instrument=an_instrument(min_notional=Decimal(100))) as desk:
        await flat(desk, 2)

        found = await dry_run(desk)

    assert found.warnings == (OrderWarning.SLICES_BELOW_MINIMUM, OrderWarning.MODEL_UNAVAILABLE)


async def test_it_warns_of_steps_that_are_avoided(store_url: str) -> None:
    async with a_desk(store_url, instrument=an_instrument(bar_seconds=1_800, calendar="XNYS")) as desk:
        await desk.feed(session_bars("XNYS", 1_800, "2025-03-03", "2025-03-05"))

        avoiding, not_reaching = [
            await dry_run(desk, max_steps=steps, limits=Limits(avoid_close_minutes=10)) for steps in (13, 12)
        ]

    assert avoiding.warnings == (OrderWarning.STEPS_AVOIDED,)
    assert not_reaching.warnings == ()


async def test_without_a_volume_an_order_that_must_be_done_is_warned_of(desk: Desk) -> None:
    await desk.feed([a_bar(step, volume=Decimal(0)) for step in range(HISTORY)])

    found = await dry_run(desk, limits=TENTH, completion=Completion.ALWAYS)

    assert found.warnings == (OrderWarning.NO_VOLUME, OrderWarning.PARTICIPATION_GIVES_WAY)
