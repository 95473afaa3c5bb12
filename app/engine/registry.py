"""The use cases of whoever registers instruments and looks them up."""

from __future__ import annotations

import asyncio

from app.domain.errors import NotFound
from app.domain.instrument import SYMBOL, Instrument
from app.engine.feed_quality import FeedQuality
from app.engine.instruments.cache import LiveInstruments
from app.engine.lateness import FeedLateness
from app.engine.ownership.lease import Ownership
from app.engine.ports import Calendars, Store


class InstrumentRegistry:
    def __init__(
        self,
        store: Store,
        calendars: Calendars,
        live: LiveInstruments,
        ownership: Ownership,
        quality: FeedQuality,
        lateness: FeedLateness,
    ) -> None:
        self._store = store
        self._calendars = calendars
        self._live = live
        self._ownership = ownership
        self._quality = quality
        self._lateness = lateness

    async def put(self, instrument: Instrument) -> bool:
        """True when created. Raises Conflict("instrument_in_use") where live orders stand on other terms, and
        InvalidInput("unknown_calendar"). Where the length of bars or the calendar changes, the old bars are dropped."""
        await asyncio.to_thread(self._calendars, instrument.calendar)
        created = await self._store.put_instrument(instrument)
        self._live.forget(instrument.symbol)
        await self._ownership.reopen(instrument.symbol)
        self._live.try_again(instrument.symbol)
        return created

    async def delete(self, symbol: str) -> None:
        """The instrument and its bars. Raises NotFound("unknown_instrument"), and Conflict("instrument_in_use") where
        orders stand on it."""
        if not SYMBOL.fullmatch(symbol) or not await self._store.delete_instrument(symbol):
            raise unknown(symbol)
        self._live.drop(symbol)
        self._quality.forget(symbol)
        self._lateness.forget(symbol)
        await self._ownership.gone(symbol)

    async def all(self) -> list[Instrument]:
        return await self._store.instruments()

    async def get(self, symbol: str) -> Instrument:
        """Raises NotFound("unknown_instrument")."""
        return await registered(self._store, symbol)


async def registered(store: Store, symbol: str) -> Instrument:
    """The instrument of that name. Raises NotFound("unknown_instrument")."""
    found = await store.instrument(symbol)
    if found is None:
        raise unknown(symbol)
    return found


def unknown(symbol: str) -> NotFound:
    return NotFound("unknown_instrument", f"no instrument is named {symbol!r}")
