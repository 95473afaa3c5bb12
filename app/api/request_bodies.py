"""Bounds on what a request may send before its route sees it: size, time, encoding, and what is no JSON."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.api.json_text import require_few_values, require_json
from app.api.problems import RETRY_AFTER_SECONDS, Refused
from app.domain.errors import InvalidInput, LemError, Unavailable

BODY_SECONDS_MAX = 30.0
"""From the moment at which a route asks for the body until the body is there."""
HELD_BYTES_MAX = 256 * 1024 * 1024
"""Of all bodies that are being read or handled at a time."""


@dataclass(frozen=True, slots=True)
class Bound:
    """`values_max` bounds a body that is read as a whole; None where the route reads it in parts, by itself."""

    bytes_max: int
    values_max: int | None = None


BARS = Bound(bytes_max=4 * 1024 * 1024)
OTHERS = Bound(bytes_max=128 * 1024, values_max=1_000)


def bound_of(path: str) -> Bound:
    return BARS if path == "/v1/bars" else OTHERS


class BodyBounds:
    """Refuses a body that is too large (413), too slow (408), encoded (415) or, but for bars, no JSON (422)."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self.held_bytes = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        body = _Body(self, scope, receive)
        try:
            await self.app(scope, body.receive, send)
        finally:
            self.held_bytes -= body.received


class _Body:
    """The body of one request while it comes."""

    def __init__(self, bounds: BodyBounds, scope: Scope, receive: Receive) -> None:
        self.received = 0
        self._bounds = bounds
        self._scope = scope
        self._bound = bound_of(scope["path"])
        self._receive = receive
        self._parts: list[bytes] = []
        self._deadline: float | None = None
        self._complete = False

    async def receive(self) -> Message:
        """The next message. Refusals are raised here, where FastAPI reads the body: the route is known by then."""
        if self._complete:
            return await self._receive()
        if self._deadline is None:
            self._require_readable()
            self._deadline = asyncio.get_running_loop().time() + BODY_SECONDS_MAX
        message = await self._received_in_time(self._deadline)
        if message["type"] == "http.disconnect":  # nobody hears the answer, and nothing of ours has failed
            raise Refused(400, "bad_request", "the body broke off")
        part = message.get("body", b"")
        self.received += len(part)
        self._bounds.held_bytes += len(part)
        self._require_size(self.received)
        self._complete = not message.get("more_body", False)
        if self._bound.values_max is not None:
            self._parts.append(part)
            if self._complete and self._is_json():
                _require_json(b"".join(self._parts), self._bound.values_max)
        return message

    async def _received_in_time(self, deadline: float) -> Message:
        try:
            async with asyncio.timeout_at(deadline):
                return await self._receive()
        except TimeoutError:
            detail = f"the body did not come within {BODY_SECONDS_MAX:.0f} seconds"
            raise Refused(408, "request_timeout", detail, {"Connection": "close"}) from None

    def _require_readable(self) -> None:
        headers = dict(self._scope["headers"])
        encoding = headers.get(b"content-encoding", b"").strip().lower()
        if encoding not in (b"", b"identity"):
            detail = "a body is sent as it is, without content-encoding"
            raise Refused(415, "unsupported_media_type", detail, {"Accept-Encoding": "identity"})
        announced = headers.get(b"content-length", b"")
        self._require_size(int(announced[:20]) if announced.isdigit() else 0)

    def _require_size(self, size: int) -> None:
        if size > self._bound.bytes_max:
            detail = f"the body may have at most {self._bound.bytes_max} bytes"
            more = "; send the bars in several requests" if self._bound is BARS else ""
            raise Refused(413, "payload_too_large", detail + more)
        if self._bounds.held_bytes > HELD_BYTES_MAX:
            raise _refused(503, Unavailable("busy", "too many large requests at a time; repeat the request"))

    def _is_json(self) -> bool:
        kind = dict(self._scope["headers"]).get(b"content-type", b"").partition(b";")[0].strip().lower()
        return self.received > 0 and kind.startswith(b"application/") and kind.endswith(b"json")


def _require_json(body: bytes, values_max: int) -> None:
    try:
        require_json(body)
        require_few_values(body, values_max)
    except InvalidInput as error:
        raise _refused(422, error) from error


def _refused(status: int, error: LemError) -> Refused:
    headers = {"Retry-After": str(RETRY_AFTER_SECONDS)} if isinstance(error, Unavailable) else None
    return Refused(status, error.code, error.detail, headers)
