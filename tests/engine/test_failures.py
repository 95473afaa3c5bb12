"""A store that fails at any moment, before a write or after it, leaves the same slices as one that does not."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from random import Random

import pytest

from app.domain.bar import Bar
from app.domain.errors import Unavailable
from app.domain.state import OrderState
from app.engine import recovery
from app.engine.changes import Change
from app.engine.instruments import loading
from app.engine.ports import Claim
from app.store.redis_store import RedisStore
from tests.builders import an_instrument, an_order, bars
from tests.engine.desk import Desk, a_desk, sent
from tests.servers import flush

SYMBOLS = ("BTC-USDT", "TWIN")
HISTORY = 20
BARS = 36
MADE = {symbol: bars(BARS, seed=seed) for seed, symbol in enumerate(SYMBOLS)}


class Flaky(RedisStore):
    """Loses three calls in ten: half of them before the server has heard them, half of them after."""

    random = Random(0)

    def _lose(self) -> None:
        if self.random.random() < 0.15:
            raise Unavailable("store_unavailable", "a test wants it so")

    async def append_bars(
        self, symbol: str, bars: Sequence[Bar], after: datetime | None, revision: int | None = None
    ) -> bool:
        self._lose()
        done = await super().append_bars(symbol, bars, after, revision)
        self._lose()
        return done

    async def commit(self, changes: Sequence[Change]) -> list[OrderState | None]:
        """A call may also be lost between two orders."""
        answers: list[OrderState | None] = []
        for first in range(0, len(changes), 2):
            self._lose()
            answers += await super().commit(changes[first : first + 2])
            self._lose()
        return answers

    async def create(self, change: Change, newest: datetime) -> tuple[OrderState, bool] | Claim | None:
        self._lose()
        made = await super().create(change, newest)
        self._lose()
        return made

    async def awaiting(self, symbol: str) -> list[OrderState]:
        self._lose()
        return await super().awaiting(symbol)


Day = Mapping[str, Sequence[str]]


@pytest.fixture(scope="module")
def undisturbed(server: str) -> Day:
    """The day on a store that does not fail."""

    async def day() -> Day:
        async with a_desk(server) as desk:
            return await _day(desk)

    flush(server)
    return asyncio.run(day())


@pytest.mark.parametrize("seed", range(8))
async def test_failures_of_the_store_leave_the_same_slices(
    undisturbed: Day, store_url: str, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recovery, "PAUSE_SECONDS", 0.001)
    monkeypatch.setattr(loading, "PAGE_BARS", 3)  # histories and what was not seen come in several pages
    store = Flaky.at(store_url, lookback=96)
    store.random = Random(seed)
    async with a_desk(store_url, store=store) as desk:
        disturbed = await _day(desk)

    assert disturbed == undisturbed
    assert all(len(slices) >= 5 for slices in undisturbed.values())


async def _day(desk: Desk) -> Day:
    """Orders and bars as clients send them that repeat what was not answered; each request has bars of both."""
    await _insist(lambda: desk.engine.instruments.put(an_instrument(symbol="TWIN")))
    await _insist(lambda: _feed(desk, 0, HISTORY))
    for number in range(HISTORY, BARS):
        if number < HISTORY + 5:
            symbol = SYMBOLS[number % len(SYMBOLS)]
            order = an_order(client_order_id=f"oms-{number}", instrument=symbol, min_steps=5, max_steps=9)
            await _insist(lambda order=order: desk.engine.orders.submit(order))  # type: ignore[misc]
        await _insist(lambda number=number: _feed(desk, number, number + 1))  # type: ignore[misc]
    orders = (await desk.engine.queries.orders()).orders
    assert [each.status for each in orders] == ["completed"] * 5
    return {each.order.client_order_id: [repr(piece) for piece in await desk.slices(each)] for each in orders}


async def _feed(desk: Desk, first: int, end: int) -> None:
    await desk.engine.bars.post([sent(bar, symbol) for symbol, made in MADE.items() for bar in made[first:end]])


async def _insist(call: Callable[[], Awaitable[object]]) -> None:
    async with asyncio.timeout(20):
        while True:
            try:
                await call()
            except Unavailable:
                continue
            return
