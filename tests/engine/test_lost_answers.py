"""An order whose recording was never answered is an order all the same: it gets its slices though the feed is silent,
and whoever waits for it hears of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from app.domain.errors import Unavailable
from app.domain.state import OrderState
from app.store.commits import COMMIT_ORDERS, CREATE_ORDER
from app.store.redis_store import RedisStore
from tests.builders import an_order, at, bars
from tests.engine.desk import Desk, ManualClock, a_desk
from tests.store.proxy import Proxy, a_proxy

HISTORY = 20
A_SECOND = timedelta(seconds=1)
GRACE = 31 * A_SECOND
"""A little more than what orders wait for a late bar of 15 minutes."""


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(at(HISTORY) + 60 * A_SECOND)


@pytest.fixture
async def proxy(store_url: str, tmp_path: Path) -> AsyncIterator[Proxy]:
    async with a_proxy(store_url, tmp_path) as proxy:
        yield proxy


@pytest.fixture
async def live(proxy: Proxy, clock: ManualClock) -> AsyncIterator[Desk]:
    """An engine on the wall clock, a minute after the newest bar, that reaches its store through the proxy."""
    async with a_desk(proxy.url, clock=clock, store=RedisStore.at(proxy.url, lookback=96), grace_seconds=2) as desk:
        await desk.feed(bars(HISTORY))
        first = await desk.order("first")
        await desk.engine.orders.cancel(first.order_id)  # the server knows the scripts from now on
        yield desk


async def late(live: Desk, clock: ManualClock, step: int) -> None:
    """The watchdog's look when that step's window has opened without a bar."""
    clock.time = at(HISTORY + step) + GRACE
    await live.engine.late_slices.give()


async def test_an_order_whose_creation_was_answered_late_gets_its_slices_on_a_silent_feed(
    live: Desk, clock: ManualClock, proxy: Proxy
) -> None:
    proxy.cut(CREATE_ORDER.digest.encode())

    order, created = await live.engine.orders.submit(an_order())
    await late(live, clock, 1)
    first = (await live.again(order)).step
    await late(live, clock, 2)

    assert proxy.lost == 1
    assert created
    assert (first, (await live.again(order)).step) == (1, 2)
    assert live.counts["order accepted"] == 2


async def test_an_order_that_is_only_known_by_its_repeated_submission_gets_its_slices(
    live: Desk, clock: ManualClock, proxy: Proxy
) -> None:
    """Neither the call nor its own repetition was answered."""
    proxy.cut(CREATE_ORDER.digest.encode(), cuts=2)
    with pytest.raises(Unavailable):
        await live.engine.orders.submit(an_order())

    order, created = await live.engine.orders.submit(an_order())
    await late(live, clock, 1)

    assert not created
    assert (await live.again(order)).step == 1


async def test_an_order_that_nobody_submits_again_gets_its_slices(live: Desk, clock: ManualClock, proxy: Proxy) -> None:
    proxy.cut(CREATE_ORDER.digest.encode(), cuts=2)
    with pytest.raises(Unavailable):
        await live.engine.orders.submit(an_order())

    await late(live, clock, 1)

    assert (await live.again(an_order())).step == 1


async def test_an_order_of_a_process_that_died_gets_its_slices_once_somebody_asks_for_it(
    live: Desk, clock: ManualClock, proxy: Proxy
) -> None:
    """The other process had the instrument open and did not see the order come."""
    async with a_desk(proxy.url, clock=clock, grace_seconds=2) as other:
        order = await other.order()

    await live.engine.queries.next_slice(order.order_id)
    await late(live, clock, 1)

    assert (await live.again(order)).step == 1


async def test_an_order_on_an_instrument_that_is_not_open_here_opens_it(
    live: Desk, clock: ManualClock, proxy: Proxy
) -> None:
    async with a_desk(proxy.url, clock=clock, grace_seconds=2) as other:
        order = await other.order()
    live.engine._live.forget("BTC-USDT")

    await live.engine.queries.next_slice(order.order_id)
    async with asyncio.timeout(10):
        while not live.engine._live.opened:  # noqa: ASYNC110 -- recovery opens it by itself
            await asyncio.sleep(0)
    await late(live, clock, 1)

    assert (await live.again(order)).step == 1


@pytest.mark.parametrize("cuts", [1, 2])
async def test_who_waits_for_a_slice_hears_of_it_though_its_commit_was_not_answered(
    live: Desk, clock: ManualClock, proxy: Proxy, cuts: int
) -> None:
    order = await live.order()
    waiting = asyncio.create_task(live.engine.queries.next_slice(order.order_id, 30))
    await until_it_waits(live, order)
    proxy.cut(COMMIT_ORDERS.digest.encode(), cuts=cuts)

    failed = await _failed_look(live, clock, at(HISTORY + 1) + GRACE)
    async with asyncio.timeout(10):
        state = await waiting

    assert failed == (cuts == 2)
    assert state.slice is not None
    assert live.counts["fallback bar_late"] == (1 if cuts == 1 else 0)


async def _failed_look(live: Desk, clock: ManualClock, now: datetime) -> bool:
    clock.time = now
    try:
        await live.engine.late_slices.give()
    except Unavailable:
        return True
    return False


async def until_it_waits(live: Desk, order: OrderState) -> None:
    waiters = live.engine.queries._waiters
    async with asyncio.timeout(10):
        while not waiters._waiting.get(order.order_id):  # noqa: ASYNC110 -- no event tells of it
            await asyncio.sleep(0)
    await live.again(order)  # the waiter has read the order by then


async def test_a_cancel_whose_commit_was_answered_late_is_counted_once(live: Desk, proxy: Proxy) -> None:
    order = await live.order()
    before = live.counts["order cancelled"]
    proxy.cut(COMMIT_ORDERS.digest.encode())

    cancelled = await live.engine.orders.cancel(order.order_id)

    assert proxy.lost == 1
    assert cancelled.status == "cancelled"
    assert live.counts["order cancelled"] == before + 1
