"""How long orders wait for a late bar, and how the service learns that a feed is late."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from random import Random

import pytest

from app.clock.clocks import WallClock
from app.domain.order import Fills
from app.domain.state import OrderState
from app.engine import late_slices
from tests.builders import an_instrument, bars
from tests.builders import at as bar_at
from tests.engine.desk import Desk, ManualClock, a_desk
from tests.servers import flush

HISTORY = 20
SECONDS = 60
A_SECOND = timedelta(seconds=1)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(bar_at(HISTORY, SECONDS))


@pytest.fixture
async def live(store_url: str, clock: ManualClock) -> AsyncIterator[Desk]:
    """An engine on the wall clock with bars of a minute and the default grace of 6 s, at the newest bar's close."""
    async with a_desk(store_url, clock=clock, instrument=an_instrument(bar_seconds=SECONDS)) as desk:
        await desk.feed(bars(HISTORY, bar_seconds=SECONDS))
        yield desk


async def comes(live: Desk, clock: ManualClock, step: int, late_seconds: float) -> None:
    """The bar comes so late; the watchdog has looked every quarter of a second until then."""
    clock.time = max(clock.time, bar_at(step + 1, SECONDS))
    while clock.time < bar_at(step + 1, SECONDS) + timedelta(seconds=late_seconds):
        clock.time += timedelta(seconds=0.25)
        await live.engine.late_slices.give()
    await live.feed(bars(step + 1, bar_seconds=SECONDS)[step:])


async def test_only_the_first_slice_of_a_feed_that_is_always_late_is_a_fallback(live: Desk, clock: ManualClock) -> None:
    clock.time += A_SECOND
    order = await live.order(min_steps=6, max_steps=6)

    for step in range(HISTORY, HISTORY + 6):
        await comes(live, clock, step, 9)

    reasons = [piece.decided.fallback_reason for piece in await live.slices(order)]
    assert reasons == ["bar_late", None, None, None, None, None]
    assert live.counts["fallback bar_late"] == 1


async def test_what_a_service_has_learned_of_a_feed_it_knows_after_a_restart_and_others_know_it(
    live: Desk, clock: ManualClock, store_url: str
) -> None:
    clock.time += A_SECOND
    order = await live.order(min_steps=6, max_steps=6)
    await comes(live, clock, HISTORY, 9)

    async with a_desk(store_url, clock=clock, instrument=an_instrument(bar_seconds=SECONDS)) as other:
        await other.engine.queries.schedule(order.order_id)  # opens the instrument there
        for step in range(HISTORY + 1, HISTORY + 4):
            await comes(other, clock, step, 9)
        reasons = [piece.decided.fallback_reason for piece in await other.slices(order)]

    assert reasons == ["bar_late", None, None, None]


async def test_a_feed_in_bad_weather_costs_no_slice_but_those_of_missing_bars(
    store_url: str, clock: ManualClock
) -> None:
    """Bars come up to 10 s late, those of two windows never, one is revised, and the service starts anew twice."""
    random, missing, restarts = Random(3), {HISTORY + 4, HISTORY + 9}, {HISTORY + 3, HISTORY + 10}
    instrument = an_instrument(bar_seconds=SECONDS, grace_seconds=12)
    made = bars(HISTORY + 14, bar_seconds=SECONDS)
    async with a_desk(store_url, clock=clock, instrument=instrument) as live:
        await live.feed(made[:HISTORY])
        clock.time += A_SECOND
        order = await live.order(min_steps=12, max_steps=12)
    async with AsyncExitStack() as running:
        for step in range(HISTORY, HISTORY + 14):
            if step in restarts | {HISTORY}:
                await running.aclose()
                live = await running.enter_async_context(a_desk(store_url, clock=clock, instrument=instrument))
                await live.engine.queries.schedule(order.order_id)
            if step in missing:
                clock.time = bar_at(step + 1, SECONDS) + 13 * A_SECOND
                await live.engine.late_slices.give()
                continue
            await comes(live, clock, step, random.uniform(0, 10))
            if step == HISTORY + 6:
                await live.feed([replace(made[step], volume=Decimal(1))])
        slices, ended = await live.slices(order), await live.again(order)

    late = [piece.window.start for piece in slices if piece.decided.fallback_reason]
    assert late == [bar_at(step + 1, SECONDS) for step in sorted(missing)]
    assert all(piece.window.start <= piece.decided.decided_at < piece.window.end for piece in slices)
    assert sum(piece.quantity for piece in slices) == order.order.size == ended.filled


async def test_a_feed_that_falls_silent_is_told(
    live: Desk, clock: ManualClock, caplog: pytest.LogCaptureFixture
) -> None:
    await live.order(min_steps=6)

    for step in (1, 2, 3):
        clock.time = bar_at(HISTORY + step, SECONDS) + 7 * A_SECOND
        await live.engine.late_slices.give()

    told = [record.getMessage() for record in caplog.records if "late" in record.getMessage()]
    assert told == ["the feed of BTC-USDT is late: no bar within 6.0 s of its close"]


@pytest.mark.parametrize("step_seconds", [-30.0, 30.0])
async def test_a_small_step_of_the_machine_s_clock_changes_no_slice(store_url: str, step_seconds: float) -> None:
    """Ten bars of 3 s pass while the clock is off; each comes half a second after its close."""
    steady = await _sizes(store_url, 0.0)
    flush(store_url)

    stepped = await _sizes(store_url, step_seconds)

    assert stepped == steady
    assert len(steady) == 10


