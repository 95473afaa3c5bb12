"""The engine's `Store` on Redis 7.0 or later, or Valkey. Keys and lifetimes are in keys.py, the scripts in lua/."""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, Self, cast

from app.domain.bar import Bar
from app.domain.errors import Unavailable
from app.domain.fills import Fill
from app.domain.instrument import Instrument
from app.domain.lifecycle import LIVE, Status
from app.domain.order import AskedOrder, Order
from app.domain.slice import Slice
from app.domain.state import OrderState
from app.engine.changes import Change
from app.engine.ports import Claim, Replaced
from app.engine.results import Page
from app.engine.store_facts import StoreFacts
from app.engine.terms import digest_of
from app.store import claims, codec, keys
from app.store.api_keys import RedisApiKeys
from app.store.awaiting_orders import AwaitingOrders
from app.store.bar_changes import BarChanges
from app.store.connection import connect
from app.store.durability import Durability
from app.store.event_log import RedisEventLog
from app.store.gathering import GatheringRedis
from app.store.held_orders import HeldOrders
from app.store.instrument_changes import InstrumentChanges
from app.store.lost_tail import LostTail
from app.store.model_records import RedisModelRecords
from app.store.order_changes import OrderChanges
from app.store.order_slices import OrderSlices
from app.store.outages import Outages
from app.store.pages import page
from app.store.process_records import ProcessRecords
from app.store.reading import Reader
from app.store.replication import Replication
from app.store.server_facts import store_facts
from app.store.unreadable import Kind, Unreadable
from app.store.webhooks import RedisWebhooks

SYMBOLS_CACHED = 100_000


