"""`/desk/operations`: whether the service decides, and what stands in its way: feeds, bundles, processes, the store.

Whoever looks does so when something is wrong: a part that is not known says so, and the others are shown.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from starlette.requests import Request
from starlette.responses import Response

from app.api.access.callers import account_of
from app.api.models.bodies import ModelOut
from app.api.models.shadow_bodies import ShadowOut
from app.desk.door import turn
from app.desk.operations_feeds import FeedsPage, FeedsWanted, feeds_now
from app.desk.pages import page, services_of, text_of
from app.desk.stream import Fragments, streamed
from app.domain.errors import Unavailable
from app.engine.models.ports import Selection
from app.engine.results import Readiness
from app.engine.store_facts import StoreFacts
from app.outbox.webhooks.webhook import Progress, Webhook

Answer = TypeVar("Answer")

PARTS = ("operations_ready", "operations_feeds", "operations_replicas", "operations_models", "operations_store")


@dataclass(frozen=True, slots=True, kw_only=True)
class OperationsView:
    """`store` is None where the store does not answer; `processes` are empty where this one shares its store with
    nobody, else how many instruments each of them owns; `guarded` where calls need a key."""

    readiness: Readiness
    feeds: FeedsPage
    own: str | None
    processes: Mapping[str, int]
    unowned: int
    models: Sequence[ModelOut]
    selection: Selection
    store: StoreFacts | None
    set_aside: int
    webhooks: Sequence[tuple[Webhook, Progress]]
    guarded: bool

    def fragments(self) -> Fragments:
        return {part.replace("_", "-"): text_of(f"{part}.html", view=self) for part in PARTS}, {}


async def operations_now(request: Request, wanted: FeedsWanted) -> OperationsView:
    services, account = services_of(request), account_of(request)
    engine, sharing = services.engine, services.engine.sharing
    async with turn(request):
        readiness = await engine.health.readiness()
        feeds = await feeds_now(engine, wanted, account)
        entries, store, webhooks = await asyncio.gather(
            engine.models.entries(), _or_none(services.store_facts()), _or_none(services.webhooks.every(account))
        )
    owners = Counter(sharing.owners.values()) if sharing else Counter[str]()
    return OperationsView(
        readiness=readiness,
        feeds=feeds,
        own=sharing.process if sharing else None,
        processes={name: owners[name] for name in sharing.live} if sharing else {},
        unowned=sharing.unowned if sharing else 0,
        models=[ModelOut.of(entry, engine.models) for entry in entries],
        selection=engine.models.selection,
        store=store,
        set_aside=engine.orders_set_aside,
        webhooks=webhooks or (),
        guarded=services.access.ring.guarded,
    )


async def show_operations(request: Request) -> Response:
    view = await operations_now(request, FeedsWanted.of(request.query_params))
    return page(request, "operations.html", title="Operations", parts=PARTS, view=view)


async def stream_operations(request: Request) -> Response:
    return streamed(request, partial(_look, request, FeedsWanted.of(request.query_params)))


async def show_shadow(request: Request) -> Response:
    """What the shadow would have done; of all accounts, so that a key of one is not shown it."""
    services = services_of(request)
    shadow = services.engine.models.selection.shadow
    told = None
    if shadow is not None and account_of(request) is None:
        async with turn(request):
            name, orders = await services.engine.shadows.of(shadow.name)
            told = await asyncio.to_thread(ShadowOut.of, name, shadow.at, orders)
    return page(request, "operations_shadow.html", title="Shadow", shadow=shadow, told=told)


async def _look(request: Request, wanted: FeedsWanted) -> Fragments:
    return (await operations_now(request, wanted)).fragments()


async def _or_none(asked: Awaitable[Answer]) -> Answer | None:
    with suppress(Unavailable):
        return await asked
    return None
