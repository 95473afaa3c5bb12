"""How recorded bars change, and what is recorded of a feed besides its bars."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any, cast
from uuid import uuid4

from app.domain.bar import Bar
from app.domain.errors import Unavailable
from app.store import codec, keys, notices
from app.store.connection import Call, run, script
from app.store.gathering import GatheringRedis
from app.store.lost_tail import LostTail
from app.store.outages import Outages
from app.store.unreadable import Kind, Unreadable

APPEND_BARS = script("append_bars")
REPLACE_BARS = script("replace_bars")
RECORD_REVISIONS = script("record_revisions")
ADD_QUALITY = script("add_quality")
CHUNK_BARS = 500


class BarChanges:
    """A part of `RedisStore`; see `engine.ports.Store`. Other processes are told of new bars on `channel`, where it is
    not empty."""

    def __init__(
        self,
        client: GatheringRedis,
        outages: Outages,
        unreadable: Unreadable,
        lost_tail: LostTail,
        bars_kept: int,
        channel: str,
    ) -> None:
        self._client = client
        self._outages = outages
        self._unreadable = unreadable
        self._lost_tail = lost_tail
        self._bars_kept = bars_kept
        self._channel = channel

    async def append(self, symbol: str, bars: Sequence[Bar], after: datetime | None, revision: int | None) -> bool:
        args: list[str | int] = [keys.bar_id(after) if after else "", self._bars_kept]
        notice = notices.bars_text(symbol, bars, after) if self._channel else ""
        args += ["" if revision is None else revision, self._channel, notice, *_entries(bars)]
        with self._reaching(symbol, writes=True):
            [answer] = await run(self._client, [Call(APPEND_BARS, (keys.bars(symbol), keys.instrument(symbol)), args)])
        if answer:
            self._lost_tail.appended(symbol, [bar.open_time for bar in bars], after, revision)
        return bool(answer)

    async def replace(self, symbol: str, bars: Sequence[Bar], known: int) -> bool:
        """The bars are written under a key of their own, in pieces, which then takes the other one's place."""
        rebuilt, after = keys.rebuilt(symbol, uuid4().hex), ""
        for piece in _pieces(bars):
            args: list[str | int] = [after, self._bars_kept, "", "", "", *_entries(piece)]
            with self._reaching(symbol, writes=True):
                await run(self._client, [Call(APPEND_BARS, (rebuilt, keys.instrument(symbol)), args)])
                await self._client.expire(rebuilt, keys.REBUILT_SECONDS)
            after = keys.bar_id(piece[-1].open_time)
        script_keys = (keys.bars(symbol), rebuilt, keys.awaiting(symbol))
        with self._reaching(symbol, writes=True):
            [answer] = await run(self._client, [Call(REPLACE_BARS, script_keys, (after, known, len(bars)))])
        return bool(answer)

    async def record_revisions(self, symbol: str, bars: Sequence[Bar]) -> int:
        script_keys, new = (keys.revisions(symbol), keys.bars(symbol)), 0
        for piece in _pieces(bars):
            with self._reaching(symbol, writes=True):
                [count] = await run(
                    self._client, [Call(RECORD_REVISIONS, script_keys, [self._bars_kept, *_entries(piece)])]
                )
            new += int(count)
        return new

    async def add_quality(self, counts: Mapping[str, Mapping[str, int]]) -> None:
        calls = [
            Call(
                ADD_QUALITY,
                (keys.instrument(symbol), keys.quality(symbol)),
                [word for each in own.items() for word in each],
            )
            for symbol, own in counts.items()
        ]
        with self._outages.reaching(writes=True):
            await run(self._client, calls)

    async def quality(self, symbol: str) -> dict[str, int]:
        with self._reaching(symbol):
            found = await cast("Any", self._client.hgetall(keys.quality(symbol)))
            return {name: int(count) for name, count in found.items()}

    async def record_lateness(self, symbol: str, late_seconds: float) -> None:
        with self._reaching(symbol, writes=True):
            await cast("Any", self._client.hset(keys.instrument(symbol), "late_seconds", str(late_seconds)))

    async def lateness(self, symbol: str) -> float:
        with self._reaching(symbol):
            recorded = await cast("Any", self._client.hget(keys.instrument(symbol), "late_seconds"))
            return float(recorded or 0)

    async def awaited(self, symbol: str) -> bool:
        with self._reaching(symbol):
            return bool(await cast("Any", self._client.scard(keys.awaiting(symbol))))

    async def require_place(self, symbol: str) -> None:
        with self._reaching(symbol):
            awaiting = await cast("Any", self._client.scard(keys.awaiting(symbol)))
        if awaiting >= keys.AWAITING_MAX:
            raise Unavailable("too_many_orders", f"{keys.AWAITING_MAX} orders are live on the instrument already")

    @contextmanager
    def _reaching(self, symbol: str, *, writes: bool = False) -> Iterator[None]:
        with (
            self._outages.reaching(writes=writes),
            self._unreadable.understanding(Kind.INSTRUMENT, keys.every(symbol)),
        ):
            yield


def _entries(bars: Sequence[Bar]) -> Iterator[str]:
    """The id and the text of each bar."""
    for bar in bars:
        yield keys.bar_id(bar.open_time)
        yield codec.bar_text(bar)


def _pieces(bars: Sequence[Bar]) -> Iterator[Sequence[Bar]]:
    for first in range(0, len(bars), CHUNK_BARS):
        yield bars[first : first + CHUNK_BARS]
