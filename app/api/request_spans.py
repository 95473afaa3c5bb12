"""A span for every request, where traces are asked for."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import Protocol

from starlette.types import ASGIApp, Message, Receive, Scope, Send
from structlog.contextvars import bind_contextvars

from app.api.request_ids import known_request_id

UNTRACED = ("/healthz", "/readyz", "/metrics")
"""They are asked every few seconds, and tell nothing of any order."""


class RequestSpan(Protocol):
    @property
    def trace_id(self) -> str | None: ...

    def answered(self, method: str, route: str, status: int, request_id: str | None) -> None: ...


class RequestTracer(Protocol):
    def request(self, method: str, path: str, headers: Mapping[str, str]) -> AbstractContextManager[RequestSpan]: ...


class RequestSpans:
    """What the route does meanwhile belongs to the request's trace, whose id is in the log and the audit log."""

    def __init__(self, app: ASGIApp, tracer: RequestTracer) -> None:
        self.app = app
        self.tracer = tracer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] in UNTRACED:
            await self.app(scope, receive, send)
            return
        status = 500

        async def watched(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        with self.tracer.request(scope["method"], scope["path"], headers) as span:
            if span.trace_id is not None:
                bind_contextvars(trace_id=span.trace_id)
            try:
                await self.app(scope, receive, watched)
            finally:
                route = getattr(scope.get("route"), "path_format", "unmatched")
                span.answered(scope["method"], route, status, known_request_id())
