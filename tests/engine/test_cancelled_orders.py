"""Cancelling an order ends its slices; what its running slice trades is counted."""

from __future__ import annotations

from datetime import timedelta

from tests.builders import at, bars
from tests.engine.desk import Desk, ManualClock, a_desk

HISTORY = 20


async def test_a_cancelled_order_gets_no_further_slice(desk: Desk) -> None:
    await desk.feed(bars(HISTORY))
    order = await desk.order(min_steps=5)

    cancelled = await desk.engine.orders.cancel(order.order.order_id)
    again = await desk.engine.orders.cancel(order.order.order_id)
    await desk.feed(bars(25)[HISTORY:])

    assert (cancelled.status, cancelled.current) == ("cancelled", None)
    assert again == cancelled
    assert len(await desk.slices(order)) == 1


async def test_a_cancelled_order_has_traded_the_slice_whose_window_ran(desk: Desk) -> None:
    await desk.feed(bars(HISTORY))
    order = await desk.order(min_steps=5)
    assert order.current is not None

    await desk.engine.orders.cancel(order.order.order_id)
    await desk.feed(bars(HISTORY + 1)[HISTORY:])

    after = await desk.again(order)
    assert (after.status, after.filled) == ("cancelled", order.current.quantity)
    assert await desk.store.awaiting("BTC-USDT") == []


async def test_a_cancelled_order_trades_nothing_of_a_slice_whose_window_had_not_begun(store_url: str) -> None:
    clock = ManualClock(at(HISTORY))
    async with a_desk(store_url, clock=clock) as desk:
        await desk.feed(bars(HISTORY))
        clock.time -= timedelta(seconds=1)
        order = await desk.order(min_steps=5)
        assert order.current is not None

        await desk.engine.orders.cancel(order.order_id)
        clock.time = at(HISTORY + 1)
        await desk.feed(bars(HISTORY + 1)[HISTORY:])

        after = await desk.again(order)
    assert (after.status, after.filled) == ("cancelled", 0)
