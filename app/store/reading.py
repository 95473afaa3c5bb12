"""Reads many values at once, each on its own: one that is not understood does not keep the others from being read."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, TypeVar, cast

from redis.asyncio.client import Pipeline

from app.domain.bar import Bar
from app.domain.errors import Unavailable
from app.domain.instrument import Instrument
from app.domain.state import OrderState
from app.store import codec, keys
from app.store.gathering import GatheringRedis
from app.store.outages import Outages
from app.store.state_codec import state_from
from app.store.unreadable import WRONG_TYPE, Kind, Unreadable

READ_CHUNK = 500
INSTRUMENT_UNREADABLE = "instrument_unreadable"
T = TypeVar("T")


class Reader:
    """In its answers a refusal stands for what is not understood, None for what is not there."""

    def __init__(self, client: GatheringRedis, outages: Outages, unreadable: Unreadable) -> None:
        self._client = client
        self._outages = outages
        self._unreadable = unreadable

    async def symbols(self) -> list[str]:
        """Of all instruments, sorted; none where their list is not understood."""
        try:
            with self._outages.reaching(), self._unreadable.understanding(Kind.INSTRUMENT, keys.INSTRUMENTS):
                return sorted(await cast("Any", self._client.smembers(keys.INSTRUMENTS)))
        except Unavailable as error:
            if error.code == INSTRUMENT_UNREADABLE:
                return []
            raise

    async def instruments(self, symbols: Sequence[str]) -> list[Instrument | Unavailable | None]:
        every = [keys.instrument(symbol) for symbol in symbols]
        found = await self._answers(every, lambda pipe, key: pipe.hmget(key, "json", "revision"))
        return [
            self._understood(Kind.INSTRUMENT, key, fields, codec.instrument_from)
            for key, fields in zip(every, found, strict=True)
        ]

    async def orders(self, symbol: str, order_ids: Sequence[str]) -> list[OrderState | Unavailable | None]:
        every = [keys.order(symbol, order_id) for order_id in order_ids]
        found = await self._answers(every, lambda pipe, key: pipe.hmget(key, "mandate", "state", "slice"))
        return [self._understood(Kind.ORDER, key, fields, state_from) for key, fields in zip(every, found, strict=True)]

    async def order(self, symbol: str, order_id: str) -> OrderState | None:
        """One order, without the pipeline that several need. Raises Unavailable where it is not understood."""
        key = keys.order(symbol, order_id)
        with self._outages.reaching(), self._unreadable.understanding(Kind.ORDER, key):
            fields = await cast("Any", self._client.hmget(key, ("mandate", "state", "slice")))
            return state_from(*fields) if fields[0] else None

    async def counts(self, every: Sequence[str]) -> list[int]:
        """How many members each sorted set has, 0 for what is none."""
        counted = await self._answers(every, lambda pipe, key: pipe.zcard(key))
        read = [
            self._understood(Kind.INSTRUMENT, key, count if isinstance(count, Exception) else (count,), int)
            for key, count in zip(every, counted, strict=True)
        ]
        return [each if isinstance(each, int) else 0 for each in read]

    async def bars_before(self, symbol: str, open_time: datetime | None, count: int) -> list[Bar]:
        newest = f"({keys.bar_id(open_time)}" if open_time else "+"
        with self._outages.reaching(), self._unreadable.understanding(Kind.INSTRUMENT, keys.bars(symbol)):
            entries: Any = await self._client.xrevrange(keys.bars(symbol), newest, "-", count=count)
        bars = self.bars(symbol, entries)
        if entries and open_time is None and not bars[0]:  # nobody could append behind a bar that is not understood
            raise self._unreadable.found(
                Kind.INSTRUMENT, f"{keys.bars(symbol)} {entries[0][0]}", "it is the newest bar"
            )
        return [bar for bar in reversed(bars) if bar]

    async def bars_since(self, symbol: str, open_time: datetime, count: int) -> list[Bar]:
        first = keys.bar_id(open_time)
        while True:
            with self._outages.reaching(), self._unreadable.understanding(Kind.INSTRUMENT, keys.bars(symbol)):
                entries: Any = await self._client.xrange(keys.bars(symbol), first, "+", count=count)
            bars = [bar for bar in self.bars(symbol, entries) if bar]
            if bars or not entries:
                return bars
            first = f"({entries[-1][0]}"

    def bars(self, symbol: str, entries: Sequence[tuple[str, dict[str, str]]]) -> list[Bar | None]:
        """One for each entry of the stream, None where it is not understood."""
        read = (
            self._understood(
                Kind.INSTRUMENT, f"{keys.bars(symbol)} {entry_id}", (fields.get("json", ""),), codec.bar_from
            )
            for entry_id, fields in entries
        )
        return [each if isinstance(each, Bar) else None for each in read]

    async def _answers(self, every: Sequence[str], ask: Callable[[Pipeline, str], object]) -> list[Any]:
        """What the server says of each key; an exception in the place of a key that is of another type."""
        found: list[Any] = []
        for first in range(0, len(every), READ_CHUNK):
            with self._outages.reaching():
                async with self._client.pipeline(transaction=False) as pipe:
                    for key in every[first : first + READ_CHUNK]:
                        ask(pipe, key)
                    found += _readable(await pipe.execute(raise_on_error=False))
        return found

    def _understood(self, kind: Kind, key: str, fields: Any, read: Callable[..., T]) -> T | Unavailable | None:
        try:
            with self._unreadable.understanding(kind, key):
                if isinstance(fields, Exception):
                    raise fields
                return read(*fields) if fields[0] else None
        except Unavailable as refusal:
            return refusal


def _readable(answers: list[Any]) -> list[Any]:
    """Raises what is wrong with the server rather than with a key."""
    for answer in answers:
        if isinstance(answer, Exception) and not str(answer).startswith(WRONG_TYPE):
            raise answer
    return answers
