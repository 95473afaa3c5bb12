"""The server's side of a stream: its place among the connections, a client that does not read, and the end.

Uvicorn speaks the protocol and pings every client. It bounds no unread answers, takes a client for dead whose answer to
a ping lies behind messages that we do not read yet, and ends a stream in the middle of its messages.
"""

from __future__ import annotations

import asyncio
from asyncio.transports import BaseTransport
from typing import Any, ClassVar

from starlette.types import Scope
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.http11 import Request

from app.api.connections import READER_SECONDS_MAX
from app.api.places import Places

PING_SECONDS = 20.0
"""Between two pings, and until the answer to one must have come."""
CLOSE_SECONDS_MAX = 1.0
"""How long a client may take to answer the close of a service that ends."""
KEY = "lem.stream_ending"


def stream_connection_class(places: Places) -> type[StreamConnection]:
    """The class of all streams that share these places, as uvicorn wants it."""
    return type("PlacedStreamConnection", (StreamConnection,), {"places": places})


def ending_of(scope: Scope) -> asyncio.Event:
    """Set once the service ends. A server that does not tell never sets it."""
    event: asyncio.Event = scope.get(KEY) or asyncio.Event()
    return event


class StreamConnection(WebSocketsSansIOProtocol):
    """One feed's connection, from its handshake on."""

    places: ClassVar[Places]
    _unread: asyncio.TimerHandle | None = None
    _ending: asyncio.Event

    @property
    def half_sent(self) -> bool:
        """A handshake is one request, and is there as a whole: a stream gives way to nobody."""
        return False

    @property
    def unread_bytes(self) -> int:
        return self.transport.get_write_buffer_size()

    def abort(self) -> None:
        self.transport.abort()

    def connection_made(self, transport: BaseTransport) -> None:
        super().connection_made(transport)
        self._ending = asyncio.Event()
        self.places.take(self)  # its place as a plain connection was given back in the same turn

    def connection_lost(self, exc: Exception | None) -> None:
        self.places.leave(self)
        self._end_unread()
        super().connection_lost(exc)

    def handle_connect(self, event: Request) -> None:
        super().handle_connect(event)
        if not self.close_sent:
            self.scope[KEY] = self._ending  # type: ignore[literal-required]

    async def send(self, message: Any) -> None:
        """A handshake that was refused with an answer is complete: uvicorn would log it as a failure."""
        await super().send(message)
        if message["type"] == "websocket.http.response.body" and self.close_sent:
            self.handshake_complete = True

    def keepalive_timeout(self) -> None:
        """What the client answers is not read while it has sent more than its window: it has until then."""
        if self.read_paused and self.writable.is_set() and self.ping_timeout is not None:
            self.pong_timer = self.loop.call_later(self.ping_timeout, self.keepalive_timeout)
        else:
            super().keepalive_timeout()

    def pause_writing(self) -> None:
        super().pause_writing()
        self._unread = self.loop.call_later(READER_SECONDS_MAX, self._give_up_reader)
        self.places.unread(self)

    def resume_writing(self) -> None:
        self.places.read(self)
        self._end_unread()
        super().resume_writing()

    def shutdown(self) -> None:
        """The service ends. An open stream answers what it has begun, and closes itself then."""
        if not self.handshake_complete or self.close_sent:
            super().shutdown()
            return
        self.stop_keepalive()
        self.close_timeout = CLOSE_SECONDS_MAX
        self._ending.set()

    def _end_unread(self) -> None:
        if self._unread is not None:
            self._unread.cancel()
            self._unread = None

    def _give_up_reader(self) -> None:
        self.places.refused("unread")
        self.transport.abort()
