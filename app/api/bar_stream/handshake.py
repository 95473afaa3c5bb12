"""Which request begins a stream: what the server's side of a connection and the route must agree on."""

from __future__ import annotations

from collections.abc import Iterable

STREAM = "/v1/bars/stream"
VERSION = "13"
"""Of the WebSocket protocol, the only one (RFC 6455)."""


def is_handshake(method: bytes, target: bytes, headers: Iterable[tuple[bytes, bytes]]) -> bool:
    """Whether the request asks for the stream as RFC 6455 says. Any other request is answered as the plain one that
    it is, with a problem that says what it lacks."""
    told = dict(headers)
    return (
        method == b"GET"
        and target.partition(b"?")[0] == STREAM.encode()
        and told.get(b"sec-websocket-version") == VERSION.encode()
        and b"sec-websocket-key" in told
    )
