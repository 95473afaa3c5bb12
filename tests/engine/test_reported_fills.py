"""Fills that the OMS reports: booked once, whenever they come."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from decimal import Decimal

import pytest

from app.domain.errors import Conflict
from app.domain.fills import Fill
from app.domain.order import Fills
from app.domain.state import OrderState
from tests.builders import a_fill, bars
from tests.engine.desk import Desk

HISTORY = 20


async def reported(desk: Desk) -> OrderState:
    """An order whose fills are reported, with its first slice."""
    await desk.feed(bars(HISTORY))
    return await desk.order(fills=Fills.REPORTED, min_steps=3, max_steps=4)


async def test_the_same_report_twice_is_booked_once(desk: Desk) -> None:
    order = await reported(desk)
    fill = a_fill(order, quantity=Decimal("0.1"))

    first = await desk.engine.fills.report(order.order.order_id, fill)
    second = await desk.engine.fills.report(order.order.order_id, fill)

    assert (first[1], second[1]) == (True, False)
    assert second[0].filled == Decimal("0.1")


async def test_a_report_that_is_overtaken_by_its_own_repeat_is_not_new(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = await reported(desk)
    fill = a_fill(order, quantity=Decimal("0.1"))
    look_up, repeats = desk.store.fill, []

    async def overtaken(order_id: str, execution_id: str) -> Fill | None:
        known = await look_up(order_id, execution_id)
        monkeypatch.setattr(desk.store, "fill", look_up)
        repeats.append(await desk.engine.fills.report(order_id, fill))
        return known

    monkeypatch.setattr(desk.store, "fill", overtaken)

    state, new = await desk.engine.fills.report(order.order_id, fill)

    assert ([new for _, new in repeats], new) == ([True], False)
    assert state == await desk.again(order)
    assert state.filled == Decimal("0.1")


async def test_an_execution_id_with_other_values_is_a_conflict(desk: Desk) -> None:
    order = await reported(desk)
    fill = a_fill(order, quantity=Decimal("0.1"))
    await desk.engine.fills.report(order.order.order_id, fill)

    with pytest.raises(Conflict) as refused:
        await desk.engine.fills.report(order.order.order_id, replace(fill, price=Decimal(99)))

    assert refused.value.code == "execution_id_reused"


async def test_reports_at_once_with_bars_are_all_booked(desk: Desk) -> None:
    """Each loses races against the others and against the bars, and none is lost."""
    order = await reported(desk)
    fills = [a_fill(order, execution_id=f"exec-{number}", quantity=Decimal("0.01")) for number in range(12)]

    await asyncio.gather(
        *(desk.engine.fills.report(order.order.order_id, fill) for fill in fills),
        desk.feed_one_by_one(bars(HISTORY + 2)[HISTORY:]),
    )

    after = await desk.again(order)
    assert after.filled == Decimal("0.12")
    assert after.step == 3


async def test_what_is_not_reported_is_asked_for_again_and_the_order_expires(desk: Desk) -> None:
    order = await reported(desk)

    await desk.feed_one_by_one(bars(HISTORY + 4)[HISTORY:])
    waiting = await desk.again(order)
    await desk.feed_one_by_one(bars(HISTORY + 5)[HISTORY + 4 :])

    assert (waiting.status, waiting.current) == ("working", None)
    assert (await desk.again(order)).status == "expired"


async def test_a_fill_after_a_cancel_moves_the_quantities_and_not_the_status(desk: Desk) -> None:
    order = await reported(desk)
    await desk.engine.orders.cancel(order.order.order_id)

    late, booked = await desk.engine.fills.report(order.order.order_id, a_fill(order, quantity=Decimal("0.1")))

    assert booked
    assert (late.status, late.filled) == ("cancelled", Decimal("0.1"))
