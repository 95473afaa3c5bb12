"""An id for every request, in its answer and in its lines of the log, so that what a client asks about can be found."""

from __future__ import annotations

import re
from uuid import uuid4

from starlette.types import ASGIApp, Message, Receive, Scope, Send
from structlog.contextvars import bind_contextvars, get_contextvars

HEADER = "X-Request-ID"
_SANE = re.compile(rb"[A-Za-z0-9._:-]{1,128}")
_TRACE = re.compile(rb"(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(?:-.*)?")
"""A `traceparent` of W3C Trace Context: version, trace, parent and flags; later versions may have more behind them."""
_STARTS = ("http.response.start", "websocket.accept", "websocket.http.response.start")
"""Messages that carry the headers of an answer."""


def new_request_id() -> str:
    return uuid4().hex


class RequestIds:
    """Takes the client's `X-Request-ID` where it is 1 to 128 letters, digits and . _ : -, else the trace of its
    `traceparent`, else makes one. The trace is in the log's lines, too.

    The ids are not unbound at the end, since the server logs a failure after that. They end with the request's task.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        given, parent = _headers_of(scope)
        trace = _TRACE.fullmatch(parent) if parent else None
        trace_id = trace[1].decode() if trace else None
        request_id = given.decode() if _SANE.fullmatch(given) else trace_id or new_request_id()
        bind_contextvars(request_id=request_id)
        if trace_id:
            bind_contextvars(trace_id=trace_id)

        async def named(message: Message) -> None:
            if message["type"] in _STARTS:
                known = message.get("headers") or ()
                message["headers"] = [*known, (HEADER.lower().encode(), request_id.encode())]
            await send(message)

        await self.app(scope, receive, named)


def _headers_of(scope: Scope) -> tuple[bytes, bytes]:
    """The first `X-Request-ID` and the first `traceparent`, empty where there is none; in one look at the headers."""
    given = parent = b""
    for name, value in scope["headers"]:
        if name == b"x-request-id":
            given = given or value
        elif name == b"traceparent":
            parent = parent or value
    return given, parent


def known_request_id() -> str | None:
    """Of the request under way."""
    known: str | None = get_contextvars().get("request_id")
    return known


def header_of_request() -> dict[str, str]:
    """The header, for an answer that is made outside of all middleware."""
    known = known_request_id()
    return {HEADER: known} if known else {}
