"""Several processes on one store decide as one process would, whichever of them is sent bars, orders and fills."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from time import monotonic

import pytest
from redis import Redis

from app.domain.bar import Bar
from app.domain.order import Fills
from app.domain.slice import Slice
from app.domain.state import OrderState
from app.engine.ownership.rendezvous import preferred
from app.engine.tasks import end
from app.store import keys
from tests.builders import a_fill, an_instrument, at, bars
from tests.engine.desk import Desk, ManualClock, a_desk
from tests.engine.processes import (
    HISTORY,
    SYMBOL,
    held,
    left_to_a_dead_process,
    other,
    owner,
    processes,
    sharing,
    until,
)


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
