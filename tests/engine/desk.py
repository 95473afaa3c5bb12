"""An engine and what a test does with it, in the words of a test."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from decimal import Decimal
from typing import Any

from app.clock.calendars import calendar
from app.clock.clocks import BarsClock
from app.decision.chain import PolicyChain
from app.decision.policies.twap import Twap
from app.decision.policies.volume_curve import VolumeCurve
from app.decision.policy import Policy
from app.domain.bar import Bar
from app.domain.fills import FillWarning
from app.domain.instrument import Instrument
from app.domain.lifecycle import Status
from app.domain.order import Order
from app.domain.slice import Basis, Slice
from app.domain.state import OrderState
from app.engine.engine import Engine
from app.engine.models.choice import Models
from app.engine.ports import Calendars, Clock
from app.engine.results import FeedBar, Ingested
from app.store.redis_store import RedisStore
from tests.builders import an_instrument, an_order
from tests.engine.policies import Reader


class Counts:
    """Metrics that a test can read."""

    def __init__(self) -> None:
        self.of: Counter[str] = Counter()

    def bar_ingested(self, instrument: str, count: int) -> None:
        self.of["bars"] += count

    def gap_filled(self, instrument: str, count: int) -> None:
        self.of["gaps"] += count

    def bar_revised(self, instrument: str, count: int) -> None:
        self.of["revised"] += count

    def bar_came(self, instrument: str, late_seconds: float) -> None:
        self.of["came"] += 1

    def bar_late(self, instrument: str) -> None:
        self.of["bars late"] += 1

    def bar_counted(self, instrument: str, kind: str, count: int) -> None:
        self.of[f"counted {kind}"] += count

    def bar_refused(self, instrument: str, code: str) -> None:
        self.of[f"refused {code}"] += 1

    def orders_set_aside(self, count: int) -> None:
        self.of["set aside"] = count

    def decided(self, basis: Basis, count: int, seconds: float) -> None:
        self.of[f"decided {basis}"] += count

    def committed(self, count: int, seconds: float) -> None:
        self.of["committed"] += count

    def fell_back(self, reason: str, count: int) -> None:
        self.of[f"fallback {reason}"] += count

    def order_changed(self, status: Status) -> None:
        self.of[f"order {status}"] += 1

    def fill_flagged(self, warning: FillWarning) -> None:
        self.of[f"fill {warning}"] += 1

    def slice_late(self, count: int) -> None:
        self.of["late"] += count

    def shadowed(self, *, compared: bool) -> None:
        self.of["shadowed" if compared else "not shadowed"] += 1

    def owner_changed(self, *, taken_over: bool) -> None:
        self.of["owner changes"] += 1
        self.of["takeovers"] += taken_over

    def notices_missed(self) -> None:
        self.of["notices missed"] += 1


class ManualClock:
    """Wall time that moves when a test says so."""

    def __init__(self, now: datetime) -> None:
        self.time = now

    def now(self, newest_close: datetime) -> datetime:
        return self.time


def sent(bar: Bar, instrument: str = "BTC-USDT", **changes: Any) -> FeedBar:
    """The bar as a feed sends it."""
    names = ("open_time", "open", "high", "low", "close", "volume", "notional", "trades")
    return FeedBar(**({"instrument": instrument} | {name: getattr(bar, name) for name in names} | changes))


def a_chain(model: Policy, *fallbacks: Policy) -> PolicyChain:
    return PolicyChain(model, fallbacks)


class Desk:
    def __init__(self, engine: Engine, store: RedisStore, counts: Counts) -> None:
        self.engine = engine
        self.store = store
        self.counts = counts.of

    async def feed(self, bars: Sequence[Bar], instrument: str = "BTC-USDT") -> Ingested:
        return await self.engine.bars.post([sent(bar, instrument) for bar in bars])

    async def feed_one_by_one(self, bars: Sequence[Bar], instrument: str = "BTC-USDT") -> None:
        for bar in bars:
            await self.feed([bar], instrument)

    async def order(self, name: str = "oms-1", **changes: Any) -> OrderState:
        """Submit an order of the builders."""
        return (await self.engine.orders.submit(an_order(client_order_id=name, **changes)))[0]

    async def again(self, state: OrderState | Order) -> OrderState:
        """The order as it is recorded now."""
        return await self.engine.queries.order(state.order_id if isinstance(state, Order) else state.order.order_id)

    async def slices(self, state: OrderState) -> list[Slice]:
        return await self.store.slices(state.order.order_id)


@asynccontextmanager
async def a_desk(
    url: str,
    *,
    policies: Sequence[Policy] | None = None,
    clock: Clock | None = None,
    instrument: Instrument | None = None,
    store: RedisStore | None = None,
    grace_seconds: float | None = None,
    calendars: Calendars = calendar,
    process: str | None = None,
    models: Models | None = None,
) -> AsyncIterator[Desk]:
    """A running engine; the first policy reads the bars, the volume curve and TWAP stand in for it. A `process` of that
    name shares the store with others."""
    store, counts = store or RedisStore.at(url, lookback=96, allow_lossy=True, process=process), Counts()
    engine = Engine(
        store=store,
        chain=a_chain(*(policies or [Reader(), VolumeCurve(), Twap()])),
        clock=clock or BarsClock(),
        calendars=calendars,
        metrics=counts,
        grace_seconds=grace_seconds,
        shared=store.shared,
        models=models,
    )
    await engine.start()
    try:
        await engine.instruments.put(instrument or an_instrument())
        yield Desk(engine, store, counts)
    finally:
        await engine.stop()
        await store.close()


def lots(slices: Sequence[Slice]) -> list[Decimal]:
    return [piece.quantity for piece in slices]
