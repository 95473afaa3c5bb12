"""What happens to every request before and after its route. Bounds on its body are in request_bodies.py."""

from __future__ import annotations

import asyncio
import re
from time import perf_counter
from typing import Protocol

from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.api.access.gate import AccessMetrics
from app.api.bar_stream.stream import StreamMetrics
from app.api.events.places import EventMetrics
from app.api.lanes import LaneMetrics
from app.api.problems import refusal
from app.domain.errors import Unavailable

EVENT_STREAM = b"text/event-stream"
BODILESS = "lem.bodiless"
"""In the scope of a request whose answer is wanted without its body, so that no endless one is begun."""
WAIT = re.compile(rb"(?:^|&)wait=[0.]*[1-9]")


class HttpMetrics(LaneMetrics, AccessMetrics, StreamMetrics, EventMetrics, Protocol):
    def http_answered(self, method: str, route: str, status: int, seconds: float, *, long_poll: bool) -> None:
        """`route` is a template such as `/v1/orders/{order_id}`, or `unmatched`: never a client's own text."""
        ...

    def long_polls_open(self, change: int) -> None:
        """`change` more requests wait for a slice now; negative where fewer do."""
        ...


class HeadAsGet:
    """Answers HEAD as GET, without the body."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "HEAD":
            await self.app(scope, receive, send)
            return

        async def bodiless(message: Message) -> None:
            if message["type"] == "http.response.body":
                message["body"] = b""
            await send(message)

        asked: Scope = {**scope, "method": "GET", BODILESS: True}
        await self.app(asked, receive, bodiless)
        scope["route"] = asked.get("route")


class AnsweredAtTheEnd:
    """A request that is still under way when the service must end gets a problem: cancelled without one, the client
    would get the server's plain 500."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = False

        async def watched(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            await self.app(scope, receive, watched)
        except asyncio.CancelledError:
            if started or scope["type"] != "http":
                raise
            error = Unavailable("shutting_down", "the service ends; repeat the request")
            await refusal(Request(scope), error)(scope, receive, send)


class RequestMetrics:
    """Counts and times every request by its route's template; those that wait for a slice apart from the others."""

    def __init__(self, app: ASGIApp, metrics: HttpMetrics) -> None:
        self.app = app
        self.metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started, status, long_poll = perf_counter(), 500, _waits(scope)
        begun: float | None = None

        async def watched(message: Message) -> None:
            nonlocal status, begun
            if message["type"] == "http.response.start":
                status = message["status"]
                begun = perf_counter() if _is_stream(message) else None
            await send(message)

        if long_poll:
            self.metrics.long_polls_open(1)
        try:
            await self.app(scope, receive, watched)
        finally:
            if long_poll:
                self.metrics.long_polls_open(-1)
            route = getattr(scope.get("route"), "path_format", "unmatched")
            seconds = (begun or perf_counter()) - started
            self.metrics.http_answered(_known(scope["method"]), route, status, seconds, long_poll=long_poll)


def _waits(scope: Scope) -> bool:
    """Whether the request asks `slices/next` to wait for longer than 0 seconds."""
    return scope["path"].endswith("/slices/next") and WAIT.search(scope["query_string"]) is not None


def _is_stream(start: Message) -> bool:
    """Whether the answer lasts as long as the client likes: only its beginning tells how fast the service is."""
    return any(name == b"content-type" and value.startswith(EVENT_STREAM) for name, value in start.get("headers", ()))


def _known(method: str) -> str:
    """A client may invent methods; a label may not grow with them."""
    return method if method in {"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"} else "OTHER"
