"""`next_slice` waits for an event, for a bounded time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Any

import pytest

from app.domain.errors import NotFound, Unavailable
from app.domain.state import OrderState
from app.engine import waiters
from app.engine.changes import Change
from app.engine.order_reads import READS_MAX
from app.store.redis_store import RedisStore
from tests.builders import at, bars
from tests.engine.desk import Desk, a_desk

HISTORY = 20
SOON_SECONDS = 10
"""Far less than the requests wait: they read the order once more when their time is over, woken or not."""


async def test_a_current_slice_is_given_at_once(desk: Desk) -> None:
    await desk.feed(bars(HISTORY))
    order = await desk.order()

    assert (await desk.engine.queries.next_slice(order.order.order_id, 30)).slice == order.current


async def test_a_waiting_request_is_woken_by_the_slice(desk: Desk) -> None:
    await desk.feed(bars(HISTORY))
    order = await desk.order(start_time=at(HISTORY + 1))

    async with asyncio.timeout(SOON_SECONDS), asyncio.TaskGroup() as group:
        waiting = group.create_task(desk.engine.queries.next_slice(order.order.order_id, 30))
        group.create_task(desk.feed(bars(HISTORY + 1)[HISTORY:]))

    current = waiting.result().slice
    assert current is not None
    assert current.window.start == at(HISTORY + 1)


async def test_a_waiting_request_is_woken_by_a_cancel(desk: Desk) -> None:
    await desk.feed(bars(HISTORY))
    order = await desk.order(start_time=at(HISTORY + 1))

    async with asyncio.timeout(SOON_SECONDS), asyncio.TaskGroup() as group:
        waiting = group.create_task(desk.engine.queries.next_slice(order.order.order_id, 30))
        group.create_task(desk.engine.orders.cancel(order.order.order_id))

    assert waiting.result().status == "cancelled"


class Deaf(RedisStore):
    """Does not hear the answer to the next commit."""

    deaf = False

    async def commit(self, changes: Sequence[Change]) -> list[OrderState | None]:
        answers = await super().commit(changes)
        if self.deaf:
            raise Unavailable("store_unavailable", "the answer is lost")
        return answers


async def test_a_waiting_request_is_woken_by_a_change_whose_answer_was_lost(store_url: str) -> None:
    store = Deaf.at(store_url, lookback=96)
    async with a_desk(store_url, store=store) as desk, asyncio.timeout(SOON_SECONDS):
        await desk.feed(bars(HISTORY))
        order = await desk.order(start_time=at(HISTORY + 1))
        waiting = asyncio.create_task(desk.engine.queries.next_slice(order.order_id, 30))
        await all_wait(desk, 1)
        store.deaf = True

        with pytest.raises(Unavailable):
            await desk.engine.orders.cancel(order.order_id)

        assert (await waiting).status == "cancelled"


async def test_the_wait_ends_without_a_slice_when_its_time_is_over(desk: Desk) -> None:
    await desk.feed(bars(HISTORY))
    order = await desk.order(start_time=at(HISTORY + 1))

    assert (await desk.engine.queries.next_slice(order.order.order_id, 0.02)).slice is None


async def test_an_unknown_order_is_not_waited_for(desk: Desk) -> None:
    with pytest.raises(NotFound) as refused:
        await desk.engine.queries.next_slice("nobody", 30)

    assert refused.value.code == "unknown_order"


async def test_the_number_of_waiting_requests_is_bounded(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiters, "WAITERS_MAX", 0)
    await desk.feed(bars(HISTORY))
    order = await desk.order(start_time=at(HISTORY + 1))

    with pytest.raises(Unavailable) as refused:
        await desk.engine.queries.next_slice(order.order_id, 1)

    assert refused.value.code == "too_many_waiters"


async def test_who_need_not_wait_is_answered_however_many_wait(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiters, "WAITERS_MAX", 0)
    await desk.feed(bars(HISTORY))
    with_slice = await desk.order()
    without = await desk.order("oms-2", start_time=at(HISTORY + 1))
    ended = await desk.order("oms-3", start_time=at(HISTORY + 1))
    await desk.engine.orders.cancel(ended.order_id)

    assert (await desk.engine.queries.next_slice(with_slice.order_id, 30)).slice is not None
    assert (await desk.engine.queries.next_slice(without.order_id, 0)).slice is None
    assert (await desk.engine.queries.next_slice(ended.order_id, 30)).status == "cancelled"


async def test_who_waits_is_answered_at_once_when_the_service_ends(desk: Desk) -> None:
    await desk.feed(bars(HISTORY))
    order = await desk.order(start_time=at(HISTORY + 1))
    waiting = asyncio.create_task(desk.engine.queries.next_slice(order.order_id, 30))
    await all_wait(desk, 1)

    desk.engine.release_waiters()

    async with asyncio.timeout(SOON_SECONDS):
        assert (await waiting).slice is None
        assert (await desk.engine.queries.next_slice(order.order_id, 30)).slice is None


async def all_wait(desk: Desk, count: int) -> None:
    async with asyncio.timeout(SOON_SECONDS):
        async for waiting in waiting_in(desk):
            if waiting == count:
                return


async def waiting_in(desk: Desk) -> AsyncIterator[int]:
    """How many requests wait, looked at in each round of the loop."""
    while True:
        yield desk.engine._waiters._count
        await asyncio.sleep(0)


async def test_all_who_wait_for_an_order_are_answered_without_reading_it_again(desk: Desk) -> None:
    await desk.feed(bars(HISTORY))
    order = await desk.order(start_time=at(HISTORY + 1))
    asking = [asyncio.create_task(desk.engine.queries.next_slice(order.order_id, 30)) for _ in range(1_000)]
    await all_wait(desk, len(asking))
    before = await orders_read(desk)

    await desk.feed(bars(HISTORY + 1)[HISTORY:])

    assert all(state.slice is not None for state in await asyncio.gather(*asking))
    assert await orders_read(desk) - before < 10


async def test_requests_for_the_same_order_share_a_read_while_they_queue(desk: Desk) -> None:
    await desk.feed(bars(HISTORY))
    order = await desk.order()
    before = await orders_read(desk)

    found = await asyncio.gather(*(desk.engine.queries.order(order.order_id) for _ in range(1_000)))

    assert found == [order] * 1_000
    assert await orders_read(desk) - before <= READS_MAX + 1


async def orders_read(desk: Desk) -> int:
    counted: Any = await desk.store._client.info("commandstats")
    return int(counted["cmdstat_hmget"]["calls"])
