"""Reads from the store what a live instrument holds: its orders, and the history that their steps need."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from datetime import datetime, timedelta
from weakref import WeakValueDictionary

from app.domain.bar import Bar
from app.domain.state import OrderState
from app.engine.instruments.live import LiveInstrument
from app.engine.live_orders import LiveOrders
from app.engine.ports import Store

PAGE_BARS = 500
A_SECOND = timedelta(seconds=1)


class Loader:
    """`lookback` is the most bars, of any step length, that a policy reads. `live_orders` is told what was read."""

    def __init__(self, store: Store, lookback: int, live_orders: LiveOrders) -> None:
        self._store = store
        self._lookback = lookback
        self._live_orders = live_orders
        self._reading: WeakValueDictionary[tuple[int, int], asyncio.Lock] = WeakValueDictionary()

    async def orders(self, live: LiveInstrument) -> list[OrderState]:
        """The orders that await bars."""
        orders = await self._store.awaiting(live.symbol)
        self._live_orders.read(live.symbol, orders)
        return orders

    async def awaiting(self, live: LiveInstrument) -> tuple[OrderState, ...]:
        """The orders that await bars, with the history that they need at hand."""
        orders = await self.orders(live)
        await self.ensure_histories(live, orders)
        return tuple(orders)

    async def ensure_histories(self, live: LiveInstrument, orders: Iterable[OrderState]) -> None:
        """Read the history of every step length that the orders have, where it is not at hand."""
        for step_seconds in {live.step_seconds_of(state.order) for state in orders}:
            await self.ensure_history(live, step_seconds)

    async def ensure_history(self, live: LiveInstrument, step_seconds: int) -> None:
        """Read the history of a step length that nobody has asked for yet, once for all who ask at the same time. Bars
        that come meanwhile follow on what was read: with short bars there may always be some."""
        if live.newest is None or live.has_history(step_seconds):
            return
        async with self._reading.setdefault((id(live), step_seconds), asyncio.Lock()):
            if not live.has_history(step_seconds):
                await self._read_history(live, step_seconds)

    async def _read_history(self, live: LiveInstrument, step_seconds: int) -> None:
        newest = live.last
        parts = live.calendar.bars_in(step_seconds, live.instrument.bar_seconds)
        history = live.new_history(step_seconds)
        bars = await self._bars(live.symbol, newest.open_time + A_SECOND, (self._lookback + 1) * parts)
        await live.fill(history, bars)
        while live.last is not newest:
            seen, newest = newest, live.last
            pages = [page async for page in self.bars_since(live.symbol, seen.open_time + A_SECOND)]
            later = [bar for page in pages for bar in page if bar.open_time <= newest.open_time]
            await live.fill(history, later, previous=seen)
        live.add_history(history)

    async def bars_since(self, symbol: str, since: datetime) -> AsyncIterator[list[Bar]]:
        """All recorded bars that open at or after `since`, oldest first, in pages; each page is read when it is due."""
        while page := await self._store.bars_since(symbol, since, PAGE_BARS):
            yield page
            since = page[-1].open_time + A_SECOND

    async def recorded(self, live: LiveInstrument, opens: Iterable[datetime]) -> list[Bar]:
        """The recorded bars that bars which open then may repeat, perhaps with others between them."""
        repeated = [each for each in opens if live.newest is not None and each <= live.newest.open_time]
        found: list[Bar] = []
        if not repeated:
            return found
        async for page in self.bars_since(live.symbol, min(repeated)):
            found += page
            if page[-1].open_time >= max(repeated):
                break
        return found

    async def _bars(self, symbol: str, before: datetime, count: int) -> list[Bar]:
        """In pages: a long history must not keep everybody else waiting."""
        bars: list[Bar] = []
        while page := await self._store.bars_before(symbol, before, min(PAGE_BARS, count - len(bars))):
            bars, before = page + bars, page[0].open_time
            if len(bars) >= count:
                break
        return bars