class RedisStore:
    """See `engine.ports.Store`. `lookback` is the most steps of history that a policy reads; `on_unreadable` is called
    once for everything that is found and not understood, with its kind; `on_lost` with the kind of what the store has
    lost though it had acknowledged it, and how much. `allow_lossy` and `folder` as in `Durability`.
    `process` is the name of this one among those that share the store, None where none does; `shared` is what they
    record of each other. `api_keys` are the keys of those who may call, `models` what operators have chosen of bundles,
    `events` what happened to orders, `webhooks` whom to tell.
    """

    def __init__(
        self,
        client: GatheringRedis,
        lookback: int,
        *,
        allow_lossy: bool = False,
        folder: Path | None = None,
        on_unreadable: Callable[[str], None] = lambda _: None,
        on_lost: Callable[[str, int], None] = lambda *_: None,
        process: str | None = None,
    ) -> None:
        self._client = client
        self._bars_kept = keys.bars_kept(lookback)
        self._symbols: OrderedDict[str, str] = OrderedDict()
        self._outages = Outages()
        self._unreadable = Unreadable(on_unreadable)
        self._reader = Reader(client, self._outages, self._unreadable)
        held, lost, channel = HeldOrders(), LostTail(on_lost), keys.notices(process) if process else ""
        self._instrument_changes = InstrumentChanges(client, self._outages, self._unreadable, channel)
        self._bar_changes = BarChanges(client, self._outages, self._unreadable, lost, self._bars_kept, channel)
        self._order_changes = OrderChanges(client, self._outages, self._unreadable, held, lost, channel)
        self._order_slices = OrderSlices(client, self._outages, self._unreadable)
        self._awaiting_orders = AwaitingOrders(client, self._outages, self._unreadable, self._reader, held, lost)
        self.shared = ProcessRecords(client, self._outages, self._reader, held, process) if process else None
        self.api_keys = RedisApiKeys(client, self._outages)
        self.models = RedisModelRecords(client, self._outages)
        self.webhooks = RedisWebhooks(client, self._outages)
        self.events = RedisEventLog(client, self._outages, self._unreadable, self._reader)
        self._durability = Durability(client, self._outages, allow_lossy=allow_lossy, folder=folder)

    @classmethod
    def at(cls, url: str, lookback: int, *, replication: Replication | None = None, **options: Any) -> Self:
        """A store that connects when it is first used, and waits for replicas as `replication` says. Raises ValueError
        for a url that is none."""
        return cls(connect(url, replication), lookback, **options)

    @property
    def bars_kept(self) -> int:
        return self._bars_kept

    async def close(self) -> None:
        await self._client.aclose()

    async def weaknesses(self) -> Sequence[str]:
        return await self._durability.weaknesses()

    async def facts(self) -> StoreFacts:
        return await store_facts(self._client, self._outages)

    async def put_instrument(self, instrument: Instrument) -> bool:
        return await self._instrument_changes.put(instrument)

    async def delete_instrument(self, symbol: str) -> bool:
        return await self._instrument_changes.delete(symbol)

    async def instrument(self, symbol: str) -> Instrument | None:
        [found] = await self._reader.instruments([symbol])
        if isinstance(found, Unavailable):
            raise found
        return found

    async def instruments(self) -> list[Instrument]:
        every = await self._reader.instruments(await self._reader.symbols())
        return [found for found in every if isinstance(found, Instrument)]

    async def append_bars(
        self, symbol: str, bars: Sequence[Bar], after: datetime | None, revision: int | None = None
    ) -> bool:
        return await self._bar_changes.append(symbol, bars, after, revision)

    async def replace_bars(self, symbol: str, bars: Sequence[Bar], known: int) -> bool:
        return await self._bar_changes.replace(symbol, bars, known)

    async def record_revisions(self, symbol: str, bars: Sequence[Bar]) -> int:
        return await self._bar_changes.record_revisions(symbol, bars)

    async def record_lateness(self, symbol: str, late_seconds: float) -> None:
        await self._bar_changes.record_lateness(symbol, late_seconds)

    async def add_quality(self, counts: Mapping[str, Mapping[str, int]]) -> None:
        await self._bar_changes.add_quality(counts)

    async def quality(self, symbol: str) -> Mapping[str, int]:
        return await self._bar_changes.quality(symbol)

    async def lateness(self, symbol: str) -> float:
        return await self._bar_changes.lateness(symbol)

    async def awaited(self, symbol: str) -> bool:
        return await self._bar_changes.awaited(symbol)

    async def require_place(self, symbol: str) -> None:
        await self._bar_changes.require_place(symbol)

    async def bars_before(self, symbol: str, open_time: datetime | None, count: int) -> list[Bar]:
        return await self._reader.bars_before(symbol, open_time, count)

    async def bars_since(self, symbol: str, open_time: datetime, count: int) -> list[Bar]:
        return await self._reader.bars_since(symbol, open_time, count)

    async def claim(self, order: Order) -> Claim:
        with self._claim_of(order.order_id, writes=True):
            return await claims.take(self._client, order.order_id, Claim(order.instrument, digest_of(order)))

    async def claimed(self, order_id: str) -> Claim | None:
        with self._claim_of(order_id):
            return await claims.standing(self._client, order_id)

    async def refuse_claim(self, order: AskedOrder) -> None:
        with self._claim_of(order.order_id, writes=True):
            await claims.mark_refused(self._client, order.order_id, Claim(order.instrument, digest_of(order)))

    @contextmanager
    def _claim_of(self, order_id: str, *, writes: bool = False) -> Iterator[None]:
        with self._outages.reaching(writes=writes), self._unreadable.understanding(Kind.ORDER, keys.claim(order_id)):
            yield

    async def create(self, change: Change, newest: datetime) -> tuple[OrderState, bool] | Claim | None:
        answer = await self._order_changes.create(change, newest)
        if isinstance(answer, tuple):
            self._remember(answer[0].order_id, answer[0].order.instrument)
        return answer

    async def replace(self, old: Change, new: Change, newest: datetime) -> Replaced | Claim | None:
        answer = await self._order_changes.replace(old, new, newest)
        if isinstance(answer, Replaced) and answer.recorded is not None:
            self._remember(answer.recorded.order_id, answer.recorded.order.instrument)
        return answer

    async def commit(self, changes: Sequence[Change]) -> list[OrderState | None]:
        return await self._order_changes.commit(changes)

    async def order(self, order_id: str) -> OrderState | None:
        symbol = await self._symbol_of(order_id)
        if symbol is None:
            return None
        found = await self._awaiting_orders.order(symbol, order_id)
        if found is None:
            self._symbols.pop(order_id, None)  # a claim without an order may give way to one on another instrument
        return found

    async def awaiting(self, symbol: str) -> list[OrderState]:
        return await self._awaiting_orders.awaiting(symbol)

    async def live_orders(self) -> Counter[Status]:
        symbols = await self._reader.symbols()
        wanted = [(status, keys.orders(symbol, status)) for symbol in symbols for status in LIVE]
        counts = Counter(dict.fromkeys(LIVE, 0))
        found = await self._reader.counts([key for _, key in wanted])
        for (status, _), count in zip(wanted, found, strict=True):
            counts[status] += count
        return counts

    async def slices(self, order_id: str) -> list[Slice]:
        symbol = await self._symbol_of(order_id)
        return await self._order_slices.of_order(symbol, order_id) if symbol is not None else []

    async def fill(self, order_id: str, execution_id: str) -> Fill | None:
        symbol = await self._symbol_of(order_id)
        if symbol is None:
            return None
        key = keys.fills(symbol, order_id)
        with self._outages.reaching(), self._unreadable.understanding(Kind.ORDER, key):
            line = await cast("Any", self._client.hget(key, execution_id))
            return codec.fill_from(line) if line else None

    async def fills(self, order_id: str) -> list[Fill]:
        symbol = await self._symbol_of(order_id)
        if symbol is None:
            return []
        key = keys.fills(symbol, order_id)
        with self._outages.reaching(), self._unreadable.understanding(Kind.ORDER, key):
            lines = await cast("Any", self._client.hvals(key))
            return [codec.fill_from(line) for line in lines]

    async def page(
        self,
        *,
        status: Status | None,
        instrument: str | None,
        limit: int,
        cursor: str | None,
        account: str | None = None,
    ) -> Page:
        chosen = [symbol for symbol in await self._reader.symbols() if instrument in (None, symbol)]
        with self._outages.reaching():
            found, next_cursor = await page(self._client, self._unreadable, chosen, status, limit, cursor, account)
        orders = [state for symbol, ids in found for state in await self._reader.orders(symbol, ids)]
        return Page(orders=tuple(each for each in orders if isinstance(each, OrderState)), next_cursor=next_cursor)

    async def _symbol_of(self, order_id: str) -> str | None:
        """The order's instrument never changes: asked once, then remembered."""
        if order_id not in self._symbols:
            claim = await self.claimed(order_id)
            if claim is None:
                return None
            self._remember(order_id, claim.instrument)
        return self._symbols[order_id]

    def _remember(self, order_id: str, symbol: str) -> None:
        self._symbols[order_id] = symbol
        if len(self._symbols) > SYMBOLS_CACHED:
            self._symbols.popitem(last=False)
