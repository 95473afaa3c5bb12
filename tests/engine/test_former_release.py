"""An engine on what a release before has written: orders under way go on as if nothing had happened."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import pytest
from redis import Redis

from app.domain.order import Fills, Order
from app.domain.slice import Slice
from app.domain.state import OrderState
from app.store import keys, order_codec
from app.store.redis_store import RedisStore
from tests.builders import a_fill, bars
from tests.engine.desk import Desk, a_desk
from tests.servers import flush
from tests.store import former_arrays, former_texts

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
    return [repr([known(await desk.again(order)), *map(priceless, await desk.slices(order))]) for order in orders]


def priceless(piece: Slice) -> Slice:
    """The slice as releases knew it that recorded neither its price nor the digest of its inputs."""
    return replace(piece, price=None, decided=replace(piece.decided, inputs=None))


def known(state: OrderState) -> OrderState:
    """The order as releases knew it that recorded neither its slices' prices and inputs nor who decides them."""
    current = priceless(state.current) if state.current else None
    return replace(state, current=current, overdue=tuple(map(priceless, state.overdue)), models=(), bundle=None)


@dataclass(frozen=True)
class Writes:
    """How a release wrote the texts of an order."""

    mandate: Callable[[OrderState], str]
    state: Callable[[OrderState], str]
    piece: Callable[[Slice, Order], str]


NAMES = Writes(former_texts.mandate_text, former_texts.state_text, lambda piece, _: former_texts.slice_text(piece))
ARRAYS = Writes(order_codec.mandate_text, former_arrays.state_text, former_arrays.slice_text)
RELEASES = pytest.mark.parametrize("writes", [pytest.param(NAMES, id="names"), pytest.param(ARRAYS, id="arrays")])


async def rewritten(url: str, store: RedisStore, orders: list[OrderState], writes: Writes) -> None:
    """All that is recorded, as a release before wrote it."""
    every = {
        order.order_id: (await store.order(order.order_id), await store.slices(order.order_id)) for order in orders
    }
    feed = await store.bars_since(BTC, bars(1)[0].open_time, 999)
    with Redis.from_url(url, decode_responses=True) as client:
        for order_id, (state, slices) in every.items():
            assert state is not None
            texts: dict[str, Any] = {"mandate": writes.mandate(state), "state": writes.state(state)}
            client.hset(keys.order(BTC, order_id), mapping=texts)
            client.hdel(keys.order(BTC, order_id), "slice")
            for piece in slices:
                client.hset(keys.slices(BTC, order_id), str(piece.step), writes.piece(piece, state.order))
        client.delete(keys.bars(BTC))
        for bar in feed:
            client.xadd(keys.bars(BTC), {"json": former_texts.bar_text(bar)}, id=keys.bar_id(bar.open_time))
        client.hdel(keys.instrument(BTC), "changed")


@RELEASES
async def test_orders_under_way_get_the_slices_that_they_would_have_got(store_url: str, writes: Writes) -> None:
    async with a_desk(store_url) as desk:
        undisturbed = await afternoon(desk, await morning(desk))
    flush(store_url)

    async with a_desk(store_url) as desk:
        orders = await morning(desk)
        await rewritten(store_url, desk.store, orders, writes)
    async with a_desk(store_url) as desk:
        assert await afternoon(desk, orders) == undisturbed


@RELEASES
async def test_a_report_that_comes_first_is_booked(store_url: str, writes: Writes) -> None:
    """The slice that runs then has no text of its own yet."""
    async with a_desk(store_url) as desk:
        orders = await morning(desk)
        await rewritten(store_url, desk.store, orders, writes)
    async with a_desk(store_url) as desk:
        before = await desk.again(orders[1])

        booked = await desk.engine.fills.report(before.order_id, a_fill(before, execution_id="exec-2"))

        assert booked.new
        assert await desk.again(orders[1]) == booked.order
        assert booked.order.current == before.current is not None
