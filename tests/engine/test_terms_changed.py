"""What a process knows of an instrument may be old: nothing is recorded on terms that have changed since."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import datetime
from decimal import Decimal

import pytest

from app.domain.errors import InvalidInput, Unavailable
from app.domain.state import OrderState
from app.engine.changes import Change, change
from app.engine.ports import Claim
from app.store.redis_store import RedisStore
from tests.builders import BAR_SECONDS, an_instrument, an_order, bars
from tests.engine.desk import Desk, a_desk, sent

HISTORY = 20
WHOLE_UNITS = an_instrument(lot_size=Decimal(1))


async def test_an_order_in_another_process_stands_on_the_new_terms(desk: Desk, store_url: str) -> None:
    await desk.feed(bars(HISTORY))
    async with a_desk(store_url) as other:
        await desk.order("knows", size=Decimal("10.5"))
        await desk.engine.orders.cancel((await desk.again(an_order(client_order_id="knows"))).order_id)
        await desk.feed(bars(HISTORY + 1)[HISTORY:])
        await other.engine.instruments.put(WHOLE_UNITS)

        with pytest.raises(InvalidInput) as refused:
            await desk.order("fraction", size=Decimal("10.5"))
        whole = await desk.order("whole")

    assert refused.value.code == "not_whole_lots"
    assert whole.lot == 1


async def test_an_order_that_races_the_new_terms_stands_on_them(store_url: str) -> None:
    """The terms change after the order was decided on the old ones, and before it is recorded."""
    store = Racing.at(store_url, lookback=96)
    async with a_desk(store_url, store=store) as desk:
        await desk.feed(bars(HISTORY))
        store.desk = desk

        order = await desk.order()

    assert store.raced
    assert order.lot == 1
    assert order.current is not None
    assert order.current.quantity % 1 == 0


class Racing(RedisStore):
    """Another process changes the terms when an order is about to be recorded."""

    desk: Desk | None = None
    raced = False

    async def create(self, change: Change, newest: datetime) -> tuple[OrderState, bool] | Claim | None:
        if self.desk is not None and not self.raced:
            self.raced = True
            await self.put_instrument(WHOLE_UNITS)
        return await super().create(change, newest)


async def test_bars_in_another_process_are_taken_with_the_new_length(desk: Desk, store_url: str) -> None:
    """Where no bar was there yet, nothing else would tell."""
    await desk.engine.bars.post([])
    async with a_desk(store_url) as other:
        await desk.engine._live.get("BTC-USDT")
        await other.engine.instruments.put(an_instrument(bar_seconds=60))

        [long] = bars(1)
        taken = await desk.engine.bars.post([sent(long)])

    [recorded] = await desk.store.bars_before("BTC-USDT", None, 9)
    assert taken.accepted == 1
    assert (recorded.close_time - recorded.open_time).total_seconds() == 60 < BAR_SECONDS


async def test_a_change_that_stands_on_old_terms_is_not_recorded(desk: Desk) -> None:
    """The caller repeats, and the instrument is opened anew."""
    await desk.feed(bars(HISTORY))
    order, terms = await desk.order(), await desk.store.instrument("BTC-USDT")
    assert terms is not None
    old = replace(terms, revision=terms.revision - 1)

    with pytest.raises(Unavailable) as refused:
        await desk.store.commit([change(order, order, instrument=old)])
    unchanged = await desk.again(order)
    stands = await desk.store.commit([change(order, order, instrument=terms)])

    assert refused.value.code == "busy"
    assert unchanged == order
    assert stands == [None]


async def test_the_same_terms_again_disturb_nobody(desk: Desk) -> None:
    await desk.feed(bars(HISTORY))
    before = await desk.store.instrument("BTC-USDT")

    await desk.engine.instruments.put(an_instrument())

    after = await desk.store.instrument("BTC-USDT")
    assert before is not None
    assert after is not None
    assert before.revision == after.revision == 1


async def test_a_bar_moves_no_order_on_old_terms(store_url: str) -> None:
    """A process whose terms are old is refused, opens the instrument anew and goes on."""
    async with a_desk(store_url) as desk, a_desk(store_url) as other:
        await desk.feed(bars(HISTORY))
        await other.engine.instruments.put(WHOLE_UNITS)
        order = await other.order()
        held = desk.engine._live.opened[0].instrument

        taken = await desk.feed(bars(HISTORY + 1)[HISTORY:])
        async with asyncio.timeout(10):
            while (await desk.again(order)).step < 2:  # noqa: ASYNC110 -- recovery may have to take the bar
                await asyncio.sleep(0)

        assert held.lot_size == Decimal("0.01")
        assert taken.accepted == 1
        assert [piece.quantity % 1 for piece in await desk.slices(order)] == [0, 0]
