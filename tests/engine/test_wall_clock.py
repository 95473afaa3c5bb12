"""Live: the first step is the next boundary, and no order waits for a bar that is late."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import datetime, timedelta

import pytest

from app.domain.errors import InvalidInput, TooEarly
from app.domain.order import Fills
from app.domain.slice import Basis, Window
from app.domain.state import OrderState
from app.engine.changes import Change
from app.engine.watchdog import watching
from tests.builders import BAR_SECONDS, a_bar, an_instrument, at, bars
from tests.engine.desk import Desk, ManualClock, a_desk

HISTORY = 20
A_SECOND = timedelta(seconds=1)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(at(HISTORY) + 60 * A_SECOND)


@pytest.fixture
async def live(store_url: str, clock: ManualClock) -> AsyncIterator[Desk]:
    """An engine on the wall clock, a minute after the newest bar, with 2 s of grace."""
    async with a_desk(store_url, clock=clock, grace_seconds=2) as desk:
        await desk.feed(bars(HISTORY))
        yield desk


async def move(live: Desk, clock: ManualClock, to: datetime) -> None:
    """What the watchdog does at that time."""
    clock.time = to
    await live.engine.late_slices.give()


async def test_the_first_step_is_the_next_boundary_and_waits_for_the_bar_before_it(
    live: Desk, clock: ManualClock
) -> None:
    order = await live.order()

    clock.time = at(HISTORY + 1) + A_SECOND
    await live.feed(bars(HISTORY + 1)[HISTORY:])

    started = await live.again(order)
    assert order.current is None
    assert started.current is not None
    assert started.current.window == Window(at(HISTORY + 1), at(HISTORY + 2))
    assert started.current.decided.decided_at == clock.time


async def test_an_order_may_be_sent_a_minute_before_it_comes_where_steps_are_shorter(store_url: str) -> None:
    now = at(HISTORY, bar_seconds=1)
    async with a_desk(store_url, clock=ManualClock(now), instrument=an_instrument(bar_seconds=1)) as desk:
        await desk.feed(bars(HISTORY, bar_seconds=1))

        order = await desk.order("in time", start_time=now - timedelta(minutes=1))
        with pytest.raises(InvalidInput, match="at least 2025-01-05T23:59:20") as refused:
            await desk.order("too late", start_time=now - timedelta(seconds=61))

    assert order.status == "working"
    assert (refused.value.code, refused.value.pointer) == ("start_time_past", "#/start_time")


async def test_a_bar_that_closes_soon_is_refused_until_then_and_gives_nothing_up(
    live: Desk, clock: ManualClock
) -> None:
    order = await live.order()

    with pytest.raises(TooEarly) as refused:
        await live.feed(bars(HISTORY + 1)[HISTORY:])
    clock.time += timedelta(seconds=refused.value.retry_after_seconds)
    await live.feed(bars(HISTORY + 1)[HISTORY:])

    assert (refused.value.code, refused.value.pointer) == ("bar_not_closed", "#/bars/0")
    assert refused.value.retry_after_seconds == BAR_SECONDS - 60 - 5
    assert (await live.again(order)).step == 1


async def test_a_bar_that_closes_much_later_is_refused_for_good(live: Desk) -> None:
    with pytest.raises(InvalidInput) as refused:
        await live.feed([a_bar(HISTORY + 2)])

    assert refused.value.code == "bar_too_far_ahead"


async def test_a_late_bar_gives_a_marked_and_counted_fallback_slice(live: Desk, clock: ManualClock) -> None:
    order = await live.order()

    await move(live, clock, at(HISTORY + 1) + A_SECOND)
    in_time = await live.again(order)
    await move(live, clock, at(HISTORY + 1) + 2 * A_SECOND)

    late = (await live.again(order)).current
    assert in_time.current is None
    assert late is not None
    assert (late.decided.basis, late.decided.fallback_reason) == (Basis.FALLBACK, "bar_late")
    assert late.decided.decided_on == at(HISTORY - 1)
    assert live.counts["late"] == live.counts["fallback bar_late"] == 1


async def test_the_late_bar_fills_only_its_own_window(live: Desk, clock: ManualClock) -> None:
    order = await live.order(min_steps=6)
    clock.time = at(HISTORY + 1) + A_SECOND
    await live.feed(bars(HISTORY + 1)[HISTORY:])
    await move(live, clock, at(HISTORY + 2) + 3 * A_SECOND)
    before = await live.again(order)

    late_bar = bars(HISTORY + 2)[-1]
    await live.feed([late_bar])

    after = await live.again(order)
    assert (before.step, before.sums.steps, len(before.overdue)) == (2, 0, 1)
    assert (after.step, after.sums.steps, len(after.overdue)) == (2, 1, 0)
    assert after.current == before.current
    assert after.executed[0] == after.asked[0] * after.lot
    assert after.executed[1] == 0
    assert after.avg_price == late_bar.price


async def test_a_feed_that_is_silent_for_long_costs_an_order_neither_a_step_nor_its_sum(
    live: Desk, clock: ManualClock
) -> None:
    order = await live.order(min_steps=5, max_steps=5)
    for step in range(1, 7):
        await move(live, clock, at(HISTORY + step) + 3 * A_SECOND)
    silent = await live.again(order)

    await live.feed(bars(HISTORY + 6)[HISTORY:])

    ended = await live.again(order)
    assert (silent.status, silent.step, silent.sums.steps) == ("working", 5, 0)
    assert (ended.status, ended.sums.steps, ended.filled) == ("completed", 5, order.order.size)
    paid = sum(bar.price * size for bar, size in zip(bars(HISTORY + 6)[HISTORY + 1 :], ended.executed, strict=True))
    assert (ended.unpriced, ended.avg_price) == (0, paid / order.order.size)


@pytest.mark.parametrize("fills", Fills)
async def test_an_order_ends_by_the_clock_where_the_feed_is_dead(live: Desk, clock: ManualClock, fills: Fills) -> None:
    """One step after the last window, for bars and reports that are late, and the grace: then the order is over."""
    order = await live.order(min_steps=3, max_steps=3, fills=fills)
    for step in range(1, 5):
        await move(live, clock, at(HISTORY + step) + 3 * A_SECOND)
    waiting = await live.again(order)

    await move(live, clock, at(HISTORY + 5) + 3 * A_SECOND)

    ended = await live.again(order)
    assumed = fills is Fills.ASSUMED
    assert waiting.status == "working"
    assert ended.status == ("completed" if assumed else "expired")
    assert not ended.awaits_bars
    assert (ended.filled, ended.unpriced) == ((order.order.size,) * 2 if assumed else (0, 0))
    assert (ended.avg_price, ended.sums.price(order.order.benchmark), ended.slippage_bps) == (None, None, None)


async def test_a_slice_is_not_offered_once_its_window_is_over(live: Desk, clock: ManualClock) -> None:
    order = await live.order(max_steps=1)
    clock.time = at(HISTORY + 1) + A_SECOND
    await live.feed(bars(HISTORY + 1)[HISTORY:])
    running = await live.engine.queries.next_slice(order.order_id)
    clock.time = at(HISTORY + 2)

    over = await live.engine.queries.next_slice(order.order_id)

    assert running.slice == (await live.again(order)).current is not None
    assert (over.slice, over.status) == (None, "working")
    assert [step.state for step in (await live.engine.queries.schedule(order.order_id)).steps] == ["done"]


async def test_a_window_that_is_over_gets_an_empty_slice(live: Desk, clock: ManualClock) -> None:
    """After an outage nobody can trade in the past."""
    order = await live.order(min_steps=5, max_steps=6)

    await move(live, clock, at(HISTORY + 3) + 3 * A_SECOND)

    slices = await live.slices(order)
    assert [piece.quantity for piece in slices[:2]] == [0, 0]
    assert [piece.decided.fallback_reason for piece in slices] == ["window_missed", "window_missed", "bar_late"]
    assert slices[2].quantity > 0


async def test_an_order_that_comes_while_a_bar_is_taken_is_watched_too(
    live: Desk, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other order takes its only slice with that bar, and nothing else of the instrument is due."""
    await live.order("one", max_steps=1)
    commit, placed = live.store.commit, []

    async def commit_and_place(changes: Sequence[Change]) -> list[OrderState | None]:
        monkeypatch.setattr(live.store, "commit", commit)
        placed.append(await live.order("other"))
        return await commit(changes)

    monkeypatch.setattr(live.store, "commit", commit_and_place)
    clock.time = at(HISTORY + 1) + A_SECOND
    await live.feed(bars(HISTORY + 1)[HISTORY:])

    await move(live, clock, at(HISTORY + 2) + 3 * A_SECOND)

    current = (await live.again(placed[0])).current
    assert current is not None
    assert current.decided.fallback_reason == "bar_late"


async def test_nothing_is_looked_up_while_nothing_is_due(
    live: Desk, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    await live.order()

    awaiting, looked_up = live.store.awaiting, []

    async def counted(symbol: str) -> list[OrderState]:
        looked_up.append(symbol)
        return await awaiting(symbol)

    monkeypatch.setattr(live.store, "awaiting", counted)

    await move(live, clock, at(HISTORY) + 120 * A_SECOND)
    before = list(looked_up)
    await move(live, clock, at(HISTORY + 1) + 3 * A_SECOND)

    assert (before, looked_up) == ([], ["BTC-USDT"])


async def test_the_watchdog_gives_the_late_slice_to_whoever_waits_for_it(live: Desk, clock: ManualClock) -> None:
    order = await live.order()
    clock.time = at(HISTORY + 1) + 3 * A_SECOND

    async with asyncio.timeout(10), watching(live.engine, look_seconds=0.01):
        waited = await live.engine.queries.next_slice(order.order.order_id, 30)

    assert waited.slice is not None
    assert waited.slice.decided.fallback_reason == "bar_late"
