"""One order, or one key in the store, that is not understood stops nothing else, and is refused by its name."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest
from redis import Redis

from app.domain.errors import LemError, Unavailable
from app.domain.lifecycle import Status
from app.domain.state import OrderState
from app.engine.analyses import WantedOrders
from app.store import keys
from app.store.forms import SHORT_VERSION
from app.store.redis_store import RedisStore
from tests.builders import a_fill, an_instrument, an_order, bars
from tests.engine.desk import Desk, a_desk

HISTORY = 20
BTC, TWIN = "BTC-USDT", "TWIN"

Spoil = Callable[[Any, OrderState], object]


def another_form(client: Any, order: OrderState) -> None:
    key = keys.order(BTC, order.order_id)
    client.hset(key, "state", client.hget(key, "state").replace(f"[{SHORT_VERSION},", f"[{SHORT_VERSION + 1},", 1))


def without_a_field(client: Any, order: OrderState) -> None:
    client.hset(keys.order(BTC, order.order_id), "state", '[2,"working"]')


def no_text(client: Any, order: OrderState) -> None:
    client.hset(keys.order(BTC, order.order_id), "state", b"\xff\xfe\x00garbage")


def what_cannot_be(client: Any, order: OrderState) -> None:
    key = keys.order(BTC, order.order_id)
    client.hset(key, "mandate", client.hget(key, "mandate").replace('"10"', '"-10"', 1))


def another_type(client: Any, order: OrderState) -> None:
    key = keys.order(BTC, order.order_id)
    client.delete(key)
    client.sadd(key, "x")


def slices_of_another_type(client: Any, order: OrderState) -> None:
    key = keys.slices(BTC, order.order_id)
    client.delete(key)
    client.set(key, "x")


STATES = {spoil.__name__: spoil for spoil in (another_form, without_a_field, no_text, what_cannot_be, another_type)}


@asynccontextmanager
async def a_spoilt_desk(
    url: str, spoil: Spoil, bad: Sequence[str] = ("bad",)
) -> AsyncIterator[tuple[Desk, list[OrderState], list[str]]]:
    """An engine that starts on the `bad` orders and the order `good` of one instrument and `other` of another, after
    each bad one was spoilt; with the kinds of what it has set aside."""
    async with a_desk(url) as desk:
        await desk.engine.instruments.put(an_instrument(symbol=TWIN))
        await desk.feed(bars(HISTORY))
        await desk.feed(bars(HISTORY), TWIN)
        orders = [await desk.order(name, min_steps=6) for name in (*bad, "good")]
        orders.append(await desk.order("other", min_steps=6, instrument=TWIN))
    with Redis.from_url(url, decode_responses=True) as client:
        for order in orders[: len(bad)]:
            spoil(client, order)
    found: list[str] = []
    store = RedisStore.at(url, lookback=96, on_unreadable=found.append)
    async with a_desk(url, store=store, instrument=an_instrument(symbol=TWIN)) as desk:
        yield desk, orders, found


async def test_orders_that_are_not_understood_hold_nobody_up(store_url: str) -> None:
    def spoil(client: Any, order: OrderState) -> None:
        (STATES | {"slices": slices_of_another_type})[order.order.client_order_id](client, order)

    async with a_spoilt_desk(store_url, spoil, [*STATES, "slices"]) as (desk, orders, _):
        *_, good, other = orders

        readiness = await desk.engine.recovery.readiness()
        for symbol in (BTC, TWIN):
            await insist(desk, symbol)
        listed = {state.order_id for state in (await desk.engine.queries.orders()).orders}

        assert "recovering" not in readiness.reasons
        assert ((await desk.again(good)).step, (await desk.again(other)).step) == (2, 2)
        assert listed - {orders[-3].order_id} == {good.order_id, other.order_id}


async def test_an_order_that_is_not_understood_is_refused_by_its_code_told_once_and_left_as_it_is(
    store_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    def spoil(client: Any, order: OrderState) -> None:
        STATES[order.order.client_order_id](client, order)

    async with a_spoilt_desk(store_url, spoil, list(STATES)) as (desk, orders, found):
        bad = orders[: len(STATES)]
        before = [dump(store_url, order) for order in bad]

        codes = {await code_of(call) for order in bad for call in questions(desk, order) for _ in range(2)}

        told = [record.getMessage() for record in caplog.records if "set aside" in record.getMessage()]
        assert codes == {"order_unreadable"}
        assert found == ["order"] * len(STATES)
        assert all(sum(keys.order(BTC, order.order_id) in line for line in told) == 1 for order in bad)
        assert [dump(store_url, order) for order in bad] == before


async def insist(desk: Desk, symbol: str) -> None:
    """Send the next bar as a feed does that repeats what was refused for now."""
    async with asyncio.timeout(10):
        while True:
            try:
                await desk.feed(bars(HISTORY + 1)[HISTORY:], symbol)
            except Unavailable:
                await asyncio.sleep(0.01)
                continue
            return


def questions(desk: Desk, order: OrderState) -> list[Callable[[], Any]]:
    """All that may be asked of one order."""
    engine, name = desk.engine, order.order.client_order_id
    return [
        lambda: engine.queries.order(order.order_id),
        lambda: engine.queries.next_slice(order.order_id),
        lambda: engine.queries.schedule(order.order_id),
        lambda: engine.queries.orders(client_order_id=name),
        lambda: engine.orders.cancel(order.order_id),
        lambda: engine.orders.submit(an_order(client_order_id=name, min_steps=6)),
        lambda: engine.fills.report(order.order_id, a_fill(order)),
    ]


async def code_of(call: Callable[[], Any]) -> str:
    try:
        await call()
    except LemError as error:
        return error.code
    return "none"


def dump(url: str, order: OrderState) -> Any:
    with Redis.from_url(url) as client:
        return client.dump(keys.order(BTC, order.order_id))


@pytest.mark.parametrize("key", [keys.awaiting(BTC), keys.bars(BTC), keys.instrument(BTC), keys.orders(BTC)])
async def test_a_key_of_another_type_stops_its_own_instrument_at_most(store_url: str, key: str) -> None:
    def spoil(client: Any, _: OrderState) -> None:
        client.delete(key)
        client.hset(key, "x", "y") if key.endswith("bars") else client.set(key, "x")

    async with a_spoilt_desk(store_url, spoil) as (desk, orders, found):
        readiness = await desk.engine.recovery.readiness()
        await insist(desk, TWIN)
        page = await desk.engine.queries.orders()
        cancelled = await code_of(lambda: desk.engine.orders.cancel(orders[1].order_id))
        counted = await desk.engine.queries.live_orders()

        assert "recovering" not in readiness.reasons
        assert (await desk.again(orders[2])).step == 2
        assert orders[2].order_id in {state.order_id for state in page.orders}
        assert cancelled == ("instrument_unreadable" if key == keys.awaiting(BTC) else "none")
        assert counted[Status.WORKING] >= 2
        assert set(found) == {"instrument"}


@pytest.mark.parametrize("key", [keys.events(BTC), keys.orders(BTC, Status.WORKING), keys.sequence(BTC)])
async def test_a_record_of_another_type_does_not_stop_the_orders_that_are_there(store_url: str, key: str) -> None:
    """Events and pages are lost with it, which is told; the orders go on."""

    def spoil(client: Any, _: OrderState) -> None:
        client.delete(key)
        client.set(key, "x")

    async with a_spoilt_desk(store_url, spoil) as (desk, orders, found):
        await desk.feed(bars(HISTORY + 1)[HISTORY:])
        await desk.engine.orders.cancel(orders[1].order_id)
        with pytest.raises(Unavailable) as refused:
            await desk.order("new")

        assert (await desk.again(orders[0])).step == 2
        assert (await desk.again(orders[1])).status == "cancelled"
        assert refused.value.code == "instrument_unreadable"
        assert set(found) == {"instrument"}


async def test_without_the_list_of_instruments_those_that_are_asked_for_are_served(store_url: str) -> None:
    def spoil(client: Any, _: OrderState) -> None:
        client.delete(keys.INSTRUMENTS)
        client.set(keys.INSTRUMENTS, "x")

    async with a_desk(store_url) as desk:
        await desk.feed(bars(HISTORY))
        order = await desk.order(min_steps=6)
    with Redis.from_url(store_url, decode_responses=True) as client:
        spoil(client, order)
    store = RedisStore.at(store_url, lookback=96)
    assert await store.instruments() == []
    assert await store.instrument(BTC) == an_instrument()
    assert await store.order(order.order_id) == order
    await store.close()


async def test_an_old_bar_that_is_not_understood_is_a_hole_in_the_history(store_url: str) -> None:
    def spoil(client: Any, _: OrderState) -> None:
        entry = keys.bar_id(bars(HISTORY)[10].open_time)
        newer = client.xrange(keys.bars(BTC), f"({entry}", "+")
        client.xtrim(keys.bars(BTC), minid=entry)
        client.delete(keys.bars(BTC))
        client.xadd(keys.bars(BTC), {"json": '{"v":9}'}, id=entry)
        for name, fields in newer:
            client.xadd(keys.bars(BTC), fields, id=name)

    async with a_spoilt_desk(store_url, spoil) as (desk, orders, found):
        await desk.feed(bars(HISTORY + 1)[HISTORY:])

        assert (await desk.again(orders[1])).step == 2
        assert await desk.store.bars_since(BTC, bars(1)[0].open_time, 1) == [bars(HISTORY)[11]]
        assert found == ["instrument"]


async def test_a_newest_bar_that_is_not_understood_is_refused_by_name(store_url: str) -> None:
    """Nothing can be put behind it, since nobody knows when it closes."""

    def spoil(client: Any, _: OrderState) -> None:
        client.xadd(keys.bars(BTC), {"json": '{"v":9}'}, id=keys.bar_id(bars(HISTORY + 1)[-1].open_time))

    async with a_spoilt_desk(store_url, spoil) as (desk, _, found):
        with pytest.raises(Unavailable) as refused:
            await desk.store.bars_before(BTC, None, 1)

        assert refused.value.code == "instrument_unreadable"
        assert found == ["instrument"]


async def test_an_order_whose_slices_are_not_understood_is_left_out_of_the_analysis_of_all(
    store_url: str,
) -> None:
    async with a_desk(store_url) as desk:
        await desk.feed(bars(HISTORY))
        spoilt, other = await desk.order("spoilt"), await desk.order("other")
        with Redis.from_url(store_url, decode_responses=True) as client:
            slices_of_another_type(client, spoilt)

        found = await desk.engine.analyses.of_orders(WantedOrders())
        with pytest.raises(Unavailable) as refused:
            await desk.engine.analyses.of_order(spoilt.order_id)

    assert refused.value.code == "order_unreadable"
    assert [each.state.order_id for each in found.orders] == [other.order_id]
    assert found.left_out == ()
