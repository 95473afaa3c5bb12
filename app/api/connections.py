"""The server's side of a connection: how long a client may take to send a request, how many connections there may be,
and a problem as the answer to what is no request.

Uvicorn bounds none of these: a connection that never finishes its headers would stay for ever.
"""

from __future__ import annotations

import asyncio
import resource
from http import HTTPStatus
from itertools import islice
from typing import ClassVar

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from app.api.problems import MEDIA_TYPE, RETRY_AFTER_SECONDS, problem_text
from app.api.request_ids import HEADER, new_request_id
from app.domain.errors import Unavailable

HEADERS_SECONDS_MAX = 10.0
"""From the connection, or the first byte of a later request, until the headers are there."""
HEADERS_BYTES_MAX = 64 * 1024
READER_SECONDS_MAX = 30.0
"""How long a client may leave an answer unread once the buffers between us are full."""
FILES_WANTED = 65_536
FILES_RESERVED = 256
"""Descriptors for the store's connections, for files and the log."""
BACKLOG_MAX = 2_048
TRIES_MAX = 64


class Places:
    """The open connections, oldest first, and how many there may be, which follows from `files_max`: how many files the
    process may open.

    `backlog` is how many connections may wait to be accepted. All of them can be accepted before the first one is
    looked at, so files are kept for them too.
    """

    def __init__(self, files_max: int) -> None:
        self.backlog = min(BACKLOG_MAX, files_max // 4)
        self.connections_max = max(1, files_max - self.backlog - FILES_RESERVED)
        self._taken: dict[Connection, None] = {}

    def take(self, connection: Connection) -> bool:
        """Where all places are taken, the oldest connection without a whole request gives way: half-sent requests must
        not close the service to others. False where none does."""
        if len(self._taken) >= self.connections_max and not self._made_room():
            return False
        self._taken[connection] = None
        return True

    def leave(self, connection: Connection) -> None:
        self._taken.pop(connection, None)

    def _made_room(self) -> bool:
        for connection in list(islice(self._taken, TRIES_MAX)):
            del self._taken[connection]
            if connection.half_sent:
                connection.transport.abort()
                return True
            self._taken[connection] = None  # at work: it is not looked at again before all others
        return False


def raised_files_max() -> int:
    """How many files the process may open, once it has asked for as many as it is allowed to."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = FILES_WANTED if hard == resource.RLIM_INFINITY else min(hard, FILES_WANTED)
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return wanted
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    except (ValueError, OSError):  # some systems have a lower limit than they say
        return soft
    return wanted


def connection_class(places: Places) -> type[Connection]:
    """The class of all connections that share these places, as uvicorn wants it."""
    return type("PlacedConnection", (Connection,), {"places": places})


class Connection(HttpToolsProtocol):
    """One client's connection."""

    places: ClassVar[Places]
    _deadline: asyncio.TimerHandle | None = None
    _unread: asyncio.TimerHandle | None = None
    _header_bytes = 0

    @property
    def half_sent(self) -> bool:
        """The client is still to send a request, or the rest of one."""
        return self._awaits_headers or self.cycle.more_body

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
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

    def data_received(self, data: bytes) -> None:
        self._unset_keepalive_if_required()
        if self._awaits_headers:
            self._header_bytes += len(data)
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            pass  # answered as the plain request that it also is
        except httptools.HttpParserError:
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
        super().on_headers_complete()

    def send_400_response(self, msg: str) -> None:
        self._refuse(400, "bad_request", msg)

    def pause_writing(self) -> None:
        super().pause_writing()
        self._unread = self.loop.call_later(READER_SECONDS_MAX, self.transport.abort)

    def resume_writing(self) -> None:
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

    def _refuse(self, status: int, code: str, detail: str) -> None:
        """Answer with a problem and close; close only, where another answer is under way."""
        if self._awaits_headers or not self.cycle.response_started:
            self.transport.write(_answer(status, code, detail))
        self.transport.close()


def _answer(status: int, code: str, detail: str) -> bytes:
    body = problem_text(status, code, detail, "/")
    head = [
        f"HTTP/1.1 {status} {HTTPStatus(status).phrase}",
        f"content-type: {MEDIA_TYPE}",
        f"content-length: {len(body)}",
        f"{HEADER.lower()}: {new_request_id()}",
        "connection: close",
    ]
    if status == HTTPStatus.SERVICE_UNAVAILABLE:
        head.append(f"retry-after: {RETRY_AFTER_SECONDS}")
    return "\r\n".join([*head, "", ""]).encode("ascii") + body
