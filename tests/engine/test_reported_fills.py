"""Fills that the OMS reports: booked once, whenever they come."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from decimal import Decimal, localcontext
from typing import Any

import pytest
from redis import Redis

from app.domain.errors import Conflict
from app.domain.events import FillBooked, Happening, OverFilled, SliceClosed
from app.domain.fills import Fill, FillWarning
from app.domain.order import Fills, SizeMode
from app.domain.slice import Slice
from app.domain.state import OrderState
from app.store import keys
from app.store.event_codec import event_from
from tests.builders import BAR_SECONDS, a_bar, a_fill, an_instrument, bars
from tests.engine.desk import Desk, a_desk

HISTORY = 20


async def report_in_full(desk: Desk, order: OrderState, piece: Slice) -> None:
    fill = a_fill(order, execution_id=piece.slice_id, slice_id=piece.slice_id, quantity=piece.quantity)
    await desk.engine.fills.report(order.order_id, replace(fill, executed_at=piece.window.start))


def happenings(server: str) -> list[Happening]:
    """What the store tells of the instrument's orders, oldest first."""
    with Redis.from_url(server, decode_responses=True) as client:
        entries = client.xrange(keys.events("BTC-USDT"))
    return [event_from(fields["json"]).what for _, fields in entries]


async def reported(desk: Desk) -> OrderState:
    """An order whose fills are reported, with its first slice."""
    await desk.feed(bars(HISTORY))
    return await desk.order(fills=Fills.REPORTED, min_steps=3, max_steps=4)


async def test_the_same_report_twice_is_booked_once(desk: Desk) -> None:
    order = await reported(desk)
    fill = a_fill(order, quantity=Decimal("0.1"))

    first = await desk.engine.fills.report(order.order.order_id, fill)
    second = await desk.engine.fills.report(order.order.order_id, fill)

    assert (first.new, second.new) == (True, False)
    assert second.order.filled == Decimal("0.1")


