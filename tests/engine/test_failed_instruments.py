"""An instrument that cannot be opened is told once and tried again; everything else goes on."""

from __future__ import annotations

import asyncio
import logging

import pytest

from app.domain.errors import Unavailable
from app.domain.order import Fills
from app.domain.state import OrderState
from app.engine import recovery
from app.store.redis_store import RedisStore
from tests.builders import a_fill, an_instrument, bars
from tests.engine.desk import a_desk

HISTORY = 20
BTC, TWIN = "BTC-USDT", "TWIN"


async def test_an_instrument_that_cannot_be_opened_keeps_no_other_from_opening_nor_the_service_from_starting(
    store_url: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Whatever goes wrong with it: here a bug of ours. It is told once, and tried again until it opens."""
    monkeypatch.setattr(recovery, "PAUSE_SECONDS", 0.001)
    async with a_desk(store_url) as desk:
        await desk.engine.instruments.put(an_instrument(symbol=TWIN))
        await desk.feed(bars(HISTORY))
        await desk.feed(bars(HISTORY), TWIN)
    store = Buggy.at(store_url, lookback=96)

    async with a_desk(store_url, store=store, instrument=an_instrument(symbol=TWIN)) as desk:
        failing = await desk.engine.recovery.readiness()
        await desk.order("other", instrument=TWIN)
        with pytest.raises(Unavailable) as refused:
            await desk.order("here")
        store.buggy = False
        async with asyncio.timeout(10):
            while desk.engine.instruments_failed:  # noqa: ASYNC110 -- recovery opens it by itself
                await asyncio.sleep(0.01)
        opened = await desk.engine.recovery.readiness()
        await desk.order("here")

    assert "recovering" not in failing.reasons
    assert failing.instruments_failed == (BTC,)
    assert refused.value.code == "instrument_failed"
    assert opened.instruments_failed == ()
    told = [record.levelno for record in caplog.records if record.getMessage().startswith(BTC)]
    assert told == [logging.ERROR, logging.WARNING]


async def test_an_instrument_opens_at_once_when_the_order_that_was_in_its_way_is_cancelled(store_url: str) -> None:
    async with a_desk(store_url) as desk:
        await desk.feed(bars(HISTORY))
        order = await desk.order()
    store = Poisoned.at(store_url, lookback=96)

    async with a_desk(store_url, store=store, instrument=an_instrument(symbol=TWIN)) as desk:
        while (desk.engine._live.failures.pause_seconds or 0) < 5:
            desk.engine._live.failures.failed(BTC, RuntimeError("many tries"))
        await desk.engine.orders.cancel(order.order_id)
        async with asyncio.timeout(4):
            while desk.engine.instruments_failed:  # noqa: ASYNC110 -- recovery opens it by itself
                await asyncio.sleep(0.001)

    assert store.buggy


async def test_a_fill_is_booked_though_its_instrument_cannot_be_opened(store_url: str) -> None:
    """What was traded was traded: the report must not wait for somebody to mend the instrument."""
    async with a_desk(store_url) as desk:
        await desk.feed(bars(HISTORY))
        order = await desk.order(fills=Fills.REPORTED)
    store = Buggy.at(store_url, lookback=96)

    async with a_desk(store_url, store=store, instrument=an_instrument(symbol=TWIN)) as desk:
        booked = await desk.engine.fills.report(order.order_id, a_fill(order))

        assert desk.engine.instruments_failed == 1
    assert booked.new
    assert booked.order.filled == 1


class Buggy(RedisStore):
    buggy = True

    async def awaiting(self, symbol: str) -> list[OrderState]:
        if self.buggy and symbol == BTC:
            raise RuntimeError("a bug of ours")
        return await super().awaiting(symbol)


class Poisoned(Buggy):
    """The bug shows while an order is live."""

    async def awaiting(self, symbol: str) -> list[OrderState]:
        live = [state for state in await RedisStore.awaiting(self, symbol) if state.status.live]
        return await super().awaiting(symbol) if live else []
