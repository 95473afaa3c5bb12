"""The service's use cases, put together. The engine owns no protocol, store or model: all of them are given to it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from app.decision.chain import PolicyChain
from app.domain.state import OrderState
from app.engine.analyses import Analyses
from app.engine.bars import BarIntake
from app.engine.dry_runs import DryRuns
from app.engine.feed_quality import FeedQuality
from app.engine.feeds import Feeds
from app.engine.fills import FillReports
from app.engine.health import Health
from app.engine.instruments.cache import LiveInstruments
from app.engine.instruments.loading import Loader
from app.engine.late_slices import LateSlices
from app.engine.lateness import FeedLateness
from app.engine.live_book import LiveBook
from app.engine.live_orders import LiveOrders
from app.engine.models.choice import Models
from app.engine.models.shadows import Shadows
from app.engine.orders import OrderEntry
from app.engine.ownership.lease import Ownership, SoleOwner
from app.engine.ownership.shared_store import SharedStore
from app.engine.ownership.sharing import Sharing
from app.engine.pipeline import Pipeline
from app.engine.ports import Calendars, Clock, Metrics, Store
from app.engine.queries import Queries
from app.engine.quotes import Quotes
from app.engine.recovery import Recovery
from app.engine.registry import InstrumentRegistry
from app.engine.replaces import Replaces
from app.engine.right_of_way import RightOfWay
from app.engine.spans import NO_SPANS, Spans
from app.engine.stages.announce import Announcer
from app.engine.stages.commit import Committer
from app.engine.stages.decide import Decider
from app.engine.stored_bars import StoredBars
from app.engine.waiters import Waiters

GAP_DAYS_MAX = 31


class Engine:
    """The use cases, by noun: `instruments`, `bars`, `stored_bars`, `late_slices`, `orders`, `replaces`, `dry_runs`,
    `quotes`, `fills`, `queries`, `analyses` and `recovery`; and what operators ask: `health`, `feeds`, `quality`,
    `lateness`, `live_orders`, `models` and `shadows`. `book` has all live orders for who watches them. Whoever moves
    orders holds `right_of_way`. `sharing` is there where the store is `shared` with other processes.

    `models` says which chain decides which order, and none of them reads more than `lookback` bars; `chain` decides all
    of them where no models are given. A bar is late `grace_seconds` after its close (None:
    see `FeedLateness`); no bar may be more than `gap_days_max` ahead of the one before it.

    Every use case raises Unavailable("store_unavailable") while the store cannot be reached: what was asked for may
    then be recorded or not, and the same call may be made again.
    """

    def __init__(
        self,
        *,
        store: Store,
        chain: PolicyChain,
        models: Models | None = None,
        lookback: int | None = None,
        clock: Clock,
        calendars: Calendars,
        metrics: Metrics,
        grace_seconds: float | None = None,
        gap_days_max: int = GAP_DAYS_MAX,
        shared: SharedStore | None = None,
        spans: Spans = NO_SPANS,
    ) -> None:
        self.models = models or Models(chain)
        self.lookback = lookback = lookback or chain.lookback
        self._waiters = waiters = Waiters()
        self.sharing = Sharing(shared, waiters, metrics) if shared is not None else None
        ownership: Ownership = self.sharing or SoleOwner()
        self.live_orders = LiveOrders(ownership.owns)
        announcer = Announcer(metrics, waiters, self.live_orders, self._ended)
        committer = Committer(store, metrics, announcer, spans)
        loader = Loader(store, lookback, self.live_orders)
        self.right_of_way = RightOfWay()
        self._decider = Decider(self.models, clock, metrics, self.right_of_way, spans=spans)
        self._pipeline = pipeline = Pipeline(self._decider, committer, metrics, ownership, self.right_of_way, spans)
        self.lateness = lateness = FeedLateness(metrics, grace_seconds)
        self.quality = FeedQuality(store, metrics)
        self.recovery = Recovery(store, calendars, loader, pipeline, announcer, ownership, lookback)
        self._live = LiveInstruments(self.recovery.open_instrument, self.recovery.catch_up)
        self.shadows = Shadows(store, self.models.records, self.models, self._live, self.right_of_way, metrics)
        if self.sharing is not None:
            self.sharing.attach(self._live, self.live_orders)
        self.feeds = Feeds(self._live, self.live_orders, clock)
        self.health = Health(self.recovery, self._decider, self.feeds, self.models)
        self.instruments = InstrumentRegistry(store, calendars, self._live, ownership, self.quality, lateness)
        self.queries = Queries(store, self._live, loader, self._decider, waiters, clock)
        self.analyses = Analyses(store, self.queries, self._live)
        self.fills = FillReports(store, self.queries, committer, self._live, clock)
        self.bars = BarIntake(
            store=store,
            instruments=self._live,
            loader=loader,
            pipeline=pipeline,
            clock=clock,
            metrics=metrics,
            lateness=lateness,
            ownership=ownership,
            quality=self.quality,
            gap_max=timedelta(days=gap_days_max),
            spans=spans,
        )
        self.stored_bars = StoredBars(store)
        self.late_slices = LateSlices(store, self._live, loader, pipeline, clock, lateness, announcer)
        self.orders = OrderEntry(
            store=store,
            queries=self.queries,
            instruments=self._live,
            loader=loader,
            pipeline=pipeline,
            committer=committer,
            announcer=announcer,
            clock=clock,
            models=self.models,
            spans=spans,
            decider=self._decider,
        )
        self.replaces = Replaces(
            store=store,
            queries=self.queries,
            instruments=self._live,
            loader=loader,
            pipeline=pipeline,
            entry=self.orders,
            announcer=announcer,
            clock=clock,
            models=self.models,
            spans=spans,
        )
        self.book = LiveBook(store, self.live_orders, self._live)
        self.quotes = Quotes(self.orders, self._decider, self.models)
        self.dry_runs = DryRuns(store, self.orders, self._decider)

    @property
    def instruments_failed(self) -> int:
        """How many instruments cannot be opened now."""
        return len(self._live.failures.symbols)

    @property
    def orders_set_aside(self) -> int:
        """How many orders cannot be moved and are left out."""
        return self._pipeline.set_aside.count

    async def start(self) -> None:
        """Replay what orders have not seen; see `Recovery.start`."""
        if self.sharing is not None:
            await self.sharing.start()
        await self.recovery.start(self._live)
        self.quality.start()
        self.shadows.start()

    def _ended(self, state: OrderState) -> None:
        self.shadows.ended(state)

    def on_news(self, *told: Callable[[], None]) -> None:
        """Call each of `told` whenever an order has changed or may have, here or in another process."""

        def tell_all() -> None:
            for tell in told:
                tell()

        self._waiters.on_news = tell_all

    def release_waiters(self) -> None:
        """Answer every request that waits for a slice, with what there is; none waits from here on."""
        self._waiters.close()

    async def stop(self) -> None:
        await self.recovery.stop()
        await self.shadows.stop()
        await self.quality.stop()
        if self.sharing is not None:
            await self.sharing.stop()
        self._decider.close()
