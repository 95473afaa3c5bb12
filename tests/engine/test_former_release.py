"""An engine on what a release before has written: orders under way go on as if nothing had happened."""

from __future__ import annotations

from typing import Any

from redis import Redis

from app.domain.order import Fills
from app.domain.state import OrderState
from app.store import keys
from app.store.redis_store import RedisStore
from tests.builders import a_fill, bars
from tests.engine.desk import Desk, a_desk
from tests.servers import flush
from tests.store import former_texts

HISTORY, DAY = 20, 12
BTC = "BTC-USDT"


async def morning(desk: Desk) -> list[OrderState]:
    """Two orders in the middle of their life, one with a report."""
    await desk.feed(bars(HISTORY))
    orders = [await desk.order("assumed", min_steps=6), await desk.order("reported", min_steps=6, fills=Fills.REPORTED)]
    await desk.feed_one_by_one(bars(HISTORY + 3)[HISTORY:])
    await desk.engine.fills.report(orders[1].order_id, a_fill(await desk.again(orders[1])))
    return orders


async def afternoon(desk: Desk, orders: list[OrderState]) -> list[str]:
    await desk.feed_one_by_one(bars(HISTORY + DAY)[HISTORY + 3 :])
    return [repr([await desk.again(order), *await desk.slices(order)]) for order in orders]


async def rewritten(url: str, store: RedisStore, orders: list[OrderState]) -> None:
    """All that is recorded, as the release before wrote it."""
    every = {
        order.order_id: (await store.order(order.order_id), await store.slices(order.order_id)) for order in orders
    }
    feed = await store.bars_since(BTC, bars(1)[0].open_time, 999)
    with Redis.from_url(url, decode_responses=True) as client:
        for order_id, (state, slices) in every.items():
            assert state is not None
            texts: dict[str, Any] = {
                "mandate": former_texts.mandate_text(state), "state": former_texts.state_text(state),
            }  # fmt: skip
            client.hset(keys.order(BTC, order_id), mapping=texts)
            client.hdel(keys.order(BTC, order_id), "slice")
            for piece in slices:
                client.hset(keys.slices(BTC, order_id), str(piece.step), former_texts.slice_text(piece))
        client.delete(keys.bars(BTC))
        for bar in feed:
            client.xadd(keys.bars(BTC), {"json": former_texts.bar_text(bar)}, id=keys.bar_id(bar.open_time))
        client.hdel(keys.instrument(BTC), "changed")


async def test_orders_under_way_get_the_slices_that_they_would_have_got(store_url: str) -> None:
    async with a_desk(store_url) as desk:
        undisturbed = await afternoon(desk, await morning(desk))
    flush(store_url)

    async with a_desk(store_url) as desk:
        orders = await morning(desk)
        await rewritten(store_url, desk.store, orders)
    async with a_desk(store_url) as desk:
        assert await afternoon(desk, orders) == undisturbed


async def test_a_report_that_comes_first_is_booked(store_url: str) -> None:
    """The slice that runs then has no text of its own yet."""
    async with a_desk(store_url) as desk:
        orders = await morning(desk)
        await rewritten(store_url, desk.store, orders)
    async with a_desk(store_url) as desk:
        before = await desk.again(orders[1])

        booked = await desk.engine.fills.report(before.order_id, a_fill(before, execution_id="exec-2"))

        assert booked.new
        assert await desk.again(orders[1]) == booked.order
        assert booked.order.current == before.current is not None
