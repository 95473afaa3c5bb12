"""The composition root: it reads the settings, builds every part, and closes what it opened."""

from __future__ import annotations

import asyncio
import contextlib
import os
import secrets
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager

from fastapi import FastAPI

from app.access.access import Access, Reach
from app.access.key_ring import KeyRing
from app.api.application import build
from app.api.audit import AuditLines
from app.api.services import Services
from app.bundles.bundle import LemPolicy, load_bundle
from app.bundles.catalogue import Catalogue, longest_lookback
from app.bundles.chains import chain_of
from app.bundles.errors import BundleError
from app.bundles.shipped import SHIPPED_BUNDLES
from app.clock.calendars import calendar
from app.clock.clocks import BarsClock, WallClock
from app.desk.routes import desk_routes
from app.domain.errors import Unavailable
from app.domain.lifecycle import Status
from app.engine.engine import GAP_DAYS_MAX, Engine
from app.engine.health import STORE_SECONDS_MAX
from app.engine.models.choice import Models
from app.engine.news import News
from app.engine.ports import STORE_AWAY, Clock
from app.engine.prompt_answers import PromptAnswers
from app.engine.spans import NO_SPANS
from app.engine.tasks import end, shared
from app.engine.watchdog import watching
from app.logs.audit_file import AuditFile
from app.metrics import ServiceMetrics
from app.outbox.tail import Tail
from app.outbox.webhooks.deliverer import Deliverer
from app.outbox.webhooks.registry import Webhooks
from app.settings import ClockKind, Settings
from app.store.data_folder.errors import DataFolderError
from app.store.embedded import EmbeddedStore, StoreStartError
from app.store.redis_store import RedisStore
from app.store.replication import replication
from app.tracing import Traces, asked_for
from app.workers.pages import Pages
from app.workers.place import Place

NO_KEYS = (
    "others than this machine could call the service, and there are no API keys: make one with lem keys create, listen "
    "on 127.0.0.1, or start it with --allow-no-keys (LEM_ALLOW_NO_KEYS=true)"
)


class CannotStart(Exception):
    """The service cannot start. The message says why, in one line for a terminal."""


def create_app(settings: Settings, place: Place | None = None, reach: Reach = Reach.PROCESS) -> FastAPI:
    """The application. Its lifespan owns the store, the engine and the watchdog, and may raise CannotStart. `place` is
    that of a worker among others; `reach` says who can call."""
    metrics = ServiceMetrics()
    traces = Traces() if asked_for(os.environ) else None

    @asynccontextmanager
    async def lifespan(application: FastAPI) -> AsyncIterator[None]:
        async with services(settings, metrics, place, reach, traces) as application.state.services:
            yield

    application = build(lifespan, metrics, traces, desk_routes)
    application.state.metrics = metrics  # connections are counted too, by whoever listens
    return application


@asynccontextmanager
async def services(
    settings: Settings,
    metrics: ServiceMetrics,
    place: Place | None = None,
    reach: Reach = Reach.PROCESS,
    traces: Traces | None = None,
) -> AsyncIterator[Services]:
    """All parts, running; closed in the reverse order, whatever happens. The bundle is loaded while the store starts:
    either takes a tenth of a second."""
    async with AsyncExitStack() as stack:
        audit = _audit_trail(settings, metrics, stack)
        if traces is not None:
            await stack.enter_async_context(traces.opened())
        loading = asyncio.create_task(asyncio.to_thread(_model, settings))
        stack.push_async_callback(end, loading)
        url = (place and place.store_url) or await _store_url(settings, stack)
        shares = place is not None or bool(settings.redis_url)
        model = await loading
        chain, shelves = chain_of(model), [SHIPPED_BUNDLES, *([settings.bundles] if settings.bundles else [])]
        lookback = max(chain.lookback, longest_lookback(shelves))
        store = _store(url, lookback, settings, metrics, _process_name() if shares else None)
        stack.push_async_callback(store.close)
        access = await stack.enter_async_context(_access(store, settings, reach))
        catalogue = Catalogue(model, settings.bundle, shelves, load_bundle)
        models = Models(chain, catalogue, store.models, lookback=lookback, metrics=metrics)
        await stack.enter_async_context(models.followed())
        clock: Clock = BarsClock() if settings.clock is ClockKind.BARS else WallClock()
        engine = Engine(
            store=store,
            chain=chain,
            models=models,
            lookback=lookback,
            clock=clock,
            calendars=calendar,
            metrics=metrics,
            grace_seconds=settings.grace_seconds,
            gap_days_max=settings.gap_days_max or GAP_DAYS_MAX,
            shared=store.shared,
            spans=traces or NO_SPANS,
        )
        tail = Tail(store.events)
        stack.push_async_callback(tail.stop)
        news = News()
        stack.callback(news.close)
        engine.on_news(tail.wake, news.tell)
        deliverer = Deliverer(store.webhooks, tail, metrics)
        stack.push_async_callback(deliverer.stop)
        stack.push_async_callback(engine.stop)
        await engine.start()
        deliverer.start()
        await engine.recovery.readiness()  # tells in the log what may lose orders, before anybody asks
        if settings.clock is ClockKind.WALL:
            await stack.enter_async_context(watching(engine))
        scrape = _scraper(engine, metrics)
        if place is not None:
            pages = Pages(place, scrape)
            await stack.enter_async_context(pages.served())
            scrape = pages.all
        yield Services(
            engine=engine,
            cards=catalogue,
            scrape=scrape,
            access=access,
            audit=audit,
            tail=tail,
            webhooks=Webhooks(store.webhooks, store.events, metrics, deliverer.wake),
            news=news,
            store_facts=store.facts,
        )


