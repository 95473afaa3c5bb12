"""Bars go first: what takes long besides pauses for them, and a feed that does not await its answers is refused."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from app.domain.errors import Unavailable
from app.engine import feed_lines, order_reads, right_of_way
from app.engine.prompt_answers import PromptAnswers
from app.engine.right_of_way import RightOfWay
from app.engine.tasks import shared
from app.store.redis_store import RedisStore
from tests.builders import at, bars
from tests.engine.desk import Desk, a_desk

HISTORY = 20
SOON_SECONDS = 10


def test_whoever_holds_it_last_lets_others_go_on() -> None:
    way, told = RightOfWay(), []
    with way.held():
        way.when_free(lambda: told.append("free"))
        with way.held():
            pass
        assert (way.taken, told) == (True, [])

    assert (way.taken, told) == (False, ["free"])


async def test_work_on_a_thread_pauses_until_nobody_holds_it() -> None:
    way, events = RightOfWay(), []

    def work() -> None:
        way.pausing()()
        events.append("work")

    with way.held():
        working = asyncio.create_task(asyncio.to_thread(work))
        await asyncio.sleep(0.02)
        events.append("bars")
    await asyncio.wait_for(working, SOON_SECONDS)

    assert events == ["bars", "work"]


def test_work_pauses_for_a_bounded_time_in_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(right_of_way, "PAUSE_SECONDS_MAX", 0.01)
    way = RightOfWay()

    with way.held():
        pause = way.pausing()
        for _ in range(3):
            pause()


class Slow(RedisStore):
    """Appends bars once it is told to, and tells whether commits come with the right of way."""

    go_on: asyncio.Event
    holds: Any = None

    async def append_bars(self, *args: Any, **options: Any) -> bool:
        await self.go_on.wait()
        return await super().append_bars(*args, **options)

    async def commit(self, *args: Any, **options: Any) -> Any:
        self.held = self.holds()
        return await super().commit(*args, **options)


async def test_bars_hold_it_until_their_slices_are_there(store_url: str) -> None:
    store = Slow.at(store_url, lookback=96, allow_lossy=True)
    store.go_on = asyncio.Event()
    store.go_on.set()
    async with a_desk(store_url, store=store) as desk:
        store.holds = lambda: desk.engine.right_of_way.taken
        await desk.feed(bars(HISTORY))
        await desk.order()

        await desk.feed(bars(HISTORY + 1)[HISTORY:])

        assert store.held
        assert not desk.engine.right_of_way.taken


async def test_more_requests_with_bars_of_one_instrument_than_may_wait_are_refused(store_url: str) -> None:
    store = Slow.at(store_url, lookback=96, allow_lossy=True)
    store.go_on = asyncio.Event()
    async with a_desk(store_url, store=store) as desk:
        feeding = [asyncio.create_task(desk.feed(bars(HISTORY))) for _ in range(feed_lines.REQUESTS_MAX)]
        await until(lambda: sum(desk.engine.bars._lines._requests.values()) == feed_lines.REQUESTS_MAX)

        with pytest.raises(Unavailable) as refused:
            await desk.feed(bars(HISTORY))
        store.go_on.set()
        taken = await asyncio.gather(*feeding)

        assert refused.value.code == "feed_too_fast"
        assert sum(each.accepted for each in taken) == HISTORY
        assert (await desk.feed(bars(HISTORY))).duplicates == HISTORY


async def until(condition: Any) -> None:
    async with asyncio.timeout(SOON_SECONDS):
        while not condition():  # noqa: ASYNC110 -- nothing tells
            await asyncio.sleep(0)


async def test_whoever_leaves_while_it_waits_for_a_slice_frees_its_place(desk: Desk) -> None:
    await desk.feed(bars(HISTORY))
    order = await desk.order(start_time=at(HISTORY + 1))
    leave: list[Any] = []

    class Client:
        def __init__(self, then: Any) -> None:
            leave.append(then)

        def __enter__(self) -> None: ...

        def __exit__(self, *_: object) -> None: ...

    waiting = asyncio.create_task(desk.engine.queries.next_slice(order.order_id, 30, Client))
    await until(lambda: desk.engine._waiters._count == 1)

    leave[0]()
    answer = await asyncio.wait_for(waiting, SOON_SECONDS)

    assert answer.slice is None
    assert desk.engine._waiters._count == 0


class HangingReads(RedisStore):
    """Reads an order once it is told to."""

    go_on: asyncio.Event

    async def order(self, order_id: str) -> Any:
        await self.go_on.wait()
        return await super().order(order_id)


async def test_while_all_reads_hang_those_that_come_are_refused_at_once(
    store_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(order_reads, "HANGING_SECONDS", 0.01)
    store = HangingReads.at(store_url, lookback=96, allow_lossy=True)
    store.go_on = asyncio.Event()
    async with a_desk(store_url, store=store) as desk:
        await desk.feed(bars(HISTORY))
        order = await desk.order()
        reading = [asyncio.create_task(desk.again(order)) for _ in range(order_reads.READS_MAX)]
        await until(lambda: desk.engine.queries._reads._silence.long)

        with pytest.raises(Unavailable) as refused:
            await desk.again(order)
        store.go_on.set()
        read = await asyncio.gather(*reading)

        assert refused.value.code == "store_unavailable"
        assert {state.order_id for state in read} == {order.order_id}
        assert (await desk.again(order)).order_id == order.order_id


async def test_an_operator_is_answered_with_what_was_known_until_a_question_has_been_open_for_long() -> None:
    go_on = asyncio.Event()
    go_on.set()
    asked = 0

    async def ask() -> int:
        nonlocal asked
        asked += 1
        await go_on.wait()
        return asked

    answers = PromptAnswers(ask)
    first = await answers.answer(30)
    go_on.clear()
    while_it_hangs = await answers.answer(30)
    after_long = await answers.answer(0)
    go_on.set()

    assert (first, while_it_hangs, after_long) == (1, 1, None)
    assert asked == 2
    assert await answers.answer(30) == 2


async def test_work_that_is_shared_runs_once_at_a_time() -> None:
    runs = 0

    async def work() -> int:
        nonlocal runs
        runs += 1
        await asyncio.sleep(0)
        return runs

    call = shared(work)

    assert await asyncio.gather(call(), call(), call()) == [1, 1, 1]
    assert await call() == 2
