"""The bars of instruments in the store: the recorded ones, their revisions, and how late their feed is."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import Any, cast
from uuid import uuid4

from redis.asyncio import Redis

from app.domain.bar import Bar
from app.store import codec, keys
from app.store.connection import Call, run, script
from app.store.outages import Outages
from app.store.reading import Reader
from app.store.unreadable import Kind, Unreadable

APPEND_BARS = script("append_bars")
REPLACE_BARS = script("replace_bars")
RECORD_REVISIONS = script("record_revisions")
WRITE_CHUNK = 500


class BarRecords:
    """The part of `engine.ports.Store` that is about bars. `lookback` and `on_unreadable` as in `RedisStore`."""

    def __init__(self, client: Redis, lookback: int, on_unreadable: Callable[[str], None]) -> None:
        self._client = client
        self._bars_kept = keys.bars_kept(lookback)
        self._outages = Outages()
        self._unreadable = Unreadable(on_unreadable)
        self._reader = Reader(client, self._outages, self._unreadable)

    @property
    def bars_kept(self) -> int:
        return self._bars_kept

    async def append_bars(
        self, symbol: str, bars: Sequence[Bar], after: datetime | None, revision: int | None = None
    ) -> bool:
        return await self._append(symbol, keys.bars(symbol), bars, after, revision)

    async def _append(
        self, symbol: str, key: str, bars: Sequence[Bar], after: datetime | None, revision: int | None = None
    ) -> bool:
        args: list[str | int] = [keys.bar_id(after) if after else "", self._bars_kept]
        args += ["" if revision is None else revision, *_entries(bars)]
        with self._outages.reaching(writes=True), self._unreadable.understanding(Kind.INSTRUMENT, key):
            [answer] = await run(self._client, [Call(APPEND_BARS, (key, keys.instrument(symbol)), args)])
        return bool(answer)

    async def replace_bars(self, symbol: str, bars: Sequence[Bar], known: int) -> bool:
        """The bars are written under a key of their own, in pieces, which then takes the other one's place."""
        rebuilt, after = keys.rebuilt(symbol, uuid4().hex), None
        for first in range(0, len(bars), WRITE_CHUNK):
            piece = bars[first : first + WRITE_CHUNK]
            if not await self._append(symbol, rebuilt, piece, after):  # a repeated call has been heard twice
                return False
            after = piece[-1].open_time
            with self._outages.reaching(writes=True):
                await self._client.expire(rebuilt, keys.REBUILT_SECONDS)
        script_keys = (keys.bars(symbol), rebuilt, keys.awaiting(symbol))
        with self._outages.reaching(writes=True), self._unreadable.understanding(Kind.INSTRUMENT, keys.every(symbol)):
            [answer] = await run(
                self._client, [Call(REPLACE_BARS, script_keys, (keys.bar_id(bars[-1].open_time), known))]
            )
        return bool(answer)

    async def record_revisions(self, symbol: str, bars: Sequence[Bar]) -> int:
        script_keys, new = (keys.revisions(symbol), keys.bars(symbol)), 0
        for first in range(0, len(bars), WRITE_CHUNK):
            args: list[str | int] = [self._bars_kept, *_entries(bars[first : first + WRITE_CHUNK])]
            with (
                self._outages.reaching(writes=True),
                self._unreadable.understanding(Kind.INSTRUMENT, keys.every(symbol)),
            ):
                [count] = await run(self._client, [Call(RECORD_REVISIONS, script_keys, args)])
            new += int(count)
        return new

    async def record_lateness(self, symbol: str, late_seconds: float) -> None:
        key = keys.instrument(symbol)
        with self._outages.reaching(writes=True), self._unreadable.understanding(Kind.INSTRUMENT, key):
            await cast("Any", self._client.hset(key, "late_seconds", str(late_seconds)))

    async def lateness(self, symbol: str) -> float:
        key = keys.instrument(symbol)
        with self._outages.reaching(), self._unreadable.understanding(Kind.INSTRUMENT, key):
            return float(await cast("Any", self._client.hget(key, "late_seconds")) or 0)

    async def awaited(self, symbol: str) -> bool:
        key = keys.awaiting(symbol)
        with self._outages.reaching(), self._unreadable.understanding(Kind.INSTRUMENT, key):
            return bool(await cast("Any", self._client.scard(key)))

    async def bars_before(self, symbol: str, open_time: datetime | None, count: int) -> list[Bar]:
        newest = f"({keys.bar_id(open_time)}" if open_time else "+"
        with self._outages.reaching(), self._unreadable.understanding(Kind.INSTRUMENT, keys.bars(symbol)):
            entries: Any = await self._client.xrevrange(keys.bars(symbol), newest, "-", count=count)
        bars = self._reader.bars(symbol, entries)
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
            bars = [bar for bar in self._reader.bars(symbol, entries) if bar]
            if bars or not entries:
                return bars
            first = f"({entries[-1][0]}"


def _entries(bars: Sequence[Bar]) -> Iterator[str]:
    """The id and the text of each bar."""
    for bar in bars:
        yield keys.bar_id(bar.open_time)
        yield codec.bar_text(bar)
