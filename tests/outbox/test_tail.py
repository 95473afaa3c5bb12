"""Everyone who follows events is told each of them once and in one order, wherever he begins."""

from __future__ import annotations

import pytest
from redis import Redis

from app.outbox import tail as room
from app.outbox.log import OLDEST
from app.outbox.tail import TailClosed
from app.store import keys
from tests.builders import an_instrument, bars
from tests.engine.desk import Desk
from tests.outbox.following import a_tail, clock_moves_on, recorded, told

HISTORY = 100


async def test_who_follows_is_told_what_happens_from_then_on(desk: Desk) -> None:
    await desk.feed(bars(HISTORY))
    await desk.order("before")
    await clock_moves_on(desk.store.events)
    async with a_tail(desk) as tail, tail.following(None) as follower:
        state = await desk.order("after")
        await desk.engine.orders.cancel(state.order_id)

        events = await told(follower, 4)

    assert {each.order_id for each in events} == {state.order_id}
    began = ["order.accepted", "order.working", "slice.committed"]
    assert [each.event.what.name for each in events] == [*began, "order.cancelled"]


async def test_whoever_begins_at_an_event_is_told_all_behind_it_in_the_same_order(desk: Desk) -> None:
    await desk.feed(bars(HISTORY))
    async with a_tail(desk) as tail, tail.following(None) as follower:
        for number in range(5):
            await desk.order(f"oms-{number}")
        await desk.feed(bars(HISTORY + 2)[HISTORY:])
        live = await told(follower, 25)
        again = await recorded(tail, len(live), OLDEST)
        rest = [await recorded(tail, len(live) - index - 1, each.place) for index, each in enumerate(live[:-1])]

    assert [each.place for each in live] == sorted({each.place for each in live})
    assert again == live
    assert rest == [live[index + 1 :] for index in range(len(live) - 1)]


async def test_who_follows_is_told_at_once_when_the_service_ends(desk: Desk) -> None:
    async with a_tail(desk) as tail, tail.following(None) as follower:
        tail.close()

        with pytest.raises(TailClosed):
            await follower.next(60)


async def test_who_falls_behind_what_is_kept_in_memory_reads_on_from_the_store(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "KEPT_EVENTS", 2)
    await desk.feed(bars(HISTORY))
    async with a_tail(desk) as tail, tail.following(None) as slow, tail.following(None) as fast:
        for number in range(6):
            await desk.order(f"oms-{number}")
            await told(fast, 3)
        events = await told(slow, 18)

    assert [each.place for each in events] == sorted({each.place for each in events})


async def test_an_event_whose_notice_was_lost_is_found_all_the_same(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "LOOK_SECONDS", 0.01)
    await desk.feed(bars(HISTORY))
    async with a_tail(desk) as tail, tail.following(None) as follower:
        desk.engine.on_news(lambda: None)
        state = await desk.order()

        events = await told(follower, 3)

    assert {each.order_id for each in events} == {state.order_id}


async def test_a_stream_that_is_not_understood_keeps_no_other_from_being_told(desk: Desk, store_url: str) -> None:
    await desk.feed(bars(HISTORY))
    await desk.engine.instruments.put(an_instrument(symbol="BAD"))
    with Redis.from_url(store_url) as client:
        client.set(keys.events("BAD"), "no stream")
    async with a_tail(desk) as tail, tail.following(None) as follower:
        state = await desk.order()

        events = await told(follower, 3)

    assert {each.order_id for each in events} == {state.order_id}


async def test_nothing_is_read_while_nobody_follows(desk: Desk) -> None:
    async with a_tail(desk) as tail:
        async with tail.following(None), tail.following(OLDEST):
            assert tail._task is not None

        assert tail._task is None