async def _sizes(store_url: str, step_seconds: float) -> list[tuple[Decimal, str | None]]:
    short, passed = 3, [0.0]
    start = bar_at(HISTORY, short).timestamp()
    off = [0.0]
    clock = WallClock(lambda: start + passed[0] + off[0], lambda: passed[0])
    async with a_desk(store_url, clock=clock, instrument=an_instrument(bar_seconds=short)) as live:
        await live.feed(bars(HISTORY, bar_seconds=short))
        passed[0] = 1.0
        order = await live.order(min_steps=10, max_steps=10)
        off[0] = step_seconds
        for number in range(11):
            passed[0] = short * (number + 1) + 0.5
            await live.engine.late_slices.give()
            await live.feed(bars(HISTORY + number + 1, bar_seconds=short)[HISTORY + number :])
        slices = await live.slices(order)
    return [(piece.quantity, piece.decided.fallback_reason) for piece in slices]


async def test_a_bar_that_another_service_has_taken_is_not_late(live: Desk, clock: ManualClock, store_url: str) -> None:
    minute = an_instrument(bar_seconds=SECONDS)
    clock.time += A_SECOND
    order = await live.order(min_steps=6)
    async with a_desk(store_url, clock=clock, instrument=minute) as other:
        await other.engine.queries.schedule(order.order_id)  # opens the instrument there
        clock.time = bar_at(HISTORY + 1, SECONDS) + A_SECOND
        await live.feed(bars(HISTORY + 1, bar_seconds=SECONDS)[HISTORY:])
        clock.time = bar_at(HISTORY + 2, SECONDS) + A_SECOND
        await live.feed(bars(HISTORY + 2, bar_seconds=SECONDS)[HISTORY + 1 :])

        clock.time += 9 * A_SECOND
        await other.engine.late_slices.give()

        slices = await other.slices(order)
        assert [piece.decided.fallback_reason for piece in slices] == [None, None]
        assert other.counts["late"] == 0

        clock.time = bar_at(HISTORY + 3, SECONDS) + 9 * A_SECOND
        await other.engine.late_slices.give()

        [late] = (await other.slices(order))[2:]
        assert (late.decided.fallback_reason, late.decided.decided_on) == ("bar_late", bar_at(HISTORY + 1, SECONDS))


@pytest.mark.parametrize("feed_is_dead", [False, True])
async def test_who_waits_at_one_service_is_woken_for_the_slice_that_another_has_given(
    live: Desk, clock: ManualClock, store_url: str, feed_is_dead: bool
) -> None:
    clock.time += A_SECOND
    order = await live.order(min_steps=6)
    minute = an_instrument(bar_seconds=SECONDS)
    async with a_desk(store_url, clock=clock, instrument=minute) as other, asyncio.timeout(10):
        waiting = asyncio.create_task(other.engine.queries.next_slice(order.order_id, 30))
        await other.engine.queries.schedule(order.order_id)  # opens the instrument there; the request waits by then
        clock.time = bar_at(HISTORY + 1, SECONDS) + 9 * A_SECOND
        if feed_is_dead:
            await live.engine.late_slices.give()
        else:
            await live.feed(bars(HISTORY + 1, bar_seconds=SECONDS)[HISTORY:])
        await other.engine.late_slices.give()

        given = (await waiting).slice

    assert given is not None
    assert given.decided.fallback_reason == ("bar_late" if feed_is_dead else None)


async def test_an_instrument_whose_late_slices_fail_is_told_once_and_keeps_no_other_from_its_own(
    live: Desk, clock: ManualClock, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    await live.engine.instruments.put(an_instrument(symbol="OTHER", bar_seconds=SECONDS))
    await live.feed(bars(HISTORY, bar_seconds=SECONDS), "OTHER")
    clock.time += A_SECOND
    order = await live.order("other", instrument="OTHER", min_steps=6)
    await live.order("one", min_steps=6)
    awaiting = live.store.awaiting

    async def fails(symbol: str) -> list[OrderState]:
        if symbol == "BTC-USDT":
            raise ValueError("a test wants it so")
        return await awaiting(symbol)

    clock.time = bar_at(HISTORY + 1, SECONDS) + 7 * A_SECOND
    monkeypatch.setattr(live.store, "awaiting", fails)
    for _ in range(3):
        await live.engine.late_slices.give()

    assert (await live.again(order)).step == 1
    assert [record.levelname for record in caplog.records if record.name == late_slices.__name__] == ["ERROR"]


async def test_an_order_that_awaits_reports_makes_no_feed_late(
    live: Desk, clock: ManualClock, caplog: pytest.LogCaptureFixture
) -> None:
    """The bars come in time, and the order ends by the clock."""
    clock.time += A_SECOND
    order = await live.order(max_steps=1, fills=Fills.REPORTED, report_delay_seconds=90)
    for step in range(HISTORY, HISTORY + 5):
        await comes(live, clock, step, 1)
        clock.time = bar_at(step + 1, SECONDS) + 55 * A_SECOND
        await live.engine.late_slices.give()

    assert (await live.again(order)).status == "expired"
    assert [record for record in caplog.records if "late" in record.getMessage()] == []
