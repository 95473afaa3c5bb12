"""Instruments and their terms; pages of orders."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from app.domain.errors import Conflict, InvalidInput, NotFound
from tests.builders import an_instrument, bars
from tests.engine.desk import Desk

HISTORY = 20


async def test_an_unknown_calendar_is_refused(desk: Desk) -> None:
    with pytest.raises(InvalidInput) as refused:
        await desk.engine.instruments.put(an_instrument(symbol="NEW", calendar="NOWHERE"))

    assert refused.value.code == "unknown_calendar"
    with pytest.raises(NotFound):
        await desk.engine.instruments.get("NEW")


async def test_an_instrument_keeps_its_terms_under_live_orders(desk: Desk) -> None:
    await desk.feed(bars(HISTORY))
    order = await desk.order()
    changed = an_instrument(lot_size=Decimal("0.1"))

    with pytest.raises(Conflict) as refused:
        await desk.engine.instruments.put(changed)
    await desk.engine.orders.cancel(order.order.order_id)
    await desk.feed(bars(HISTORY + 1)[-1:])  # of the slice that was trading

    assert refused.value.code == "instrument_in_use"
    assert await desk.engine.instruments.put(changed) is False
    assert await desk.engine.instruments.get("BTC-USDT") == changed


async def test_other_bars_start_another_history(desk: Desk) -> None:
    await desk.feed(bars(HISTORY))

    await desk.engine.instruments.put(replace(an_instrument(), bar_seconds=60))

    assert (await desk.feed(bars(2, bar_seconds=60))).accepted == 2


async def test_pages_go_through_all_orders_once_in_a_stable_order(desk: Desk) -> None:
    await desk.engine.instruments.put(an_instrument(symbol="AAA"))
    for symbol in ("BTC-USDT", "AAA"):
        await desk.feed(bars(HISTORY), symbol)
    sent = [
        await desk.order(f"{symbol}-{number}", instrument=symbol) for symbol in ("AAA", "BTC-USDT") for number in "123"
    ]
    await desk.engine.orders.cancel(sent[1].order.order_id)

    seen, cursor = [], None
    while True:
        page = await desk.engine.queries.orders(limit=2, cursor=cursor)
        seen += [each.order.client_order_id for each in page.orders]
        if (cursor := page.next_cursor) is None:
            break

    assert seen == [each.order.client_order_id for each in sent]
    cancelled = (await desk.engine.queries.orders(status=(await desk.again(sent[1])).status)).orders
    assert [each.order.client_order_id for each in cancelled] == ["AAA-2"]
    assert len((await desk.engine.queries.orders(instrument="AAA")).orders) == 3
    assert len((await desk.engine.queries.orders(client_order_id="AAA-1")).orders) == 1
    assert (await desk.engine.queries.orders(client_order_id="AAA-1", instrument="BTC-USDT")).orders == ()


@pytest.mark.parametrize("cursor", ["x", "bnVsbA==", "WzEsMl0="])
async def test_a_cursor_that_no_page_gave_is_refused(desk: Desk, cursor: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        await desk.engine.queries.orders(cursor=cursor)

    assert refused.value.code == "bad_cursor"
