"""`next_slice` waits for an event, for a bounded time."""

from __future__ import annotations

import asyncio

import pytest

from app.domain.errors import NotFound, Unavailable
from app.engine import waiters
from tests.builders import at, bars
from tests.engine.desk import Desk

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

    with pytest.raises(Unavailable) as refused:
        await desk.engine.queries.next_slice("any", 1)

    assert refused.value.code == "too_many_waiters"
