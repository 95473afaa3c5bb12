"""What is under way, counted without reading all orders."""

from __future__ import annotations

from app.domain.lifecycle import Status
from app.domain.slice import Basis
from tests.builders import at, bars
from tests.engine.desk import Desk, a_desk
from tests.engine.policies import Failing, Reader

HISTORY = 20


async def test_live_orders_are_counted_by_status_over_all_instruments(desk: Desk) -> None:
    await desk.feed(bars(HISTORY))
    await desk.order("works")
    await desk.order("waits", start_time=at(HISTORY + 5))
    ended = await desk.order("ends")
    await desk.engine.orders.cancel(ended.order_id)

    counted = await desk.engine.queries.live_orders()

    assert counted == {Status.ACCEPTED: 1, Status.WORKING: 1, Status.PAUSED: 0}


async def test_current_slices_are_counted_by_basis_as_orders_come_move_and_end(store_url: str) -> None:
    async with a_desk(store_url, policies=[Failing(), Reader()]) as desk:
        await desk.feed(bars(HISTORY))
        one, _ = await desk.order("one", min_steps=3), await desk.order("other", min_steps=3)
        both = desk.engine.live_orders.slices_by_basis()
        await desk.engine.orders.cancel(one.order_id)
        left = desk.engine.live_orders.slices_by_basis()
        await desk.feed(bars(HISTORY + 20)[HISTORY:])
        none = desk.engine.live_orders.slices_by_basis()

    assert both == {Basis.FALLBACK: 2, Basis.MODEL: 0}
    assert left == {Basis.FALLBACK: 1, Basis.MODEL: 0}
    assert none == {Basis.FALLBACK: 0, Basis.MODEL: 0}
    assert not desk.engine.live_orders.has_orders("BTC-USDT")


async def test_an_engine_that_starts_knows_the_slices_that_run_and_the_orders_that_wait(store_url: str) -> None:
    async with a_desk(store_url) as desk:
        await desk.feed(bars(HISTORY))
        await desk.order()

    async with a_desk(store_url) as desk:
        assert desk.engine.live_orders.slices_by_basis()[Basis.MODEL] == 1
        assert desk.engine.live_orders.has_orders("BTC-USDT")


async def test_an_engine_learns_with_a_bar_what_another_one_has_done(store_url: str) -> None:
    async with a_desk(store_url) as one, a_desk(store_url) as other:
        await one.feed(bars(HISTORY))
        await one.order(min_steps=5)

        await other.feed(bars(HISTORY + 1)[HISTORY:])

        assert other.engine.live_orders.slices_by_basis()[Basis.MODEL] == 1