@asynccontextmanager
async def _access(store: RedisStore, settings: Settings, reach: Reach) -> AsyncIterator[Access]:
    """Raises CannotStart for a service that everybody could call. Where the store is away, nobody knows yet whether
    there are keys: calls are refused until somebody does."""
    ring = KeyRing(store.api_keys)
    async with ring.followed():
        if reach is Reach.NETWORK and ring.loaded and not ring.guarded and not settings.allow_no_keys:
            raise CannotStart(NO_KEYS)
        yield Access(ring=ring, reach=reach, allow_no_keys=settings.allow_no_keys, open_metrics=settings.open_metrics)


def _scraper(engine: Engine, metrics: ServiceMetrics) -> Callable[[], Awaitable[bytes]]:
    """Makes one page at a time, for all who ask meanwhile, and waits for the store no longer than readiness does."""
    live_orders = PromptAnswers(lambda: _live_orders(engine))

    async def scrape() -> bytes:
        readiness = await engine.health.readiness()
        metrics.ready(readiness.reasons)
        metrics.store_up(STORE_AWAY not in readiness.reasons)
        metrics.instruments_failed(engine.instruments_failed)
        metrics.orders_live(None if STORE_AWAY in readiness.reasons else await live_orders.answer(STORE_SECONDS_MAX))
        metrics.slices_current(engine.live_orders.slices_by_basis())
        metrics.orders_behind(engine.live_orders.behind())
        metrics.feeds(engine.feeds.all())
        if engine.sharing is not None:
            sharing = engine.sharing
            metrics.sharing(sharing.held, sharing.processes, sharing.unowned, sharing.lag_seconds)
        return metrics.page()

    return shared(scrape)


async def _live_orders(engine: Engine) -> Mapping[Status, int] | None:
    with contextlib.suppress(Unavailable):
        return await engine.queries.live_orders()
    return None


def _audit_trail(settings: Settings, metrics: ServiceMetrics, stack: AsyncExitStack) -> AuditFile | AuditLines:
    path = settings.audit_file
    trail = AuditLines() if path is None else AuditFile(path, metrics.audit_failed)
    try:
        stack.enter_context(trail.opened())
    except OSError as error:
        raise CannotStart(f"LEM_AUDIT_FILE: {path} cannot be written: {error.strerror or error}") from error
    return trail


def _model(settings: Settings) -> LemPolicy:
    try:
        return load_bundle(settings.bundle)
    except BundleError as error:
        raise CannotStart(f"no valid bundle: {error}") from error


def _store(url: str, lookback: int, settings: Settings, metrics: ServiceMetrics, process: str | None) -> RedisStore:
    try:
        return RedisStore.at(
            url,
            lookback,
            replication=replication(settings.wait_replicas, settings.wait_milliseconds),
            allow_lossy=settings.allow_lossy_store,
            folder=None if settings.redis_url else settings.data_dir,
            on_unreadable=metrics.unreadable,
            on_lost=metrics.store_lost,
            process=process,
        )
    except ValueError as error:
        raise CannotStart(f"LEM_REDIS_URL: {error}") from error


def _process_name() -> str:
    """Of this process, once: one that takes its place is another one."""
    return f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"


async def _store_url(settings: Settings, stack: AsyncExitStack) -> str:
    url = settings.redis_url.get_secret_value() if settings.redis_url else ""
    if url:
        return url
    try:
        embedded = await stack.enter_async_context(EmbeddedStore(settings.data_dir))
    except (DataFolderError, StoreStartError, OSError) as error:
        raise CannotStart(f"no store: {error}") from error
    return embedded.url
