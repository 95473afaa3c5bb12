"""Every call passes here before its route: who calls, whether that is permitted, and how often."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Receive, Send
from starlette.types import Scope as AsgiScope
from structlog.contextvars import bind_contextvars

from app.access.access import Access, Reach
from app.access.api_keys import Scope, prefix_of
from app.access.callers import ANYONE, Caller
from app.access.key_ring import KnownKey
from app.api.access.browsers import require_no_foreign_page, require_own_host
from app.api.access.callers import KEY
from app.api.access.rules import METRICS, READING, needed_for
from app.api.departures import departure_of
from app.api.problems import refusal
from app.domain.errors import Forbidden, LemError, TooFast, Unauthenticated, Unavailable
from app.engine.ports import STORE_AWAY

BEARER = b"bearer "
HOW = "send it as Authorization: Bearer KEY; lem keys create makes one"


class AccessMetrics(Protocol):
    def access_refused(self, code: str) -> None:
        """A call was refused before it reached its route."""
        ...


class Gate:
    """Puts the caller into the scope, or refuses the call. A known key costs no look at the store: keys are kept in
    memory, and looked up by their prefix."""

    def __init__(self, app: ASGIApp, metrics: AccessMetrics) -> None:
        self.app = app
        self.metrics = metrics

    async def __call__(self, scope: AsgiScope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        try:
            caller = scope[KEY] = await _caller(scope)
        except LemError as error:
            self.metrics.access_refused(error.code)
            await _refuse(scope, receive, send, error)
            return
        if caller.prefix is not None:
            bind_contextvars(key=caller.prefix)
        await self.app(scope, receive, send)


async def _caller(scope: AsgiScope) -> Caller:
    """Raises Forbidden, Unauthenticated, and Unavailable where the call comes too often or no key can be checked."""
    access: Access = scope["app"].state.services.access
    path: str = scope["path"]
    headers: Mapping[bytes, bytes] = dict(scope["headers"])
    writes = scope["type"] == "websocket" or scope["method"] not in READING
    if writes:
        require_no_foreign_page(headers)
    needed = needed_for(path, writes=writes)
    if needed is None or (path == METRICS and access.open_metrics):
        return ANYONE
    return await admitted(scope, needed, presented_in(headers))


async def admitted(scope: AsgiScope, needed: Sequence[Scope], presented: bytes | None) -> Caller:
    """Who calls with what is `presented` as a key, None where nothing is; any one of the scopes is enough. Raises
    Forbidden, Unauthenticated, and Unavailable."""
    access: Access = scope["app"].state.services.access
    path, ring = scope["path"], access.ring
    known = ring.found(presented) if presented else None
    if known is None and presented:
        known = await ring.found_anew(presented)
    if presented and ring.guarded and not ring.fresh and path != METRICS:
        raise Unavailable(STORE_AWAY, "the store cannot be asked which API keys are good; repeat the call")
    if known is not None:
        return _let_in(known, needed, scope)
    if ring.guarded:
        raise _unknown(presented)
    return _without_keys(access, path, dict(scope["headers"]), presented)


def _let_in(known: KnownKey, needed: Sequence[Scope], scope: AsgiScope) -> Caller:
    key = known.key
    if not known.may_call():
        departure = departure_of(scope)
        if departure is not None:
            departure.hold_off = True
        raise TooFast("rate_limited", f"the key {key.prefix} may make {key.requests_per_second} calls a second")
    if not key.permits(needed):
        scopes = " or ".join(needed)
        raise Forbidden("scope_missing", f"the call needs the scope {scopes}, which the key {key.prefix} does not have")
    return known.caller


def _without_keys(access: Access, path: str, headers: Mapping[bytes, bytes], presented: bytes | None) -> Caller:
    """There never was a key, as far as this process knows."""
    if not access.ring.loaded and (access.reach is Reach.NETWORK or path != METRICS):
        raise Unavailable(STORE_AWAY, "the store cannot be asked for API keys; repeat the call")
    if access.reach is Reach.NETWORK and not access.allow_no_keys:
        raise Forbidden("keys_needed", "the service has no API keys yet: lem keys create makes one")
    if access.reach is Reach.LOOPBACK:
        require_own_host(headers)
    if presented is not None and prefix_of(presented) is not None:
        raise _unknown(presented)
    return ANYONE


def presented_in(headers: Mapping[bytes, bytes]) -> bytes | None:
    """The text that the call brings as its key."""
    authorization = headers.get(b"authorization")
    if authorization is None or authorization[: len(BEARER)].lower() != BEARER:
        return None
    return authorization[len(BEARER) :].strip()


def _unknown(presented: bytes | None) -> Unauthenticated:
    if presented is None:
        return Unauthenticated("key_missing", f"the call needs an API key; {HOW}")
    return Unauthenticated("key_unknown", "no API key has that text, or it is revoked or has expired")


async def _refuse(scope: AsgiScope, receive: Receive, send: Send, error: LemError) -> None:
    """A server that cannot answer a refused WebSocket in words closes it."""
    if scope["type"] == "websocket" and "websocket.http.response" not in scope.get("extensions", {}):
        await send({"type": "websocket.close", "code": 1008, "reason": error.code})
        return
    await refusal(HTTPConnection(scope), error)(scope, receive, send)
