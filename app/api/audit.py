"""The audit log: who has asked for which change, when, and what became of it. Reads are not recorded."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any, Protocol

from starlette.types import ASGIApp, Message, Receive, Scope, Send
from structlog.contextvars import get_contextvars

LOG = logging.getLogger(__name__)
READING = ("GET", "HEAD", "OPTIONS")
COMPUTED = ("/v1/quotes",)
"""Paths that are sent a body and change nothing."""
PATH_MAX = 500
LOOPBACK = ("127.", "::1")

_facts: ContextVar[dict[str, Any] | None] = ContextVar("audited", default=None)


class AuditTrail(Protocol):
    """Where records go. `enabled` is asked for each write, so that a trail that nobody keeps costs nothing."""

    @property
    def enabled(self) -> bool: ...

    def write(self, record: Mapping[str, Any]) -> None:
        """Never raises: a record tells of what is done."""
        ...


class AuditLines:
    """Records as lines of the log at `info`: for a service without a file of its own for them."""

    @property
    def enabled(self) -> bool:
        return LOG.isEnabledFor(logging.INFO)

    def write(self, record: Mapping[str, Any]) -> None:
        LOG.info("write", extra=dict(record))

    @contextmanager
    def opened(self) -> Iterator[None]:
        yield


def audited(**facts: str) -> None:
    """What the record of the call under way is to tell besides: ids and codes, never what a body says. For calls that
    are not recorded this does nothing."""
    told = _facts.get()
    if told is not None:
        told.update(facts)


class Audited:
    """Records every call that may change something, before its answer is sent: whoever has the answer finds the record.
    The answer to a call that failed inside of the service follows its record, too."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        if not _writes(scope):
            return self.app(scope, receive, send)
        trail: AuditTrail = scope["app"].state.services.audit
        return self._recorded(trail, scope, receive, send) if trail.enabled else self.app(scope, receive, send)

    async def _recorded(self, trail: AuditTrail, scope: Scope, receive: Receive, send: Send) -> None:
        facts: dict[str, Any] = {}
        _facts.set(facts)
        answered = False

        def record(status: int | None) -> None:
            nonlocal answered
            if not answered:
                answered = True
                trail.write(_record(scope, status, facts))

        async def watched(message: Message) -> None:
            status = _status_in(message)
            if status is not None:
                record(status)
            await send(message)

        try:
            await self.app(scope, receive, watched)
        except asyncio.CancelledError:
            record(None)
            raise
        except Exception:
            facts["code"] = "internal_error"
            record(500)
            raise
        record(None)


def _status_in(message: Message) -> int | None:
    """The status of the answer that the message begins; None for any other message."""
    match message["type"]:
        case "http.response.start" | "websocket.http.response.start":
            return int(message["status"])
        case "websocket.accept":
            return 101
        case "websocket.close":  # before it was accepted; later ones come after the record
            return 403
    return None


def _writes(scope: Scope) -> bool:
    if scope["type"] == "http":
        return scope["method"] not in READING and scope["path"] not in COMPUTED
    return bool(scope["type"] == "websocket")


def _record(scope: Scope, status: int | None, facts: Mapping[str, Any]) -> dict[str, Any]:
    """`status` is None where the caller got no answer."""
    client = (scope.get("client") or ("",))[0]
    caller, known = scope.get("lem.caller"), get_contextvars()
    told = {
        "at": datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z"),
        "by": getattr(caller, "prefix", None) or ("loopback" if client.startswith(LOOPBACK) else "anonymous"),
        "account": getattr(caller, "account", None),
        "client": client,
        "method": scope.get("method", "WEBSOCKET"),
        "path": scope["path"][:PATH_MAX],
        "order_id": scope.get("path_params", {}).get("order_id"),
        "request_id": known.get("request_id"),
        "trace_id": known.get("trace_id"),
    }
    return {name: value for name, value in (told | dict(facts)).items() if value} | {"status": status}
