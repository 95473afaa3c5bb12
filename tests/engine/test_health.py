"""A service that lives and decides nothing is not ready, and says why."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta

import pytest
from redis.asyncio import Redis

from app.engine import health
from app.engine.watchdog import watching
from tests.builders import an_instrument, at, bars
from tests.engine.desk import Desk, ManualClock, a_desk
from tests.engine.policies import Hanging, Reader

HISTORY = 20


async def reasons(desk: Desk) -> tuple[str, ...]:
    return (await desk.engine.health.readiness()).reasons


async def until(holds: Callable[[], bool]) -> None:
    for _ in range(5_000):
        if holds():
            return
        await asyncio.sleep(0.002)
    raise AssertionError


async def test_a_service_whose_parts_all_run_is_ready(desk: Desk) -> None:
    async with watching(desk.engine):
        readiness = await desk.engine.health.readiness()

    assert readiness.ready
    assert (readiness.reasons, readiness.feeds_silent) == ((), ())


async def test_a_watchdog_that_has_ended_is_told(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    async def cancelled() -> None:
        raise asyncio.CancelledError

    monkeypatch.setattr(desk.engine.late_slices, "give", cancelled)
    async with watching(desk.engine):
        await until(lambda: desk.engine.health._watchdog is not None and desk.engine.health._watchdog.done())
        stopped = await desk.engine.health.readiness()

    assert (stopped.ready, stopped.reasons) == (False, ("watchdog_stopped",))
    assert await reasons(desk) == ()


async def test_a_watchdog_that_does_not_get_to_the_end_of_its_look_is_told(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    hangs = asyncio.Event()
    monkeypatch.setattr(health, "WATCHDOG_LAG_SECONDS_MAX", 0.01)
    monkeypatch.setattr(desk.engine.late_slices, "give", hangs.wait)

    async with watching(desk.engine, look_seconds=0.0):
        await asyncio.sleep(0.02)
        while_it_hangs = await reasons(desk)
        hangs.set()
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        once_it_looks = await reasons(desk)

    assert (while_it_hangs, once_it_looks) == (("watchdog_lags",), ())


async def test_a_recovery_that_has_ended_is_told(desk: Desk) -> None:
    task = desk.engine.recovery._task
    assert task is not None

    task.cancel()
    await until(task.done)

    assert await reasons(desk) == ("recovery_stopped",)


async def test_a_store_that_hangs_is_told_soon_and_asked_once_at_a_time(
    desk: Desk, store_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(health, "STORE_SECONDS_MAX", 0.05)
    async with Redis.from_url(store_url) as client:
        await client.client_pause(250)  # milliseconds

    first, asked = await reasons(desk), desk.engine.health._recovered.asked
    second, asked_again = await reasons(desk), desk.engine.health._recovered.asked

    assert (first, second) == (("store_unavailable",), ("store_unavailable",))
    assert asked is not None
    assert asked is asked_again
    await asked
    assert await reasons(desk) == ()


async def test_a_model_that_hangs_for_long_is_told_until_it_returns(
    store_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(health, "MODEL_HANGS_SECONDS_MAX", 0.0)
    policy = Hanging()
    async with a_desk(store_url, policies=[policy, Reader()]) as desk:
        desk.engine._decider._thread._seconds_max = 0.1
        await desk.feed(bars(HISTORY))
        before = await reasons(desk)
        order = await desk.order()
        while_it_hangs = await reasons(desk)
        policy.released.set()
        await until(lambda: desk.engine._decider.hanging_seconds == 0.0)
        after = await reasons(desk)

    assert order.current is not None
    assert (before, while_it_hangs, after) == ((), ("model_hangs",), ())


@pytest.mark.parametrize(("late_seconds", "silent"), [(900, ()), (901, ("BTC-USDT",))])
async def test_a_silent_feed_is_told_and_leaves_the_service_ready(
    store_url: str, late_seconds: int, silent: tuple[str, ...]
) -> None:
    """A bar after the one that should have come; the other instrument is as silent, but nobody waits for it."""
    clock = ManualClock(at(HISTORY))
    async with a_desk(store_url, clock=clock) as desk:
        await desk.engine.instruments.put(an_instrument(symbol="IDLE"))
        for symbol in ("BTC-USDT", "IDLE"):
            await desk.feed(bars(HISTORY), symbol)
        order = await desk.order()

        clock.time = at(HISTORY + 1) + timedelta(seconds=late_seconds)
        readiness = await desk.engine.health.readiness()
        await desk.engine.orders.cancel(order.order_id)
        clock.time += timedelta(seconds=1800)  # what was in flight is over by the clock
        await desk.engine.late_slices.give()
        without_orders = await desk.engine.health.readiness()

    assert readiness.ready
    assert readiness.feeds_silent == silent
    assert without_orders.feeds_silent == ()


async def test_a_feed_that_comes_back_is_silent_no_longer(store_url: str) -> None:
    clock = ManualClock(at(HISTORY))
    async with a_desk(store_url, clock=clock) as desk:
        await desk.feed(bars(HISTORY))
        await desk.order(min_steps=12)
        clock.time = at(HISTORY + 5)
        silent = desk.engine.feeds.silent()
        [feed] = desk.engine.feeds.all()

        await desk.feed(bars(HISTORY + 5)[HISTORY:])

        [again] = desk.engine.feeds.all()
    assert silent == ["BTC-USDT"]
    assert (feed.age_seconds, feed.overdue_seconds) == (5 * 900, 4 * 900)
    assert (again.age_seconds, again.overdue_seconds, again.silent) == (0, 0, False)


async def test_a_feed_is_not_overdue_while_its_exchange_is_closed(store_url: str) -> None:
    """XNYS from Friday's close at 21:00 to Monday's open at 14:30, and an hour on: the first bar closes at 14:45."""
    friday = bars(26, first=4 * 96 + 58)
    clock = ManualClock(friday[-1].close_time)
    async with a_desk(store_url, clock=clock, instrument=an_instrument(calendar="XNYS")) as desk:
        await desk.feed(friday)
        await desk.order()

        clock.time += timedelta(hours=65, minutes=30)
        [closed] = desk.engine.feeds.all()
        clock.time += timedelta(hours=1)
        [opened] = desk.engine.feeds.all()

    assert (closed.age_seconds, closed.overdue_seconds, closed.silent) == (65.5 * 3600, 0, False)
    assert (opened.overdue_seconds, opened.silent) == (45 * 60, True)
