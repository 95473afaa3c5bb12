"""The engine's `Store` on Redis 7.0 or later, or Valkey. Keys and lifetimes are in keys.py, the scripts in lua/."""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, Self, cast
from uuid import uuid4

from redis.asyncio import Redis

from app.domain.bar import Bar
from app.domain.errors import Conflict, Unavailable
from app.domain.fills import Fill
from app.domain.instrument import Instrument
from app.domain.lifecycle import LIVE, Status
from app.domain.order import Order
from app.domain.slice import Slice
from app.domain.state import OrderState
from app.engine.changes import Change
from app.engine.ports import Claim
from app.engine.results import Page
from app.engine.terms import digest_of
from app.store import claims, codec, keys
from app.store.commits import commit_calls, create_call
from app.store.connection import Call, connect, reaching, run, script
from app.store.order_codec import slice_from, state_from
from app.store.pages import page

PUT_INSTRUMENT = script("put_instrument")
APPEND_BARS = script("append_bars")
REPLACE_BARS = script("replace_bars")
RECORD_REVISIONS = script("record_revisions")
SYMBOLS_CACHED = 100_000
READ_CHUNK = 500


class RedisStore:
    """See `engine.ports.Store`. `lookback` is the most steps of history that a policy reads."""

    def __init__(self, client: Redis, lookback: int) -> None:
        self._client = client
        self._bars_kept = keys.bars_kept(lookback)
        self._symbols: OrderedDict[str, str] = OrderedDict()

    @classmethod
    def at(cls, url: str, lookback: int) -> Self:
        """A store that connects when it is first used."""
        return cls(connect(url), lookback)

    @property
    def bars_kept(self) -> int:
        return self._bars_kept

    async def close(self) -> None:
        await self._client.aclose()

    async def ping(self) -> None:
        with reaching():
            await cast("Any", self._client.ping())

    async def put_instrument(self, instrument: Instrument) -> bool:
        symbol = instrument.symbol
        texts = (codec.instrument_text(instrument), codec.terms_text(instrument), codec.windows_text(instrument))
        script_keys = (keys.instrument(symbol), keys.awaiting(symbol), keys.bars(symbol), keys.revisions(symbol))
        with reaching():
            await cast("Any", self._client.sadd(keys.INSTRUMENTS, symbol))
            [answer] = await run(self._client, [Call(PUT_INSTRUMENT, script_keys, texts)])
        if answer == "in_use":
            raise Conflict("instrument_in_use", f"live orders on {symbol} stand on its bars, lots, steps and calendar")
        return bool(answer == "created")

    async def instrument(self, symbol: str) -> Instrument | None:
        with reaching():
            line = await cast("Any", self._client.hget(keys.instrument(symbol), "json"))
        return codec.instrument_from(line) if line else None

    async def instruments(self) -> list[Instrument]:
        with reaching():
            symbols = sorted(await cast("Any", self._client.smembers(keys.INSTRUMENTS)))
            async with self._client.pipeline(transaction=False) as pipe:
                for symbol in symbols:
                    pipe.hget(keys.instrument(symbol), "json")
                lines = await pipe.execute()
        return [codec.instrument_from(line) for line in lines if line]

    async def append_bars(self, symbol: str, bars: Sequence[Bar], after: datetime | None) -> bool:
        return await self._append(keys.bars(symbol), bars, after)

    async def _append(self, key: str, bars: Sequence[Bar], after: datetime | None) -> bool:
        args: list[str | int] = [keys.bar_id(after) if after else "", self._bars_kept, *_entries(bars)]
        with reaching():
            [answer] = await run(self._client, [Call(APPEND_BARS, (key,), args)])
        return bool(answer)

    async def replace_bars(self, symbol: str, bars: Sequence[Bar], known: int) -> bool:
        """The bars are written under a key of their own, in pieces, which then takes the other one's place."""
        rebuilt, after = keys.rebuilt(symbol, uuid4().hex), None
        for first in range(0, len(bars), READ_CHUNK):
            piece = bars[first : first + READ_CHUNK]
            if not await self._append(rebuilt, piece, after):  # a repeated call has been heard twice
                return False
            after = piece[-1].open_time
            with reaching():
                await self._client.expire(rebuilt, keys.REBUILT_SECONDS)
        script_keys = (keys.bars(symbol), rebuilt, keys.awaiting(symbol))
        with reaching():
            [answer] = await run(
                self._client, [Call(REPLACE_BARS, script_keys, (keys.bar_id(bars[-1].open_time), known))]
            )
        return bool(answer)

    async def record_revisions(self, symbol: str, bars: Sequence[Bar]) -> int:
        script_keys, new = (keys.revisions(symbol), keys.bars(symbol)), 0
        for first in range(0, len(bars), READ_CHUNK):
            args: list[str | int] = [self._bars_kept, *_entries(bars[first : first + READ_CHUNK])]
            with reaching():
                [count] = await run(self._client, [Call(RECORD_REVISIONS, script_keys, args)])
            new += int(count)
        return new

    async def record_lateness(self, symbol: str, late_seconds: float) -> None:
        with reaching():
            await cast("Any", self._client.hset(keys.instrument(symbol), "late_seconds", str(late_seconds)))

    async def lateness(self, symbol: str) -> float:
        with reaching():
            recorded = await cast("Any", self._client.hget(keys.instrument(symbol), "late_seconds"))
        return float(recorded or 0)

    async def awaited(self, symbol: str) -> bool:
        with reaching():
            return bool(await cast("Any", self._client.scard(keys.awaiting(symbol))))

    async def bars_before(self, symbol: str, open_time: datetime | None, count: int) -> list[Bar]:
        newest = f"({keys.bar_id(open_time)}" if open_time else "+"
        with reaching():
            entries: Any = await self._client.xrevrange(keys.bars(symbol), newest, "-", count=count)
        return [codec.bar_from(fields["json"]) for _, fields in reversed(entries)]

    async def bars_since(self, symbol: str, open_time: datetime, count: int) -> list[Bar]:
        with reaching():
            entries: Any = await self._client.xrange(keys.bars(symbol), keys.bar_id(open_time), "+", count=count)
        return [codec.bar_from(fields["json"]) for _, fields in entries]

    async def claim(self, order: Order) -> Claim:
        with reaching():
            return await claims.take(self._client, order.order_id, Claim(order.instrument, digest_of(order)))

    async def claimed(self, order_id: str) -> Claim | None:
        with reaching():
            return await claims.standing(self._client, order_id)

    async def refuse_claim(self, order: Order) -> None:
        with reaching():
            await claims.mark_refused(self._client, order.order_id, Claim(order.instrument, digest_of(order)))

    async def create(self, change: Change, newest: datetime) -> tuple[OrderState, bool] | None:
        with reaching():
            [answer] = await run(self._client, [create_call(change, newest)])
        match answer:
            case ["created"]:
                return change.after, True
            case ["exists", mandate, state]:
                return state_from(mandate, state), False
            case ["full"]:
                raise Unavailable("too_many_orders", f"{keys.AWAITING_MAX} orders are live on the instrument already")
        return None

    async def commit(self, changes: Sequence[Change]) -> list[OrderState | None]:
        with reaching():
            answers = await run(self._client, commit_calls(changes))
        return [state_from(*recorded) if recorded else None for chunk in answers for recorded in chunk]

    async def order(self, order_id: str) -> OrderState | None:
        symbol = await self._symbol_of(order_id)
        if symbol is None:
            return None
        [found] = await self._orders(symbol, [order_id])
        if found is None:
            self._symbols.pop(order_id, None)  # a claim without an order may give way to one on another instrument
        return found

    async def awaiting(self, symbol: str) -> list[OrderState]:
        with reaching():
            order_ids = sorted(await cast("Any", self._client.smembers(keys.awaiting(symbol))))
        return [state for state in await self._orders(symbol, order_ids) if state]

    async def live_orders(self) -> Counter[Status]:
        with reaching():
            symbols = await cast("Any", self._client.smembers(keys.INSTRUMENTS))
        wanted = [(status, keys.orders(symbol, status)) for symbol in symbols for status in LIVE]
        counts = Counter(dict.fromkeys(LIVE, 0))
        for first in range(0, len(wanted), READ_CHUNK):
            chunk = wanted[first : first + READ_CHUNK]
            with reaching():
                async with self._client.pipeline(transaction=False) as pipe:
                    for _, key in chunk:
                        pipe.zcard(key)
                    answers = await pipe.execute()
            for (status, _), count in zip(chunk, answers, strict=True):
                counts[status] += count
        return counts

    async def slices(self, order_id: str) -> list[Slice]:
        symbol = await self._symbol_of(order_id)
        if symbol is None:
            return []
        with reaching():
            lines = await cast("Any", self._client.hgetall(keys.slices(symbol, order_id)))
        return [slice_from(lines[step]) for step in sorted(lines, key=int)]

    async def fill(self, order_id: str, execution_id: str) -> Fill | None:
        symbol = await self._symbol_of(order_id)
        if symbol is None:
            return None
        with reaching():
            line = await cast("Any", self._client.hget(keys.fills(symbol, order_id), execution_id))
        return codec.fill_from(line) if line else None

    async def page(self, *, status: Status | None, instrument: str | None, limit: int, cursor: str | None) -> Page:
        with reaching():
            symbols = sorted(await cast("Any", self._client.smembers(keys.INSTRUMENTS)))
            chosen = [symbol for symbol in symbols if instrument in (None, symbol)]
            found, next_cursor = await page(self._client, chosen, status, limit, cursor)
        orders = [state for symbol, ids in found for state in await self._orders(symbol, ids) if state]
        return Page(orders=tuple(orders), next_cursor=next_cursor)

    async def _orders(self, symbol: str, order_ids: Sequence[str]) -> list[OrderState | None]:
        found: list[OrderState | None] = []
        for first in range(0, len(order_ids), READ_CHUNK):
            with reaching():
                async with self._client.pipeline(transaction=False) as pipe:
                    for order_id in order_ids[first : first + READ_CHUNK]:
                        pipe.hmget(keys.order(symbol, order_id), "mandate", "state")
                    texts = await pipe.execute()
            found += [state_from(mandate, state) if mandate else None for mandate, state in texts]
        return found

    async def _symbol_of(self, order_id: str) -> str | None:
        """The order's instrument never changes: asked once, then remembered."""
        if order_id not in self._symbols:
            claim = await self.claimed(order_id)
            if claim is None:
                return None
            self._symbols[order_id] = claim.instrument
            if len(self._symbols) > SYMBOLS_CACHED:
                self._symbols.popitem(last=False)
        return self._symbols[order_id]


def _entries(bars: Sequence[Bar]) -> Iterator[str]:
    """The id and the text of each bar."""
    for bar in bars:
        yield keys.bar_id(bar.open_time)
        yield codec.bar_text(bar)
