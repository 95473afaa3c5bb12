"""The event streams of all instruments as one sequence; see `outbox.log.EventLog`.

The ids of a stream's entries are the server's time, and no script ends before a later command reads the clock: what the
clock says first, and the streams are read after that, so no event of an earlier millisecond is missing then. On a
cluster the slowest clock of the masters counts, so that events come late by as much as these clocks differ.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Mapping, Sequence
from typing import Any

from redis.exceptions import ResponseError

from app.domain.events import SliceCommitted
from app.outbox.log import SEQUENCE_MAX, Batch, Place, RecordedEvent
from app.store import keys
from app.store.event_codec import known_event
from app.store.gathering import GatheringRedis
from app.store.order_codec import order_from
from app.store.outages import Outages
from app.store.reading import Reader
from app.store.slice_codec import slice_from
from app.store.unreadable import NOT_UNDERSTOOD, WRONG_TYPE, Kind, Unreadable

EVENTS_AT_ONCE = 5_000
"""Of all streams, about: others have their turn between two readings."""
STREAM_EVENTS_MIN, STREAM_EVENTS_MAX = 5, 2_000
READ_AT_ONCE = 500
MASTERS_KNOWN_SECONDS = LENGTHS_KNOWN_SECONDS = 1.0
SOME_MODELS = ("",) * 1_000
"""In the place of those that have decided an order: which of them made a slice is not told."""

Entries = Sequence[tuple[str, Mapping[str, str]]]


class RedisEventLog:
    """A part of `RedisStore`."""

    def __init__(self, client: GatheringRedis, outages: Outages, unreadable: Unreadable, reader: Reader) -> None:
        self._client = client
        self._outages = outages
        self._unreadable = unreadable
        self._reader = reader
        self._learning = asyncio.Lock()
        self._long: tuple[float, Sequence[str]] = (float("-inf"), ())
        self._masters: tuple[float, Sequence[GatheringRedis]] = (float("-inf"), ())

    async def now(self) -> int:
        with self._outages.reaching():
            clocks = [await master.execute_command("TIME") for master in await self._known_masters()]
        return min(int(seconds) * 1000 + int(micros) // 1000 for seconds, micros in clocks)

    async def read(
        self, after: Place, *, instrument: str | None = None, read: Mapping[str, str] | None = None
    ) -> Batch:
        symbols = [instrument] if instrument is not None else await self._reader.symbols()
        now, known = Place.before(await self.now()), read or {}
        since = {symbol: known.get(symbol) or _entry_before(after, symbol) for symbol in symbols}
        count = min(STREAM_EVENTS_MAX, max(STREAM_EVENTS_MIN, EVENTS_AT_ONCE // max(1, len(since))))
        found = await self._entries(since, count)
        cut = [_place(symbol, entries[-1][0]) for symbol, entries in found.items() if len(entries) >= count]
        until = max(after, min([now, *cut]))
        return _batch(found, until, more=bool(cut))

    async def learn(self, events: Sequence[RecordedEvent]) -> None:
        """A slice never changes, nor does what was asked for with an order. What is not understood is left out: its own
        call tells of it. Whoever is told of the same events meanwhile waits for the one reading."""
        async with self._learning:
            await self._learn_orders(events)
            await self._learn_slices(events)

    async def _learn_orders(self, events: Sequence[RecordedEvent]) -> None:
        wanted = [each for each in events if each.event.begins and each.order is None]
        asked = [("HGET", keys.order(each.place.instrument, each.order_id), "mandate") for each in wanted]
        for each, mandate in zip(wanted, await self._asked(asked), strict=True):
            if isinstance(mandate, str):
                with contextlib.suppress(*NOT_UNDERSTOOD):
                    each.order = order_from(mandate)

    async def _learn_slices(self, events: Sequence[RecordedEvent]) -> None:
        wanted = [each for each in events if isinstance(each.event.what, SliceCommitted) and each.piece is None]
        asked: list[tuple[Any, ...]] = []
        for each in wanted:
            symbol, order_id = each.place.instrument, each.order_id
            asked.append(("HGET", keys.slices(symbol, order_id), each.event.step))
            asked.append(("HGET", keys.order(symbol, order_id), "mandate"))
        answers = await self._asked(asked)
        for each, line, mandate in zip(wanted, answers[::2], answers[1::2], strict=True):
            if isinstance(line, str) and isinstance(mandate, str):
                with contextlib.suppress(*NOT_UNDERSTOOD):
                    each.piece = slice_from(line, order_from(mandate), SOME_MODELS)

    async def kept_since(self, after: Place, instrument: str | None = None) -> bool:
        """A stream that is shorter than it may be has lost nothing: what goes leaves as many as may be."""
        long = await self._long_streams() if instrument is None else [instrument]
        oldest = await self._asked([("XRANGE", keys.events(symbol), "-", "+", "COUNT", 1) for symbol in long])
        lengths = await self._asked([("XLEN", keys.events(symbol)) for symbol in long])
        return not any(
            _is_full(length) and _place(symbol, entries[0][0]) > after
            for symbol, entries, length in zip(long, oldest, lengths, strict=True)
        )

    async def _long_streams(self) -> Sequence[str]:
        """Those that may have lost events, as of a moment ago: many clients come back at once."""
        asked_at, long = self._long
        if time.monotonic() - asked_at > LENGTHS_KNOWN_SECONDS:
            symbols = await self._reader.symbols()
            lengths = await self._asked([("XLEN", keys.events(symbol)) for symbol in symbols])
            long = [symbol for symbol, length in zip(symbols, lengths, strict=True) if _is_long(length)]
            self._long = time.monotonic(), long
        return long

    async def accounts(self, orders: Sequence[tuple[str, str]]) -> Sequence[str | None]:
        asked = [("HGET", keys.order(symbol, order_id), "mandate") for symbol, order_id in orders]
        return [_account_of(mandate) for mandate in await self._asked(asked)]

    async def _entries(self, since: Mapping[str, str], count: int) -> Mapping[str, Entries]:
        """At most `count` of each stream. One server reads all streams at once; one of another type, which it would
        refuse them all for, is left out by reading each alone."""
        if not since:
            return {}
        if not self._client.clustered:
            streams = [keys.events(symbol) for symbol in since]
            try:
                with self._outages.reaching():
                    answer: Any = await self._client.execute_command(
                        "XREAD", "COUNT", count, "STREAMS", *streams, *since.values()
                    )
            except ResponseError as error:
                if not str(error).startswith(WRONG_TYPE):
                    raise
            else:
                return _by_symbol(dict(zip(streams, since, strict=True)), answer)
        asked = [("XRANGE", keys.events(symbol), f"({entry}", "+", "COUNT", count) for symbol, entry in since.items()]
        answers = await self._asked(asked)
        for symbol, answer in zip(since, answers, strict=True):
            if isinstance(answer, Exception):
                self._unreadable.found(Kind.INSTRUMENT, keys.events(symbol), "it is of another type")
        return {
            symbol: entries
            for symbol, entries in zip(since, answers, strict=True)
            if entries and not isinstance(entries, Exception)
        }

    async def _asked(self, commands: Sequence[tuple[Any, ...]]) -> list[Any]:
        """The answers; an exception in the place of one about a key of another type."""
        answers: list[Any] = []
        for first in range(0, len(commands), READ_AT_ONCE):
            with self._outages.reaching():
                some = await self._client.together(commands[first : first + READ_AT_ONCE])
                for answer in some:
                    if isinstance(answer, Exception) and not str(answer).startswith(WRONG_TYPE):
                        raise answer
            answers += some
        return answers

    async def _known_masters(self) -> Sequence[GatheringRedis]:
        asked_at, masters = self._masters
        if not self._client.clustered:
            return [self._client]
        if time.monotonic() - asked_at > MASTERS_KNOWN_SECONDS:
            masters = await self._client.masters()
            self._masters = time.monotonic(), masters
        return masters


def _batch(found: Mapping[str, Entries], until: Place, *, more: bool) -> Batch:
    events, read, held = [], {}, False
    for symbol, entries in found.items():
        for entry, fields in entries:
            place = _place(symbol, entry)
            if place > until:
                held = True
                break
            read[symbol] = entry
            event = known_event(fields.get("json", ""))
            if event is not None:
                events.append(RecordedEvent(place, event))
    events.sort(key=lambda each: each.place)
    return Batch(events, until, more, held, read)


def _by_symbol(symbols: Mapping[str, str], answer: Any) -> dict[str, Entries]:
    """redis-py answers pairs, or a mapping where the server speaks RESP3."""
    pairs = answer.items() if isinstance(answer, Mapping) else answer or ()
    return {symbols[key]: entries for key, entries in pairs}


def _place(symbol: str, entry: str) -> Place:
    milliseconds, _, sequence = entry.partition("-")
    return Place(int(milliseconds), int(sequence), symbol)


def _entry_before(place: Place, symbol: str) -> str:
    """The id behind which everything of that stream comes behind the place."""
    if symbol <= place.instrument:
        return f"{place.milliseconds}-{place.sequence}"
    if place.sequence:
        return f"{place.milliseconds}-{place.sequence - 1}"
    return f"{place.milliseconds - 1}-{SEQUENCE_MAX}" if place.milliseconds else "0-0"


def _is_long(length: Any) -> bool:
    """It may be full before the lengths are asked for again."""
    return isinstance(length, int) and length >= keys.EVENTS_KEPT // 2


def _is_full(length: Any) -> bool:
    return isinstance(length, int) and length >= keys.EVENTS_KEPT


def _account_of(mandate: Any) -> str | None:
    return order_from(mandate).account if isinstance(mandate, str) else None
