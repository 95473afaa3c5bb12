"""The client against the real service, call by call."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import httpx
import pytest

from lem_client import (
    AsyncClient,
    Conflict,
    Costs,
    Fill,
    Fills,
    Horizon,
    HorizonInTime,
    InvalidInput,
    Limits,
    NotFound,
    Status,
    StepState,
)
from tests.api.wire import HISTORY, SYMBOL
from tests.builders import at
from tests.client.desk import an_instrument, an_order, bars
from tests.client.way import AT_ONCE, Way

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_what_is_registered_is_answered_in_the_same_form(lem: AsyncClient) -> None:
    sent = an_instrument(symbol="ETH/USDT", min_notional=Decimal(5), grace_seconds=20.0)

    answered = await lem.put_instrument(sent)

    found = await lem.get_instrument("ETH/USDT")
    assert answered == sent
    assert (found.symbol, found.min_notional, found.grace_seconds) == ("ETH/USDT", 5, 20.0)
    assert sent in await lem.list_instruments()


async def test_bars_that_are_known_are_counted_and_wrong_ones_are_told_apart(lem: AsyncClient) -> None:
    known, wrong = bars(1, first=HISTORY - 1)[0], replace(bars(1, first=HISTORY)[0], low=Decimal(1000))

    taken = await lem.post_bars([known, wrong], partial=True)

    assert (taken.accepted, taken.duplicates, taken.decided) == (0, 1, True)
    assert [(each.index, each.code) for each in taken.rejected] == [(1, "high_below_low")]


async def test_an_order_is_answered_as_it_was_sent_in_exact_numbers_and_aware_times(lem: AsyncClient) -> None:
    limits = Limits(max_slice_fraction=Decimal("0.25"), limit_price=Decimal("123.45"))
    horizon = HorizonInTime(earliest_end=at(HISTORY + 2), latest_end=at(HISTORY + 8))
    sent = an_order(
        client_order_id="in time", quantity=None, notional=Decimal("1000.10"), limits=limits, horizon=horizon
    )

    order = await lem.post_order(sent)

    assert (order.notional, order.quantity, order.limits) == (Decimal("1000.10"), None, limits)
    assert (order.horizon.min_steps, order.horizon.max_steps, order.horizon.latest_end) == (2, 8, at(HISTORY + 8))
    assert order.horizon.latest_end is not None
    assert order.horizon.latest_end.utcoffset() == timedelta(0)
    assert order.status is Status.WORKING


async def test_orders_come_page_by_page_without_one_missing(lem: AsyncClient) -> None:
    sent = [(await lem.post_order(an_order(client_order_id=f"page-{index}"))).order_id for index in range(5)]

    found = [order.order_id async for order in lem.list_orders(instrument=SYMBOL, page_size=2)]

    assert [order_id for order_id in found if order_id in sent] == sent
    assert len(found) == len(set(found))
    assert [order.order_id async for order in lem.list_orders(client_order_id="page-3")] == [sent[3]]
    assert [order async for order in lem.list_orders(status=Status.COMPLETED)] == []


async def test_a_quote_says_what_an_order_may_earn_and_takes_nothing(lem: AsyncClient) -> None:
    quote = await lem.post_quote(an_order(client_order_id="quoted"), Costs(half_spread_bps=Decimal(1)))

    assert quote.cost.half_spread_bps == 1
    assert len(quote.steps) == 12
    assert quote.gain_bps.p5 <= quote.gain_bps.p50 <= quote.gain_bps.p95
    assert [order async for order in lem.list_orders(client_order_id="quoted")] == []


async def test_an_order_whose_answer_is_lost_is_sent_again_and_is_one_order(
    lem: AsyncClient, service: httpx.AsyncClient
) -> None:
    lossy = Way(service, lost=2)
    async with AsyncClient("http://lem", transport=lossy, retries=AT_ONCE) as client:
        order = await client.post_order(an_order(client_order_id="ambiguous"))

    assert lossy.sent == ["POST /v1/orders"] * 3
    assert [each.order_id async for each in lem.list_orders(client_order_id="ambiguous")] == [order.order_id]


async def test_a_refusal_is_an_exception_with_code_status_and_pointer(lem: AsyncClient) -> None:
    with pytest.raises(InvalidInput, match="422 off_tick: limit_price") as refused:
        await lem.post_order(an_order(client_order_id="off", limits=Limits(limit_price=Decimal("100.005"))))

    assert (refused.value.code, refused.value.status) == ("off_tick", 422)
    assert refused.value.pointer == "#/limits/limit_price"
    assert refused.value.request_id


async def test_what_is_not_there_and_what_contradicts_are_exceptions_of_their_own(lem: AsyncClient) -> None:
    await lem.post_order(an_order(client_order_id="taken"))

    with pytest.raises(NotFound, match="unknown_order"):
        await lem.get_order("none")
    with pytest.raises(Conflict, match="client_order_id_reused"):
        await lem.post_order(an_order(client_order_id="taken", quantity=Decimal(11)))


async def test_a_slice_is_traded_reported_once_and_closed(lem: AsyncClient, service: httpx.AsyncClient) -> None:
    """On an instrument of its own: other orders must not move with its bars."""
    await lem.put_instrument(an_instrument(symbol="FILLS"))
    await lem.post_bars(bars(HISTORY, instrument="FILLS"))
    order = await lem.post_order(an_order(client_order_id="fills", instrument="FILLS", fills=Fills.REPORTED))
    piece = (await lem.next_slice(order.order_id, wait_seconds=5)).slice
    assert piece is not None
    fill = Fill(
        execution_id="exec-1",
        slice_id=piece.slice_id,
        quantity=piece.quantity / 2,
        price=Decimal(100),
        executed_at=piece.window.start,
    )

    async with AsyncClient("http://lem", transport=Way(service, lost=1), retries=AT_ONCE) as client:
        booked = await client.post_fill(order.order_id, fill)
        closed = await client.close_slice(order.order_id, piece.step)

    assert booked.filled_quantity == fill.quantity
    assert booked.warnings == ()
    assert (closed.filled_quantity, closed.in_flight) == (fill.quantity, 0)
    schedule = await lem.get_schedule(order.order_id)
    assert schedule.steps[0].slice == piece
    assert schedule.steps[0].executed == fill.quantity
    assert schedule.steps[-1].state is StepState.PROJECTED


async def test_a_cancelled_order_has_no_slice_to_wait_for(lem: AsyncClient) -> None:
    order = await lem.post_order(an_order(client_order_id="cancelled", horizon=Horizon(min_steps=6, max_steps=12)))

    cancelled = await lem.cancel_order(order.order_id)

    found = await lem.next_slice(order.order_id, wait_seconds=30)
    assert cancelled.status is found.status is Status.CANCELLED
    assert not found.status.live
    assert found.slice is None


async def test_models_health_and_readiness_are_answered(lem: AsyncClient) -> None:
    model, health, readiness = (await lem.list_models())[0], await lem.get_health(), await lem.get_readiness()

    assert model.active
    assert model.max_steps == model.card["max_steps"] >= 24
    assert health.status == "ok"
    assert (readiness.ready, readiness.reasons) == (True, ())
