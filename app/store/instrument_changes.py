"""How registered instruments change: they are registered, and deleted where nothing stands on them, each in one script,
since the keys of an instrument lie in one slot."""

from __future__ import annotations

from typing import Any, cast

from app.domain.errors import Conflict
from app.domain.instrument import Instrument
from app.domain.lifecycle import LIVE, Status
from app.store import codec, keys
from app.store.connection import Call, run, script
from app.store.gathering import GatheringRedis
from app.store.outages import Outages
from app.store.unreadable import Kind, Unreadable

PUT_INSTRUMENT, DELETE_INSTRUMENT = script("put_instrument"), script("delete_instrument")
IDS_TOLD = 5
ENDED_IN_FLIGHT = "ended and still in flight"


class InstrumentChanges:
    """A part of `RedisStore`; see `engine.ports.Store`. Other processes are told that an instrument has no owner any
    more on `channel`, where it is not empty."""

    def __init__(self, client: GatheringRedis, outages: Outages, unreadable: Unreadable, channel: str) -> None:
        self._client = client
        self._outages = outages
        self._unreadable = unreadable
        self._channel = channel

    async def put(self, instrument: Instrument) -> bool:
        symbol = instrument.symbol
        texts = (codec.instrument_text(instrument), codec.terms_text(instrument), codec.windows_text(instrument))
        script_keys = (keys.instrument(symbol), keys.awaiting(symbol), keys.bars(symbol), keys.revisions(symbol))
        with self._outages.reaching(writes=True):
            await self._list(symbol)
            with self._unreadable.understanding(Kind.INSTRUMENT, keys.instrument(symbol)):
                [answer] = await run(self._client, [Call(PUT_INSTRUMENT, script_keys, texts)])
            if answer == "created":  # a deletion may have taken the symbol from the list meanwhile
                await self._list(symbol)
        if answer == "in_use":
            raise Conflict("instrument_in_use", f"live orders on {symbol} stand on its bars, lots, steps and calendar")
        return bool(answer == "created")

    async def delete(self, symbol: str) -> bool:
        """Its bars and lists go; the records of orders that have ended stay, and are found by their ids."""
        key = keys.instrument(symbol)
        with self._outages.reaching(writes=True), self._unreadable.understanding(Kind.INSTRUMENT, keys.every(symbol)):
            [answer] = await run(self._client, [_deletion(symbol, self._channel)])
            if answer[0] == "deleted":
                await cast("Any", self._client.srem(keys.INSTRUMENTS, symbol))
                if await cast("Any", self._client.hexists(key, "json")):  # it was registered again in the same moment
                    await self._list(symbol)
        if answer[0] == "in_use":
            raise Conflict("instrument_in_use", _stood_on(symbol, *answer[1:]))
        return bool(answer[0] == "deleted")

    async def _list(self, symbol: str) -> None:
        with self._unreadable.understanding(Kind.INSTRUMENT, keys.INSTRUMENTS):
            await cast("Any", self._client.sadd(keys.INSTRUMENTS, symbol))


def _deletion(symbol: str, channel: str) -> Call:
    own = [keys.instrument(symbol), keys.awaiting(symbol), *(keys.orders(symbol, status) for status in _live())]
    ended = [keys.orders(symbol, status) for status in sorted(set(Status) - LIVE)]
    going = [*ended, keys.orders(symbol), keys.bars(symbol), keys.revisions(symbol), keys.quality(symbol)]
    return Call(DELETE_INSTRUMENT, [*own, *going], (len(LIVE), IDS_TOLD, channel, symbol))


def _live() -> list[Status]:
    return sorted(LIVE)


def _stood_on(symbol: str, awaiting: int, live_counts: list[int], ids: list[str]) -> str:
    """Such as "2 orders stand on A (1 working, 1 ended and still in flight): ID, ID"."""
    counts: dict[str, int] = dict(zip(_live(), live_counts, strict=True))
    counts[ENDED_IN_FLIGHT] = max(0, awaiting - sum(live_counts))
    told = ", ".join(f"{count} {what}" for what, count in counts.items() if count)
    total = sum(counts.values())
    more = ", ..." if total > len(ids) else ""
    verb = "order stands" if total == 1 else "orders stand"
    return f"{total} {verb} on {symbol} ({told}): {', '.join(sorted(ids))}{more}; cancel them, or await their end"
