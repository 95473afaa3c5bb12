"""What the routes may use. The composition root builds it; nothing here does."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated, Any, Protocol

from fastapi import Depends, Request
from starlette.types import Scope

from app.access.access import Access
from app.api.audit import AuditTrail
from app.engine.engine import Engine
from app.engine.news import News
from app.engine.store_facts import StoreFacts
from app.outbox.tail import Tail
from app.outbox.webhooks.registry import Webhooks


class Cards(Protocol):
    """Reads the whole card of a bundle that the engine's models know. Call it in a thread; it raises where the bundle
    is no longer what it was."""

    def whole_card(self, entry: Any) -> Any: ...


@dataclass(frozen=True, slots=True)
class Services:
    """`scrape` returns the metrics page in Prometheus' text format; `access` says who may call, `audit` is where writes
    are recorded, `tail` tells of events, `webhooks` are those who are sent them, and `news` wakes whoever shows orders.
    `store_facts` asks the store what it says of itself; it raises Unavailable.
    """

    engine: Engine
    cards: Cards
    scrape: Callable[[], Awaitable[bytes]]
    access: Access
    audit: AuditTrail
    tail: Tail
    webhooks: Webhooks
    news: News
    store_facts: Callable[[], Awaitable[StoreFacts]]


def engine_of(request: Request) -> Engine:
    """The engine of the application that has the request."""
    return engine_in(request.scope)


def engine_in(scope: Scope) -> Engine:
    """As `engine_of`, for what has no request yet."""
    services: Services = scope["app"].state.services
    return services.engine


async def _services(request: Request) -> Services:
    """As `_engine`, a coroutine though it awaits nothing: FastAPI calls plain functions in a thread."""
    services: Services = request.app.state.services
    return services


async def _engine(request: Request) -> Engine:
    return engine_of(request)


ServicesDep = Annotated[Services, Depends(_services)]
EngineDep = Annotated[Engine, Depends(_engine)]
