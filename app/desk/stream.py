"""`/desk/stream/...`: what has changed of an open page, as server-sent events. A page is made anew when there is news,
or after some seconds for what time alone changes, and only the parts that differ are sent."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from time import monotonic
from typing import Any

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from app.api.access.callers import caller_in
from app.api.events.sse import HEADERS, HEARTBEAT_SECONDS, MEDIA_TYPE, RETRY_MILLISECONDS
from app.api.middleware import BODILESS
from app.api.services import Services
from app.desk.blotter import Wanted, blotter_now
from app.desk.pages import edition, services_of
from app.domain.errors import LemError, Unavailable

STREAMS_MAX = 100
"""Of one process: people, not programs."""
FULL = f"not live: {STREAMS_MAX} pages are open already"
REST_SECONDS = 0.4
"""Between two looks at one page, however much happens meanwhile."""
LOOK_SECONDS = 5.0
"""A page is looked at again after that, news or not: feeds grow late by themselves."""
CHECK_SECONDS = 1.0

Fragments = tuple[dict[str, str], dict[str, list[str]]]
Look = Callable[[], Awaitable[Fragments]]
"""Makes the parts of a page by their ids, and the order of those that come and go in lists, by the list's id."""


class Shown:
    """What a page shows by now."""

    def __init__(self) -> None:
        self._parts: dict[str, str] = {}
        self._lists: dict[str, list[str]] = {}

    def changes(self, fragments: Fragments) -> dict[str, Any]:
        """What a page must take over to be as the fragments are; empty where nothing has changed."""
        parts, lists = fragments
        told: dict[str, Any] = {}
        if changed := {name: text for name, text in parts.items() if self._parts.get(name) != text}:
            told["parts"] = changed
        if moved := {name: ids for name, ids in lists.items() if self._lists.get(name) != ids}:
            told["lists"] = moved
        if told and self._parts:
            told["reload"] = ["order-events"]
        self._parts, self._lists = parts, lists
        return told


async def stream_blotter(request: Request) -> Response:
    wanted = Wanted.of(request.query_params)

    async def look() -> Fragments:
        return (await blotter_now(request, wanted)).fragments()

    return streamed(request, look)


def streamed(request: Request, look: Look) -> Response:
    """Where as many people look on as may, the page is told so, and asks again by itself."""
    if request.scope.get(BODILESS):
        return Response(media_type=MEDIA_TYPE, headers=HEADERS)
    state = request.app.state
    if getattr(state, "desk_streams", 0) >= STREAMS_MAX:
        return Response(_event("full", {"detail": FULL}), media_type=MEDIA_TYPE, headers=HEADERS)
    return _PageStream(_told(request, look), media_type=MEDIA_TYPE, headers=HEADERS)


class _PageStream(StreamingResponse):
    """Counts as open until it ends, however that is."""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        state = scope["app"].state
        state.desk_streams = getattr(state, "desk_streams", 0) + 1
        try:
            await super().__call__(scope, receive, send)
        finally:
            state.desk_streams -= 1


async def _told(request: Request, look: Look) -> AsyncIterator[bytes]:
    """Until the client goes, its key is no longer good, which is told, or the service ends. Where the page cannot be
    made for the time being, it stays as it is."""
    services, shown = services_of(request), Shown()
    yield f"retry: {RETRY_MILLISECONDS}\nevent: edition\ndata: {edition()}\n\n".encode()
    told_at = monotonic()
    while _permitted(request, services):
        seen, looked_at = services.news.count, monotonic()
        try:
            changes = shown.changes(await look())
        except Unavailable:
            changes = {}
        except LemError as error:
            yield _event("refused", {"detail": error.detail})
            return
        if changes:
            yield _event("changes", changes)
            told_at = monotonic()
        elif monotonic() - told_at > HEARTBEAT_SECONDS:
            yield b":\n\n"
            told_at = monotonic()
        await asyncio.sleep(REST_SECONDS)
        while _permitted(request, services) and monotonic() - looked_at < LOOK_SECONDS:
            if await services.news.after(seen, CHECK_SECONDS):
                break
    if not services.news.closed:
        yield _event("refused", {"detail": "the key is no longer good; log in again"})


def _permitted(request: Request, services: Services) -> bool:
    return not services.news.closed and services.access.ring.lets_stay(caller_in(request.scope).prefix)


def _event(name: str, data: dict[str, Any]) -> bytes:
    return f"event: {name}\ndata: {json.dumps(data, separators=(',', ':'))}\n\n".encode()
