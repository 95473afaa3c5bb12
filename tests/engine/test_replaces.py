"""An order that another one replaces: over the night, among bars and reports, over restarts and in two processes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from app.domain.bar import Bar
from app.domain.errors import Conflict, Unavailable
from app.domain.events import SliceCommitted, StatusChanged
from app.domain.lifecycle import Status, StatusReason
from app.domain.order import Fills, Horizon, Limits
from app.domain.slice import Slice
from app.domain.state import OrderState
from tests.builders import a_fill, an_instrument, an_order, bars
from tests.clock.session_bars import session_bars
from tests.engine.desk import Desk, ManualClock, a_desk
from tests.engine.processes import processes
from tests.engine.test_reported_fills import happenings
from tests.servers import flush

HISTORY = 20
WHOLE = Horizon(min_steps=12, max_steps=12)
HALF_HOUR = 1_800
SESSION = 13


async def replaced(desk: Desk, old: OrderState, name: str = "oms-2", **changes: Any) -> OrderState:
    """The order that takes the place of that one."""
    terms: dict[str, Any] = {"horizon": old.order.horizon, "fills": old.order.fills, "size": old.order.size} | changes
    state, _ = await desk.engine.replaces.replace(old.order_id, an_order(client_order_id=name, **terms))
    return state


async def reports(desk: Desk, order: OrderState, step: int, quantity: str, name: str) -> OrderState:
    slice_id = (await desk.again(order)).slice_id_of(step)
    fill = a_fill(order, execution_id=name, slice_id=slice_id, quantity=Decimal(quantity))
    return (await desk.engine.fills.report(order.order_id, fill)).order


@asynccontextmanager
async def a_night(store_url: str, fills: Fills) -> AsyncIterator[tuple[Desk, OrderState, ManualClock, list[Bar]]]:
    """An order of which a slice is decided at the close for the next morning, and the bars of the days after."""
    made = session_bars("XNYS", HALF_HOUR, "2025-03-03", "2025-03-06")
    clock = ManualClock(made[2 * SESSION - 3].close_time)
    instrument = an_instrument(bar_seconds=HALF_HOUR, calendar="XNYS")
    async with a_desk(store_url, instrument=instrument, clock=clock) as desk:
        await desk.feed(made[: 2 * SESSION - 2])
        state = await desk.order(horizon=Horizon(min_steps=8, max_steps=8), fills=fills)
        clock.time = made[2 * SESSION - 1].close_time
        await desk.feed_one_by_one(made[2 * SESSION - 2 : 2 * SESSION])
        yield desk, state, clock, made[2 * SESSION :]


async def test_the_slice_of_the_next_morning_is_decided_anew_by_the_new_terms(store_url: str) -> None:
    async with a_night(store_url, Fills.ASSUMED) as (desk, old, clock, rest):
        before = await desk.again(old)
        assert before.current is not None
        assert before.current.window.start > clock.time

        new = await replaced(desk, old, size=Decimal(200))
        clock.time = rest[0].close_time
        await desk.feed(rest[:1])
        morning = await desk.again(new)
        left, (*_, taken_back) = await desk.engine.queries.slices(old.order_id)
        chain = await desk.slices(new)

    assert new.current is not None
    assert (new.current.step, new.current.window) == (before.step, before.current.window)
    assert new.current.slice_id == f"{new.order_id}-{before.step}"
    assert morning.executed[before.step - 1] == new.current.quantity != before.current.quantity
    assert chain[before.step - 1] == new.current
    assert taken_back.slice_id == f"{old.order_id}-{before.step}"
    assert left.executed[before.step - 1] == 0


async def test_a_slice_of_the_next_morning_that_may_have_been_sent_on_stays_in_flight(store_url: str) -> None:
    async with a_night(store_url, Fills.REPORTED) as (desk, old, _, _):
        before = await desk.again(old)
        assert before.current is not None

        new = await replaced(desk, old, size=Decimal(200))

    assert new.current is not None
    assert (new.current.slice_id, new.in_flight) == (before.current.slice_id, before.in_flight)


async def test_reports_bars_and_a_replace_at_once_are_all_booked_once(desk: Desk) -> None:
    await desk.feed(bars(HISTORY))
    old = await desk.order(fills=Fills.REPORTED, horizon=WHOLE, report_delay_seconds=604_800)
    names = [f"exec-{number}" for number in range(12)]

    async def report_all() -> None:
        for name in names * 2:
            await reports(desk, old, 1, "0.01", name)

    _, _, new = await asyncio.gather(
        report_all(),
        desk.feed_one_by_one(bars(6, first=HISTORY)),
        replaced(desk, old, size=Decimal(20), report_delay_seconds=604_800),
    )

    after = await desk.again(new)
    assert (after.filled, after.step) == (Decimal("0.12"), 7)
    assert len(await desk.engine.queries.fills(new.order_id)) == len(names)
    assert (await desk.again(old)).status is Status.REPLACED
    assert after.filled + after.in_flight + after.unasked == after.order.size


async def test_of_two_replaces_at_once_one_stands(desk: Desk) -> None:
    await desk.feed(bars(HISTORY))
    old = await desk.order(horizon=WHOLE)

    answers = await asyncio.gather(*[replaced(desk, old, name) for name in ("oms-2", "oms-3")], return_exceptions=True)

    refused = [each for each in answers if isinstance(each, Conflict)]
    taken = [each for each in answers if isinstance(each, OrderState)]
    assert [error.code for error in refused] == ["order_replaced"]
    assert taken[0].order_id in refused[0].detail
    assert (await desk.again(old)).replaced_by == taken[0].order_id
    assert desk.counts["order replaced"] == 1


async def test_a_chain_goes_on_after_a_restart(store_url: str) -> None:
    async with a_desk(store_url) as desk:
        await desk.feed(bars(HISTORY + 2))
        old = await desk.order(fills=Fills.REPORTED, horizon=WHOLE)
        middle = await replaced(desk, old, size=Decimal(15))
        await desk.feed(bars(1, first=HISTORY + 2))
        new = await replaced(desk, middle, "oms-3", size=Decimal(20))

    async with a_desk(store_url) as desk:
        assert await desk.again(new) == new
        await desk.feed(bars(1, first=HISTORY + 3))
        after = await reports(desk, old, 1, "0.01", "exec-1")
        slices = await desk.slices(new)

    assert after.order_id == new.order_id
    assert [piece.slice_id for piece in slices] == [after.slice_id_of(step) for step in (1, 2, 3)]
    assert {piece.slice_id.removesuffix(f"-{piece.step}") for piece in slices} == {
        *(old.order_id, middle.order_id, new.order_id)
    }


async def test_a_replace_at_one_engine_is_moved_on_by_the_bars_of_another(store_url: str) -> None:
    async with a_desk(store_url) as one, a_desk(store_url) as two:
        await one.feed(bars(HISTORY))
        old = await one.order(horizon=WHOLE)
        await two.again(old)

        new = await replaced(two, old, size=Decimal(20))
        await one.feed_one_by_one(bars(12, first=HISTORY))

        ended = await two.again(new)
    assert (ended.status, ended.filled, ended.step) == (Status.COMPLETED, Decimal(20), 12)


async def test_a_replace_that_was_not_answered_is_answered_when_it_comes_again(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    await desk.feed(bars(HISTORY))
    old = await desk.order(horizon=WHOLE)
    replace_in_store = desk.store.replace

    async def recorded_without_an_answer(*words: Any) -> Any:
        await replace_in_store(*words)
        raise Unavailable("store_unavailable", "the answer is lost")

    with monkeypatch.context() as patch:
        patch.setattr(desk.store, "replace", recorded_without_an_answer)
        with pytest.raises(Unavailable):
            await replaced(desk, old)
    order = replace(an_order(client_order_id="oms-2", horizon=WHOLE), size=Decimal(10))
    state, is_new = await desk.engine.replaces.replace(old.order_id, order)

    assert (is_new, state.order.replaces) == (False, old.order_id)
    assert await desk.again(state) == state


async def test_the_events_tell_what_became_of_both_orders(desk: Desk, server: str) -> None:
    await desk.feed(bars(HISTORY))
    old = await desk.order(horizon=WHOLE)

    new = await replaced(desk, old)

    assert happenings(server) == [
        StatusChanged(status=Status.ACCEPTED, reason=StatusReason.OMS),
        StatusChanged(status=Status.WORKING, reason=StatusReason.MODEL),
        SliceCommitted(slice_id=f"{old.order_id}-1"),
        StatusChanged(status=Status.REPLACED, reason=StatusReason.OMS, replaced_by=new.order_id),
        StatusChanged(status=Status.WORKING, reason=StatusReason.OMS, replaces=old.order_id),
    ]


async def test_a_new_limit_price_holds_from_the_next_slice_on(desk: Desk) -> None:
    await desk.feed(bars(HISTORY))
    old = await desk.order(horizon=WHOLE)
    assert old.current is not None

    new = await replaced(desk, old, limits=Limits(limit_price=Decimal(1)))
    await desk.feed_one_by_one(bars(3, first=HISTORY))

    after = await desk.again(new)
    assert (after.filled, after.asked[1:]) == (old.current.quantity, (0, 0, 0))


async def a_day_of_replaces(desks: Sequence[Desk]) -> tuple[list[Slice], Decimal]:
    """Bars and replaces go to the processes in turn: the slices of the chain, and what is filled at the end."""
    made = bars(HISTORY + 12)
    await desks[0].feed(made[:HISTORY])
    standing = await desks[-1].order("oms-0", horizon=WHOLE)
    for number, bar in enumerate(made[HISTORY:], 1):
        assert (await desks[number % len(desks)].feed([bar])).decided
        if number in (3, 6, 7):
            desk = desks[(number + 1) % len(desks)]
            standing = await replaced(desk, standing, f"oms-{number}", size=Decimal(10 + number))
    return await desks[0].slices(standing), (await desks[-1].again(standing)).filled


async def test_replaces_at_two_processes_give_the_very_same_slices_as_at_one(store_url: str) -> None:
    async with a_desk(store_url) as alone:
        by_one = await a_day_of_replaces([alone])
    flush(store_url)

    async with processes(store_url, "one", "two") as desks:
        by_two = await a_day_of_replaces(desks)

    assert by_two == by_one
    assert (len(by_one[0]), by_one[1]) == (12, Decimal(17))
