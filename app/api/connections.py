"""The server's side of a connection: how long a client may take to send a request, how many connections there may be,
and a problem as the answer to what is no request.

Uvicorn bounds none of these: a connection that never finishes its headers would stay for ever.
"""

from __future__ import annotations

import asyncio
from http import HTTPStatus
from typing import ClassVar

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from app.api.bar_stream.handshake import is_handshake
from app.api.departures import KEY, Departure
from app.api.places import Places
from app.api.problems import MEDIA_TYPE, RETRY_AFTER_SECONDS, problem_text
from app.api.request_ids import HEADER, new_request_id
from app.domain.errors import TooFast, Unavailable

HEADERS_SECONDS_MAX = 10.0
"""From the connection, or the first byte of a later request, until the headers are there; and from an answer that comes
before the request's body does until that body is there, of which nothing is kept."""
HEADERS_BYTES_MAX = 64 * 1024
PIPELINED_MAX = 64
"""Requests of a connection that wait for the one before them. One read of the socket may bring thousands."""
HOLD_OFF_SECONDS = 0.1
"""A connection that was refused is read again after that: a client that asks again at once must not keep us busy with
refusals."""
READER_SECONDS_MAX = 30.0
"""How long a client may leave an answer unread once the buffers between us are full."""


class Overrun(Exception):
    """The connection has more requests than may wait. Raised inside the parser, which parses no further."""


def connection_class(places: Places) -> type[Connection]:
    """The class of all connections that share these places, as uvicorn wants it."""
    return type("PlacedConnection", (Connection,), {"places": places})


class Connection(HttpToolsProtocol):
    """One client's connection."""

    places: ClassVar[Places]
    _deadline: asyncio.TimerHandle | None = None
    _unread: asyncio.TimerHandle | None = None
    _header_bytes = 0
    _overrun = False
    _departure: Departure

    @property
    def half_sent(self) -> bool:
        """The client is still to send a request, or the rest of one."""
        return self._awaits_headers or self.cycle.more_body

    @property
    def unread_bytes(self) -> int:
        return self.transport.get_write_buffer_size()

    def abort(self) -> None:
        self.transport.abort()

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._departure = Departure()
        if self.places.take(self):
            self._start_deadline()
        else:
            full = Unavailable("too_many_connections", "the service has as many connections as it may")
            self._refuse(503, full.code, full.detail)

    def connection_lost(self, exc: Exception | None) -> None:
        self.places.leave(self)
        self._end_deadline()
        self._end_unread()
        super().connection_lost(exc)
        self._departure.happened()

    def data_received(self, data: bytes) -> None:
        if self._overrun:
            return  # what came before is answered; then the connection ends
        self._unset_keepalive_if_required()
        if self._awaits_headers and not self._drains:
            self._header_bytes += len(data)
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            if self._should_upgrade():
                self.handle_websocket_upgrade()
                return
            # answered as the plain request that it also is
        except httptools.HttpParserError:
            if not self._overrun:
                self.send_400_response("the request is not HTTP/1.1")
            return
        if not self._awaits_headers:
            self._end_deadline()
        elif self._header_bytes > HEADERS_BYTES_MAX:
            self._refuse(431, "headers_too_large", f"the headers have more than {HEADERS_BYTES_MAX} bytes")
        else:
            self._start_deadline()

    def on_headers_complete(self) -> None:
        self._header_bytes = 0
        if len(self.pipeline) >= PIPELINED_MAX:
            self._overrun = True
            self.places.refused("pipelined")
            raise Overrun
        self.scope[KEY] = self._departure  # type: ignore[literal-required]
        super().on_headers_complete()

    def send_400_response(self, msg: str) -> None:
        self._refuse(400, "bad_request", msg)

    def on_message_complete(self) -> None:
        super().on_message_complete()
        if self.cycle is not None:  # there is none for the handshake of a stream
            self.cycle.more_body = False  # also where the answer came first: the body was read all the same

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if self._overrun and not self.pipeline and self._awaits_headers:
            much = TooFast("too_many_pipelined", f"more than {PIPELINED_MAX} requests wait on this connection already")
            self._refuse(429, much.code, much.detail)
        elif self._drains and not self.transport.is_closing():
            self._start_deadline()
        if self._departure.hold_off:
            self._departure.hold_off = False
            self.flow.pause_reading()
            self.loop.call_later(HOLD_OFF_SECONDS, self._read_on)

    def _read_on(self) -> None:
        if not self.transport.is_closing():
            self.flow.resume_reading()

    def handle_websocket_upgrade(self) -> None:
        """From here on the connection is a `StreamConnection`, with a place of its own."""
        self._end_deadline()
        self._end_unread()
        self.places.leave(self)
        super().handle_websocket_upgrade()

    def _should_upgrade(self) -> bool:
        """Between two requests, and for a stream alone: nothing else becomes another protocol."""
        if not self._awaits_headers or self.pipeline or not self._should_upgrade_to_ws():
            return False
        return is_handshake(self.parser.get_method(), self.url, self.headers)

    def pause_writing(self) -> None:
        super().pause_writing()
        self._unread = self.loop.call_later(READER_SECONDS_MAX, self._give_up_reader)
        self.places.unread(self)

    def resume_writing(self) -> None:
        self.places.read(self)
        self._end_unread()
        super().resume_writing()

    def shutdown(self) -> None:
        """The service ends: a request that is still being sent is cut, all others are answered."""
        super().shutdown()
        if self.half_sent:
            self.transport.close()

    @property
    def _awaits_headers(self) -> bool:
        return self.cycle is None or self.cycle.response_complete

    @property
    def _drains(self) -> bool:
        """The answer has come before the request's body, which is still to come and is not kept."""
        return self.cycle is not None and self.cycle.response_complete and self.cycle.more_body

    def _start_deadline(self) -> None:
        if self._deadline is None:
            self._deadline = self.loop.call_later(HEADERS_SECONDS_MAX, self._give_up)

    def _end_deadline(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _end_unread(self) -> None:
        if self._unread is not None:
            self._unread.cancel()
            self._unread = None

    def _give_up(self) -> None:
        if self._header_bytes:
            detail = f"the headers did not come within {HEADERS_SECONDS_MAX:.0f} seconds"
            self._refuse(408, "request_timeout", detail)
        else:
            self.transport.close()

    def _give_up_reader(self) -> None:
        self.places.refused("unread")
        self.transport.abort()

    def _refuse(self, status: int, code: str, detail: str) -> None:
        """Answer with a problem and close; close only, where another answer is under way."""
        if self._awaits_headers or not self.cycle.response_started:
            self.transport.write(_answer(status, code, detail))
        self.transport.close()


def _answer(status: int, code: str, detail: str) -> bytes:
    request_id = new_request_id()
    body = problem_text(status, code, detail, "/", request_id=request_id)
    head = [
        f"HTTP/1.1 {status} {HTTPStatus(status).phrase}",
        f"content-type: {MEDIA_TYPE}",
        f"content-length: {len(body)}",
        f"{HEADER.lower()}: {request_id}",
        "connection: close",
    ]
    if status in (HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.TOO_MANY_REQUESTS):
        head.append(f"retry-after: {RETRY_AFTER_SECONDS}")
    return "\r\n".join([*head, "", ""]).encode("ascii") + body
