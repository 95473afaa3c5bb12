"""What happens to every request before and after its route: a bound on its body, and a measure of its time."""

from __future__ import annotations

import re
from time import perf_counter
from typing import Protocol

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

BODY_BYTES_MAX = 4 * 1024 * 1024


WAIT = re.compile(rb"(?:^|&)wait=[0.]*[1-9]")


class HttpMetrics(Protocol):
    def http_answered(self, method: str, route: str, status: int, seconds: float, *, long_poll: bool) -> None:
        """`route` is a template such as `/v1/orders/{order_id}`, or `unmatched`: never a client's own text."""
        ...

    def long_polls_open(self, change: int) -> None:
        """So many more requests wait for a slice."""
        ...


class BodyBound:
    """Refuses a body over `BODY_BYTES_MAX` with 413, by its announced length or as soon as it has grown past it."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        announced = dict(scope["headers"]).get(b"content-length", b"")
        announced_too_large = announced.isdigit() and int(announced) > BODY_BYTES_MAX
        received = 0

        async def bounded() -> Message:
            nonlocal received
            if announced_too_large:
                raise _too_large()
            message = await receive()
            received += len(message.get("body", b""))
            if received > BODY_BYTES_MAX:
                raise _too_large()
            return message

        await self.app(scope, bounded, send)


def _too_large() -> HTTPException:
    return HTTPException(413, f"a body has at most {BODY_BYTES_MAX} bytes; send the bars in several requests")


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

        async def watched(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        self.metrics.long_polls_open(int(long_poll))
        try:
            await self.app(scope, receive, watched)
        finally:
            self.metrics.long_polls_open(-int(long_poll))
            route = getattr(scope.get("route"), "path", "unmatched")
            seconds = perf_counter() - started
            self.metrics.http_answered(_known(scope["method"]), route, status, seconds, long_poll=long_poll)


def _waits(scope: Scope) -> bool:
    """Whether the request asks `slices/next` to wait for longer than 0 seconds."""
    return scope["path"].endswith("/slices/next") and WAIT.search(scope["query_string"]) is not None


def _known(method: str) -> str:
    """A client may invent methods; a label may not grow with them."""
    return method if method in {"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"} else "OTHER"
