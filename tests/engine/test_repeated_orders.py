"""An order is known by its client_order_id: sent again, it gets the first answer."""

from __future__ import annotations

import asyncio
from decimal import Decimal

import pytest

from app.domain.errors import Conflict, Unavailable
from app.store import keys
from tests.builders import an_instrument, an_order, bars
from tests.engine.desk import Desk

HISTORY = 20


async def test_the_same_order_again_gets_the_first_answer(desk: Desk) -> None:
    await desk.feed(bars(HISTORY))
    first, created = await desk.engine.orders.submit(an_order())

    again, created_again = await desk.engine.orders.submit(an_order(size=Decimal("10.0")))

    assert (created, created_again) == (True, False)
    assert again == first


async def test_a_retry_is_answered_even_when_the_order_could_no_longer_be_accepted(desk: Desk) -> None:
    await desk.feed(bars(HISTORY))
    await desk.order(max_steps=3)
    await desk.feed(bars(30)[HISTORY:])
    await desk.engine.instruments.put(an_instrument(lot_size=Decimal(7)))

    again, created = await desk.engine.orders.submit(an_order(max_steps=3))

    assert (again.status, created) == ("completed", False)


async def test_another_order_with_a_known_client_order_id_is_a_conflict(desk: Desk) -> None:
    await desk.engine.instruments.put(an_instrument(symbol="TWIN"))
    for symbol in ("BTC-USDT", "TWIN"):
        await desk.feed(bars(HISTORY), symbol)
    await desk.order()

    for other in (an_order(size=Decimal(11)), an_order(instrument="TWIN")):
        with pytest.raises(Conflict) as refused:
            await desk.engine.orders.submit(other)
        assert refused.value.code == "client_order_id_reused"


async def test_an_order_sent_many_times_at_once_exists_once(desk: Desk) -> None:
    await desk.feed(bars(HISTORY))

    answers = await asyncio.gather(*(desk.engine.orders.submit(an_order()) for _ in range(20)))

    assert sum(created for _, created in answers) == 1
    assert len({state.version for state, _ in answers}) == 1
    assert len((await desk.engine.queries.orders()).orders) == 1


async def test_a_refused_order_leaves_its_client_order_id_free(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    await desk.feed(bars(HISTORY))
    await desk.engine.instruments.put(an_instrument(symbol="OTHER"))
    await desk.feed(bars(HISTORY), "OTHER")
    await desk.order("oms-1")
    monkeypatch.setattr(keys, "AWAITING_MAX", 1)
    with pytest.raises(Unavailable, match="orders are live"):
        await desk.order("oms-2")

    elsewhere = await desk.order("oms-2", instrument="OTHER", size=Decimal(3))

    assert await desk.again(elsewhere) == elsewhere
    with pytest.raises(Conflict) as refused:
        await desk.order("oms-2")
    assert refused.value.code == "client_order_id_reused"
