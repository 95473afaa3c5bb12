"""What processes tell each other, and that nobody waits for ever where it is not heard."""

from __future__ import annotations

import asyncio
from datetime import datetime

import pytest
from redis import Redis

from app.domain.bar import Bar
from app.store.redis_store import RedisStore
from tests.builders import bars
from tests.engine.processes import (
    HISTORY,
    SYMBOL,
    left_to_a_dead_process,
    other,
    owner,
    processes,
    sharing,
    until,
)


async def test_a_process_that_missed_notices_looks_for_all_that_they_would_have_told(store_url: str) -> None:
    async with processes(store_url, "one", "two") as desks:
        made = bars(HISTORY + 2)
        await desks[0].feed(made[:HISTORY])
        order = await desks[0].order(min_steps=4)
        with Redis.from_url(store_url) as client:
            client.client_kill_filter(_type="pubsub")

        answer = await other(desks).feed([made[HISTORY]])
        moved = await other(desks).again(order)
        await until(desks[0], lambda: all(desk.counts["notices missed"] for desk in desks))

    assert answer.decided
    assert moved.step == 2


async def test_a_process_that_fails_over_a_notice_goes_on_listening(
    store_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with processes(store_url, "one", "two") as desks:
        made = bars(HISTORY + 2)
        await desks[0].feed(made[:HISTORY])
        order = await desks[0].order(min_steps=4)
        follower, failed = sharing(owner(desks))._follower, asyncio.Event()
        hear = follower.hear

        def fail_once(notice: object) -> None:
            if not failed.is_set():
                failed.set()
                raise RuntimeError("the handler is closed")
            hear(notice)

        monkeypatch.setattr(follower, "hear", fail_once)
        answers = [await other(desks).feed([bar]) for bar in made[HISTORY:]]
        moved = await owner(desks).again(order)

    assert failed.is_set()
    assert answers[-1].decided
    assert moved.step == 3


async def test_an_owner_that_has_not_heard_of_a_bar_decides_when_it_is_asked(store_url: str) -> None:
    async with processes(store_url, "one", "two") as desks:
        made = bars(HISTORY + 1)
        await desks[0].feed(made[:HISTORY])
        order = await desks[0].order(min_steps=4)
        silent = RedisStore.at(store_url, lookback=96)  # of no process, so that nobody is told
        assert await silent.append_bars(SYMBOL, made[HISTORY:], made[HISTORY - 1].open_time)
        await silent.close()

        answer = await other(desks).feed([made[HISTORY]])

        moved = await other(desks).again(order)
    assert answer.decided
    assert moved.step == 2


async def test_an_instrument_that_is_taken_over_while_it_is_opened_is_decided_on(
    store_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else whoever has opened it would leave it to its dead owner for ever."""
    async with processes(store_url, "one") as [one]:
        made = bars(HISTORY + 1)
        await one.feed(made[:HISTORY])
        order = await one.order(min_steps=4)
        await left_to_a_dead_process(one)
        read = one.store.bars_before

        async def taken_over_meanwhile(symbol: str, before: datetime | None, count: int) -> list[Bar]:
            found = await read(symbol, before, count)
            if not sharing(one).owns(symbol):
                await sharing(one)._beat()
            return found

        monkeypatch.setattr(one.store, "bars_before", taken_over_meanwhile)
        answer = await one.feed([made[HISTORY]])
        moved = await one.again(order)

    assert answer.decided
    assert moved.step == 2


async def test_a_bar_that_another_process_has_taken_is_told_and_not_read_again(store_url: str) -> None:
    async with processes(store_url, "one", "two") as desks:
        made = bars(HISTORY + 6)
        await desks[0].feed(made[:HISTORY])
        order = await desks[0].order(min_steps=7, max_steps=8)
        await other(desks).feed([made[HISTORY]])
        with Redis.from_url(store_url, decode_responses=True) as client:
            client.config_resetstat()
            for desk, bar in zip([owner(desks), other(desks)] * 3, made[HISTORY + 1 :], strict=False):
                assert (await desk.feed([bar])).decided
            calls = client.info("commandstats")

        moved = await owner(desks).again(order)
    assert "cmdstat_xrange" not in calls
    assert moved.step == 7
