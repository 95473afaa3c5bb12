"""The client against the real service: orders paused, revised and analysed; recorded bars; instruments that go."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import httpx
import pytest

from lem_client import (
    AsyncClient,
    Bound,
    Completion,
    Conflict,
    Correction,
    Fill,
    Fills,
    Horizon,
    InvalidInput,
    Limits,
    NotFound,
    Order,
    OrderWarning,
    RiskAversion,
    Side,
    SizeMode,
    Status,
    WantedOrders,
)
from tests.api.wire import HISTORY, SYMBOL
from tests.builders import at
from tests.client.desk import an_instrument, an_order, bars
from tests.client.way import AT_ONCE, Way

pytestmark = pytest.mark.asyncio(loop_scope="module")

WHOLE = Horizon(min_steps=12, max_steps=12)


async def listed(lem: AsyncClient, symbol: str) -> None:
    """An instrument of its own: other orders must not move with its bars."""
    await lem.put_instrument(an_instrument(symbol=symbol))
    await lem.post_bars(bars(HISTORY, instrument=symbol))


async def filled(lem: AsyncClient, symbol: str) -> tuple[Order, Fill]:
    """An order whose first slice is filled, by an execution whose name has a slash."""
    await listed(lem, symbol)
    order = await lem.post_order(an_order(client_order_id=symbol, instrument=symbol, fills=Fills.REPORTED))
    piece = (await lem.next_slice(order.order_id, wait_seconds=5)).slice
    assert piece is not None
    fill = Fill(
        execution_id="venue/1",
        slice_id=piece.slice_id,
        quantity=piece.quantity,
        price=Decimal(100),
        executed_at=piece.window.start,
    )
    return await lem.post_fill(order.order_id, fill), fill


async def test_an_order_is_tried_and_worked_by_the_terms_of_the_desk(lem: AsyncClient) -> None:
    await listed(lem, "TRIED")
    limits = Limits(finish_price=Decimal(1_000), max_participation_rate=Decimal("0.5"))
    order = an_order(
        client_order_id="TRIED",
        instrument="TRIED",
        limits=limits,
        risk_aversion=RiskAversion.TRACKING,
        completion=Completion.ALWAYS,
    )

    tried = await lem.dry_run_order(order)
    taken = await lem.post_order(order)

    assert (tried.status, tried.warnings) == (Status.ACCEPTED, (OrderWarning.AT_FINISH_PRICE,))
    assert (tried.order_id, tried.limits, tried.risk_aversion) == (taken.order_id, limits, RiskAversion.TRACKING)
    assert (taken.completion, taken.behind) == (Completion.ALWAYS, 0)
    with pytest.raises(InvalidInput) as refused:
        await lem.dry_run_order(replace(order, client_order_id="other", limits=Limits(avoid_open_minutes=5)))
    assert refused.value.code == "no_sessions"


async def test_a_paused_order_asks_for_nothing_until_it_is_resumed(lem: AsyncClient) -> None:
    await listed(lem, "PAUSED")
    order = await lem.post_order(an_order(client_order_id="paused", instrument="PAUSED", horizon=WHOLE))

    paused = await lem.pause_order(order.order_id)
    again = await lem.pause_order(order.order_id)
    await lem.post_bars(bars(2, first=HISTORY, instrument="PAUSED"))
    offered = await lem.next_slice(order.order_id)
    resumed = await lem.resume_order(order.order_id)

    assert paused.status is again.status is offered.status is Status.PAUSED
    assert offered.slice is None
    assert resumed.status is Status.WORKING
    first, *rest = await lem.list_slices(order.order_id)
    assert first.executed == first.quantity > 0
    assert {(each.quantity, each.bound_by) for each in rest} == {(0, Bound.PAUSED)}


async def test_an_order_is_replaced_once_where_answers_are_lost(lem: AsyncClient, service: httpx.AsyncClient) -> None:
    await listed(lem, "REPLACED")
    terms = an_order(client_order_id="replaced", instrument="REPLACED", horizon=WHOLE)
    old = await lem.post_order(terms)

    async with AsyncClient("http://lem", transport=Way(service, lost=1), retries=AT_ONCE) as client:
        new = await client.replace_order(old.order_id, replace(terms, client_order_id="anew", quantity=Decimal(20)))

    left = await lem.get_order(old.order_id)
    assert (new.status, new.quantity, new.replaces) == (Status.WORKING, 20, old.order_id)
    assert (left.status, left.replaced_by) == (Status.REPLACED, new.order_id)


async def test_an_order_that_has_ended_cannot_be_paused(lem: AsyncClient) -> None:
    order = await lem.post_order(an_order(client_order_id="over"))
    await lem.cancel_order(order.order_id)

    with pytest.raises(Conflict, match="order_ended"):
        await lem.pause_order(order.order_id)


async def test_a_fill_is_listed_as_it_was_reported(lem: AsyncClient) -> None:
    order, fill = await filled(lem, "LISTED")

    (found,) = await lem.list_fills(order.order_id)

    assert (found.execution_id, found.slice_id, found.quantity) == ("venue/1", fill.slice_id, fill.quantity)
    assert (found.price, found.executed_at) == (fill.price, fill.executed_at)
    assert (found.busted, found.original, found.warnings) == (False, None, ())


async def test_a_fill_is_corrected_and_busted_once_where_answers_are_lost(
    lem: AsyncClient, service: httpx.AsyncClient
) -> None:
    order, fill = await filled(lem, "REVISED")
    truth = Correction(quantity=fill.quantity / 2, price=Decimal(101))

    async with AsyncClient("http://lem", transport=Way(service, lost=1), retries=AT_ONCE) as client:
        corrected = await client.correct_fill(order.order_id, "venue/1", truth)
        (listed_fill,) = await lem.list_fills(order.order_id)
        busted = await client.bust_fill(order.order_id, "venue/1")

    assert (corrected.filled_quantity, corrected.avg_price) == (truth.quantity, 101)
    assert listed_fill.original is not None
    assert (listed_fill.original.quantity, listed_fill.original.price) == (fill.quantity, 100)
    assert listed_fill.executed_at == fill.executed_at
    assert (busted.filled_quantity, busted.leaves) == (0, 10)
    assert [each.busted for each in await lem.list_fills(order.order_id)] == [True]
    with pytest.raises(Conflict, match="fill_busted"):
        await lem.correct_fill(order.order_id, "venue/1", replace(truth, price=Decimal(102)))


async def test_what_an_order_cost_is_told_while_it_works_and_in_the_end(lem: AsyncClient) -> None:
    await listed(lem, "COST")
    order = await lem.post_order(an_order(client_order_id="cost", instrument="COST", horizon=WHOLE))

    early = await lem.get_analysis(order.order_id)
    await lem.post_bars(bars(50, first=HISTORY, instrument="COST"))
    found = await lem.get_analysis(order.order_id)

    ended = await lem.get_order(order.order_id)
    assert (early.final, early.to_end.steps, early.slippage_bps) == (False, 0, None)
    assert (found.final, found.status, found.size_mode) == (True, Status.COMPLETED, SizeMode.QUANTITY)
    assert found.slippage_bps == found.to_end.vwap_slippage_bps == ended.slippage_bps
    assert found.gain_parts is not None
    assert found.gain_parts.convexity_bps == 0
    assert found.participation is not None
    assert 0 < found.participation.overall <= found.participation.busiest
    assert set(found.reversion_bps) == {"1", "5", "30"}


async def test_what_many_orders_cost_is_told_of_those_that_are_wanted(lem: AsyncClient) -> None:
    await listed(lem, "MANY")
    for name, side in (("many-1", Side.BUY), ("many-2", Side.BUY), ("many-3", Side.SELL)):
        await lem.post_order(an_order(client_order_id=name, instrument="MANY", side=side))
    await lem.post_bars(bars(50, first=HISTORY, instrument="MANY"))

    every = await lem.get_analyses(WantedOrders(instrument="MANY", final=True, started_from=at(HISTORY)))
    sold = await lem.get_analyses(WantedOrders(instrument="MANY", side=Side.SELL))
    later = await lem.get_analyses(WantedOrders(instrument="MANY", started_from=at(HISTORY + 1)))

    assert [(each.side, each.orders) for each in every.groups] == [(Side.BUY, 2), (Side.SELL, 1)]
    spread = every.all.figures["slippage_bps"]
    assert spread.p5 <= spread.median <= spread.p95
    assert (every.all.orders, sold.all.orders, later.all.orders, every.left_out) == (3, 1, 0, ())
    assert (await lem.get_analyses()).all.orders >= 3


async def test_orders_of_an_account_are_found_by_it(lem: AsyncClient) -> None:
    order = await lem.post_order(an_order(client_order_id="of an account", account="fund-1"))

    found = [each async for each in lem.list_orders(account="fund-1", client_order_id="of an account")]

    assert found == [order]
    assert order.account == "fund-1"
    assert [each async for each in lem.list_orders(account="fund-2")] == []


async def test_recorded_bars_come_newest_first_page_by_page_without_one_missing(lem: AsyncClient) -> None:
    await lem.put_instrument(an_instrument(symbol="BARS"))
    sent = bars(7, instrument="BARS")
    await lem.post_bars(sent)

    found = [bar async for bar in lem.list_bars("BARS", page_size=3)]
    before = [bar.open_time async for bar in lem.list_bars("BARS", before=at(2))]

    assert [(bar.open_time, bar.close, bar.trades) for bar in found] == [
        (bar.open_time, bar.close, bar.trades) for bar in reversed(sent)
    ]
    assert before == [at(1), at(0)]
    assert found[0].close_time == at(7)
    assert not any(bar.synthetic for bar in found)


async def test_an_instrument_tells_the_quality_of_its_bars_and_may_be_sent_back_changed(lem: AsyncClient) -> None:
    await lem.put_instrument(an_instrument(symbol="QUALITY"))
    taken, wrong = bars(2, instrument="QUALITY")
    await lem.post_bars([taken])
    with pytest.raises(InvalidInput, match="high_below_low"):
        await lem.post_bars([replace(wrong, high=Decimal(1))])

    found = await lem.get_instrument("QUALITY")
    changed = await lem.put_instrument(replace(found, grace_seconds=30.0))

    assert (found.quality.accepted, found.quality.refused) == (1, {"high_below_low": 1})
    assert changed == an_instrument(symbol="QUALITY", grace_seconds=30.0)


async def test_an_instrument_is_deleted_where_no_order_stands_on_it(lem: AsyncClient) -> None:
    await lem.put_instrument(an_instrument(symbol="GONE"))
    await lem.post_order(an_order(client_order_id="stands"))

    await lem.delete_instrument("GONE")

    with pytest.raises(NotFound, match="unknown_instrument"):
        await lem.delete_instrument("GONE")
    with pytest.raises(Conflict, match="instrument_in_use"):
        await lem.delete_instrument(SYMBOL)


async def test_an_instrument_whose_deletion_was_not_answered_is_deleted(
    lem: AsyncClient, service: httpx.AsyncClient
) -> None:
    await lem.put_instrument(an_instrument(symbol="LOST"))
    lossy = Way(service, lost=1)

    async with AsyncClient("http://lem", transport=lossy, retries=AT_ONCE) as client:
        await client.delete_instrument("LOST")

    assert lossy.sent == ["DELETE /v1/instruments/LOST"] * 2
    assert "LOST" not in {each.symbol for each in await lem.list_instruments()}
