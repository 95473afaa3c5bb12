"""Several processes on one store decide as one process would, whichever of them is sent bars, orders and fills."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import datetime, timedelta
from time import monotonic
from typing import Any

import pytest
from redis import Redis

from app.domain.bar import Bar
from app.domain.order import Fills
from app.domain.slice import Slice
from app.domain.state import OrderState
from app.engine.ownership.rendezvous import preferred
from app.engine.tasks import end
from app.store import keys
from app.store.redis_store import RedisStore
from tests.builders import a_fill, an_instrument, at, bars
from tests.engine.desk import Desk, ManualClock, a_desk

HISTORY = 20
PATIENT_SECONDS = 60
SYMBOL = "BTC-USDT"


@asynccontextmanager
async def processes(url: str, *names: str, **options: Any) -> AsyncIterator[list[Desk]]:
    """So many processes on the store. Each of them knows all others when it opens."""
    async with AsyncExitStack() as opened, asyncio.timeout(PATIENT_SECONDS):
        desks = [await opened.enter_async_context(a_desk(url, process=name, **options)) for name in names]
        for desk in desks:
            await until(desk, lambda desk=desk: sharing(desk).processes == len(names))
        yield desks


def sharing(desk: Desk) -> Any:
    assert desk.engine.sharing is not None
    return desk.engine.sharing


async def until(desk: Desk, holds: Any) -> None:
    """Look with every beat of the process whether it holds."""
    while not holds():
        sharing(desk)._look.set()
        await asyncio.sleep(0.01)


def held(desk: Desk) -> set[str]:
    return set(sharing(desk)._leases.held)


def owner(desks: Sequence[Desk], symbol: str = SYMBOL) -> Desk:
    [found] = [desk for desk in desks if sharing(desk).owns(symbol)]
    return found


def other(desks: Sequence[Desk], symbol: str = SYMBOL) -> Desk:
    return next(desk for desk in desks if not sharing(desk).owns(symbol))


async def a_day(desks: Sequence[Desk], count: int = 12) -> list[list[Slice]]:
    """Bars, orders and fills go to the processes in turn; the slices of all orders at the end."""
    made, orders = bars(HISTORY + count), list[OrderState]()
    await desks[0].feed(made[:HISTORY])
    for number, bar in enumerate(made[HISTORY:]):
        desk = desks[number % len(desks)]
        if number < 4:
            fills = Fills.REPORTED if number % 2 else Fills.ASSUMED
            orders.append(await desk.order(f"oms-{number}", min_steps=4, max_steps=8, fills=fills))
        reported = [each for each in orders if each.order.fills is Fills.REPORTED]
        for each in reported:
            state = await desk.again(each)
            if state.status.live and state.current is not None and state.current.quantity:
                fill = a_fill(state, execution_id=f"{number}", quantity=state.current.quantity / 2, price=bar.open)
                await desk.engine.fills.report(state.order_id, fill)
        assert (await desks[(number + 1) % len(desks)].feed([bar])).decided
    return [await desks[0].slices(each) for each in orders]


async def test_two_processes_give_the_very_same_slices_as_one(store_url: str) -> None:
    async with a_desk(store_url) as alone:
        by_one = await a_day([alone])
    with Redis.from_url(store_url) as client:
        client.flushall()

    async with processes(store_url, "one", "two") as desks:
        by_two = await a_day(desks)

    assert by_two == by_one
    assert min(map(len, by_two)) >= 4


async def test_a_poll_wakes_by_a_bar_that_comes_to_another_process(store_url: str) -> None:
    async with processes(store_url, "one", "two") as desks:
        made = bars(HISTORY + 2)
        await desks[0].feed(made[:HISTORY])
        order = await owner(desks).order(min_steps=4, start_time=at(HISTORY + 1))
        for poller, feeder in ((other(desks), owner(desks)), (owner(desks), other(desks))):
            asking = asyncio.create_task(poller.engine.queries.next_slice(order.order_id, wait_seconds=30))
            while not poller.engine._waiters._count:  # noqa: ASYNC110 -- no event comes
                await asyncio.sleep(0)
            began = monotonic()

            await feeder.feed([made.pop(HISTORY)])

            found = await asking
            assert found.slice is not None
            assert monotonic() - began < 10, "it was woken, and did not wait for its time to be over"
            order = await owner(desks).order("oms-2", min_steps=4, start_time=at(HISTORY + 2))


async def test_instruments_are_shared_and_a_process_that_joins_gets_its_part(store_url: str) -> None:
    symbols = {f"I-{number}" for number in range(12)}
    made = bars(4)
    theirs = {symbol for symbol in symbols if preferred(symbol, ["one", "two"]) == "two"}
    async with processes(store_url, "one") as [one]:
        for symbol in symbols:
            await one.engine.instruments.put(an_instrument(symbol=symbol))
            await one.feed(made[:3], symbol)
        assert symbols <= held(one)

        async with a_desk(store_url, process="two") as two:
            await until(two, lambda: theirs <= held(two))
            answers = [await two.feed([made[3]], symbol) for symbol in symbols]

        await until(one, lambda: symbols <= held(one))

    assert 0 < len(theirs) < len(symbols)
    assert all(each.decided for each in answers)


async def test_a_process_that_ends_in_order_gives_its_instruments_back_at_once(store_url: str) -> None:
    async with processes(store_url, "one", "two") as desks:
        made = bars(HISTORY + 2)
        await desks[0].feed(made[:HISTORY])
        order = await desks[0].order(min_steps=4)
        leaving, staying = owner(desks), other(desks)

        await sharing(leaving).stop()
        answer = await staying.feed([made[HISTORY]])

        moved = await staying.again(order)
        assert sharing(staying).owns(SYMBOL)
    assert answer.decided
    assert moved.step == 2
    assert staying.counts["takeovers"] == 0


async def test_an_owner_that_was_overtaken_commits_nothing_and_the_new_one_decides(store_url: str) -> None:
    """As a process that was stopped and goes on: it believes to be the owner until its commit is refused."""
    async with processes(store_url, "one", "two") as desks:
        made = bars(HISTORY + 2)
        await desks[0].feed(made[:HISTORY])
        order = await desks[0].order(min_steps=4)
        old, new = owner(desks), other(desks)
        with Redis.from_url(store_url) as client:  # nobody gives notice of it
            client.hincrby(keys.instrument(SYMBOL), "fence", 1)
            client.hset(keys.instrument(SYMBOL), "owner", sharing(new)._store.process)
        await sharing(new)._leases.read([SYMBOL])
        assert sharing(old).owns(SYMBOL)

        answer = await old.feed([made[HISTORY]])

        moved = await new.again(order)
        slices = await new.slices(order)
    assert old.counts["owner changes"] >= 2, "its lease came and went"
    assert (answer.accepted, answer.decided) == (1, True)
    assert (moved.step, len(slices)) == (2, 2)


async def test_a_silent_feed_has_its_late_slice_from_the_owner_though_the_order_came_to_another_process(
    store_url: str,
) -> None:
    clock = ManualClock(at(HISTORY))
    async with processes(store_url, "one", "two", clock=clock, grace_seconds=2) as desks:
        await desks[0].feed(bars(HISTORY))
        order = await other(desks).order(min_steps=4)
        clock.time = at(HISTORY + 1) + timedelta(seconds=3)
        deciding = owner(desks)

        while (await deciding.again(order)).step < 2:
            await deciding.engine.late_slices.give()

        slices = await deciding.slices(order)
    assert [piece.decided.fallback_reason for piece in slices] == [None, "bar_late"]


async def test_bars_whose_owner_does_not_answer_are_durable_and_said_to_be_undecided(
    store_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.engine.ownership.decisions.DECIDED_SECONDS_MAX", 0.3)
    async with processes(store_url, "one", "two") as desks:
        made: list[Bar] = bars(HISTORY + 1)
        await desks[0].feed(made[:HISTORY])
        hung = owner(desks)
        async with hung.engine._live.locked(SYMBOL):
            answer = await other(desks).feed([made[HISTORY]])
        recorded = await hung.store.bars_before(SYMBOL, None, 1)

    assert (answer.accepted, answer.decided) == (1, False)
    assert recorded == [made[HISTORY]]


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


async def left_to_a_dead_process(desk: Desk) -> None:
    """The process knows it, and has no beat any more but those of the test."""
    await end(sharing(desk)._tasks[-1])
    store = sharing(desk)._store
    [known] = await store.leases([SYMBOL])
    await store.assign(SYMBOL, known, "a dead one")
    await sharing(desk)._leases.read_all()


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


async def test_leases_are_kept_by_one_write_however_many_instruments_there_are(store_url: str) -> None:
    async with processes(store_url, "one") as [one]:
        for number in range(8):
            await one.engine.instruments.put(an_instrument(symbol=f"I-{number}"))
            await one.feed(bars(1), f"I-{number}")
        with Redis.from_url(store_url, decode_responses=True) as client:
            client.config_resetstat()
            await sharing(one)._beat()
            calls = client.info("commandstats")
            scores = client.zrange(keys.PROCESSES, 0, -1)

    assert calls["cmdstat_zadd"]["calls"] == calls["cmdstat_evalsha"]["calls"] <= 2
    assert scores == ["one"]


async def test_a_process_that_is_late_with_every_beat_takes_over_at_its_second_one(store_url: str) -> None:
    async with processes(store_url, "one") as [one]:
        await one.feed(bars(HISTORY))
        await left_to_a_dead_process(one)
        taken = []
        for _ in range(2):
            sharing(one)._beaten_at = monotonic() - 60
            await sharing(one)._beat()
            taken.append(sharing(one).owns(SYMBOL))

    assert taken == [False, True]


async def test_an_instrument_of_a_dead_process_counts_as_unowned_until_another_takes_it(store_url: str) -> None:
    async with processes(store_url, "one") as [one]:
        await one.feed(bars(HISTORY))
        await end(sharing(one)._tasks[-1])  # no beat takes it before it is counted
        store, seen = sharing(one)._store, [sharing(one).unowned]
        [known] = await store.leases([SYMBOL])
        await store.assign(SYMBOL, known, "a dead one")
        await sharing(one)._leases.read_all()
        seen.append(sharing(one).unowned)
        await sharing(one)._beat()
        seen.append(sharing(one).unowned)

    assert seen == [0, 1, 0]
