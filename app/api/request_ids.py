"""An id for every request, in its answer and in its lines of the log, so that what a client asks about can be found."""

from __future__ import annotations

import re
from uuid import uuid4

from starlette.types import ASGIApp, Message, Receive, Scope, Send
from structlog.contextvars import bind_contextvars, get_contextvars

from app.api.headers import header_of

HEADER = "X-Request-ID"
_BEGINS = ("http.response.start", "websocket.accept", "websocket.http.response.start")
"""Messages that carry an answer's headers."""
_SANE = re.compile(rb"[A-Za-z0-9._:-]{1,128}")


def new_request_id() -> str:
    return uuid4().hex


class RequestIds:
    """Takes the client's `X-Request-ID` where it is 1 to 128 letters, digits and . _ : -, else makes one.

    The id is not unbound at the end, since the server logs a failure after that. It ends with the request's own task.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        given = header_of(scope, HEADER.lower().encode())
        request_id = given.decode() if _SANE.fullmatch(given) else new_request_id()
        bind_contextvars(request_id=request_id)

        async def named(message: Message) -> None:
            if message["type"] in _BEGINS:
                message["headers"] = [*message.get("headers", ()), (HEADER.lower().encode(), request_id.encode())]
            await send(message)

        await self.app(scope, receive, named)


def header_of_request() -> dict[str, str]:
    """The header, for an answer that is made outside of all middleware."""
    known = get_contextvars().get("request_id")
    return {HEADER: known} if known else {}