async def test_a_report_that_is_overtaken_by_its_own_repeat_is_not_new(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = await reported(desk)
    fill = a_fill(order, quantity=Decimal("0.1"))
    look_up, repeats = desk.store.fill, []

    async def overtaken(order_id: str, execution_id: str) -> Fill | None:
        known = await look_up(order_id, execution_id)
        monkeypatch.setattr(desk.store, "fill", look_up)
        repeats.append(await desk.engine.fills.report(order_id, fill))
        return known

    monkeypatch.setattr(desk.store, "fill", overtaken)

    booked = await desk.engine.fills.report(order.order_id, fill)

    assert ([each.new for each in repeats], booked.new) == ([True], False)
    assert booked.order == await desk.again(order)
    assert booked.order.filled == Decimal("0.1")


async def test_an_execution_id_with_other_values_is_a_conflict(desk: Desk) -> None:
    order = await reported(desk)
    fill = a_fill(order, quantity=Decimal("0.1"))
    await desk.engine.fills.report(order.order.order_id, fill)

    with pytest.raises(Conflict) as refused:
        await desk.engine.fills.report(order.order.order_id, replace(fill, price=Decimal(99)))

    assert refused.value.code == "execution_id_reused"


async def test_reports_at_once_with_bars_are_all_booked(desk: Desk) -> None:
    """Each loses races against the others and against the bars, and none is lost."""
    order = await reported(desk)
    fills = [a_fill(order, execution_id=f"exec-{number}", quantity=Decimal("0.01")) for number in range(12)]

    await asyncio.gather(
        *(desk.engine.fills.report(order.order.order_id, fill) for fill in fills),
        desk.feed_one_by_one(bars(HISTORY + 2)[HISTORY:]),
    )

    after = await desk.again(order)
    assert after.filled == Decimal("0.12")
    assert after.step == 3


async def test_what_is_not_reported_in_time_is_asked_for_again_and_the_order_expires(desk: Desk) -> None:
    """A report is in time until one step after its window's end has passed."""
    order = await reported(desk)

    await desk.feed_one_by_one(bars(HISTORY + 5)[HISTORY:])
    waiting = await desk.again(order)
    await desk.feed_one_by_one(bars(HISTORY + 6)[HISTORY + 5 :])

    assert (waiting.status, waiting.current) == ("working", None)
    assert waiting.in_flight > 0
    assert sum(piece.quantity for piece in await desk.slices(order)) > order.order.size
    ended = await desk.again(order)
    assert (ended.status, ended.in_flight, ended.awaits_bars) == ("expired", 0, False)


@pytest.mark.parametrize(("lag", "delay_seconds"), [(0, 0), (0, None), (1, None), (3, 3 * BAR_SECONDS)])
@pytest.mark.parametrize("steps", [(1, 6), (6, 6)])
async def test_an_order_whose_reports_come_in_time_trades_once_what_it_has(
    desk: Desk, lag: int, delay_seconds: int | None, steps: tuple[int, int]
) -> None:
    """Each slice is traded in full and reported `lag` bars after its own bar has closed."""
    await desk.feed(bars(HISTORY))
    min_steps, max_steps = steps
    order = await desk.order(
        fills=Fills.REPORTED, min_steps=min_steps, max_steps=max_steps, report_delay_seconds=delay_seconds
    )

    for number in range(max_steps + lag):
        await desk.feed(bars(HISTORY + number + 1)[-1:])
        slices = await desk.slices(order)
        if number >= lag and len(slices) > number - lag and slices[number - lag].quantity:
            await report_in_full(desk, order, slices[number - lag])

    ended = await desk.again(order)
    assert (ended.status, ended.filled, ended.over_filled) == ("completed", order.order.size, 0)


async def test_reports_that_come_too_late_are_booked_and_what_follows_shrinks(desk: Desk) -> None:
    await desk.feed(bars(HISTORY))
    order = await desk.order(fills=Fills.REPORTED, min_steps=9, max_steps=9)
    await desk.feed_one_by_one(bars(HISTORY + 4)[HISTORY:])
    slices = await desk.slices(order)

    for piece in slices[:2]:
        await report_in_full(desk, order, piece)
    state = await desk.again(order)

    late = slices[0].quantity + slices[1].quantity
    assert (state.filled, state.over_filled) == (late, late)
    assert state.in_flight == sum(piece.quantity for piece in slices[2:])
    assert state.unasked == order.order.size - state.filled - state.in_flight
    assert desk.counts["fill over_filled"] == 2


async def test_a_slice_that_the_oms_closes_is_asked_for_again_at_once(desk: Desk, server: str) -> None:
    order = await reported(desk)
    assert order.current is not None
    await desk.engine.fills.report(order.order_id, a_fill(order, quantity=Decimal("0.1")))

    closed = await desk.engine.fills.close(order.order_id, 1)
    again = await desk.engine.fills.close(order.order_id, 1)
    await desk.feed(bars(HISTORY + 1)[-1:])

    assert (closed.in_flight, closed.filled) == (0, Decimal("0.1"))
    assert again == closed
    assert (await desk.again(order)).over_filled == 0
    given_back = order.current.quantity - Decimal("0.1")
    assert SliceClosed(slice_id=order.current.slice_id, given_back=given_back) in happenings(server)


async def test_an_over_filled_order_is_told_of(desk: Desk, server: str) -> None:
    order = await reported(desk)
    assert order.current is not None
    fill = a_fill(order, quantity=order.current.quantity + 1)

    booked = await desk.engine.fills.report(order.order_id, fill)
    again = await desk.engine.fills.report(order.order_id, fill)

    assert booked.order.over_filled == 1
    assert booked.fill.warnings == again.fill.warnings == (FillWarning.OVER_FILLED,)
    assert desk.counts["fill over_filled"] == 1
    names: dict[str, Any] = {"execution_id": fill.execution_id, "slice_id": fill.slice_id}
    assert happenings(server)[-2:] == [
        FillBooked(**names, warnings=booked.fill.warnings, quantity=fill.quantity, price=fill.price),
        OverFilled(**names, amount=Decimal(1), over_filled=Decimal(1)),
    ]


@pytest.mark.parametrize(
    "fills", [{"price": f"{10**14 + 7}.123456789012", "quantity": "0.000000000001"}, {"price": "9.876543210987"}]
)
async def test_hundreds_of_fills_at_precise_prices_add_up_to_the_last_digit(
    store_url: str, fills: dict[str, str]
) -> None:
    """The largest size that the interface takes, in the smallest lots."""
    price = Decimal(fills["price"])
    size = Decimal(10) ** 15
    terms = an_instrument(lot_size=Decimal("1e-12"), notional_step=Decimal("0.01"), max_order_notional=size)
    async with a_desk(store_url, instrument=terms) as desk:
        await desk.feed([a_bar(number, price=price) for number in range(HISTORY)])
        order = await desk.order(fills=Fills.REPORTED, size=size, size_mode=SizeMode.NOTIONAL, min_steps=6, max_steps=6)
        reports = [
            a_fill(
                order,
                execution_id=f"exec-{number}",
                price=price + number * Decimal("1e-12"),
                quantity=Decimal(fills.get("quantity", "123456789.000000000001")) + number * Decimal("1e-12"),
            )
            for number in range(300)
        ]
        for fill in reports:
            await desk.engine.fills.report(order.order_id, fill)
        state = await desk.again(order)

    with localcontext(prec=200):
        assert state.filled_notional == sum(fill.price * fill.quantity for fill in reports)
        assert state.filled_quantity == sum(fill.quantity for fill in reports)
        assert state.leaves == order.order.size - state.filled_notional


async def test_a_fill_after_a_cancel_moves_the_quantities_and_not_the_status(desk: Desk) -> None:
    order = await reported(desk)
    await desk.engine.orders.cancel(order.order.order_id)

    late = await desk.engine.fills.report(order.order.order_id, a_fill(order, quantity=Decimal("0.1")))

    assert late.new
    assert (late.order.status, late.order.filled) == ("cancelled", Decimal("0.1"))
