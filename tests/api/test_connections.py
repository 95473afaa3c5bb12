"""A client that is slow, or talks nonsense, costs little and takes nobody else's place."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from starlette.types import Receive, Scope, Send
from uvicorn.config import Config
from uvicorn.server import ServerState

from app.api import connections
from app.api.connections import Connection, connection_class
from app.api.places import FILES_RESERVED, Places

REQUEST = b"GET /a HTTP/1.1\r\nhost: lem\r\n\r\n"
SOON_SECONDS = 10


LARGE = b"x" * 50_000_000
"""More than a connection holds that nobody reads."""


async def answering(scope: Scope, receive: Receive, send: Send) -> None:
    """Answers `ok`; under /wait only once the body has come."""
    while scope["path"] == "/wait" and (await receive()).get("more_body"):
        pass
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": b"ok"})


class Client:
    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    async def send(self, data: bytes) -> None:
        self._writer.write(data)
        await self._writer.drain()

    async def answer(self) -> bytes:
        """The status line, headers and body of one answer, or nothing where the connection has ended."""
        async with asyncio.timeout(SOON_SECONDS):
            try:
                head = await self._reader.readuntil(b"\r\n\r\n")
            except (asyncio.IncompleteReadError, ConnectionError):
                return b""
            length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
            return head + await self._reader.readexactly(length)

    def close(self) -> None:
        self._writer.close()


@asynccontextmanager
async def listening(application: Any = answering, *, connections_max: int = 100) -> AsyncIterator[Any]:
    """Serves the application; gives a function that connects."""
    places = Places(FILES_RESERVED + 4)
    places.connections_max = connections_max
    config, state = Config(application, http=connection_class(places), log_config=None), ServerState()
    config.load()
    made: list[Client] = []

    def serve() -> Connection:
        return connection_class(places)(config=config, server_state=state, app_state={})

    server = await asyncio.get_running_loop().create_server(serve, "127.0.0.1", 0)

    async def connect() -> Client:
        made.append(Client(*await asyncio.open_connection(*server.sockets[0].getsockname()[:2])))
        return made[-1]

    try:
        yield connect
    finally:
        server.close()
        for client in made:
            client.close()
        for connection in list(state.connections):
            connection.transport.abort()


def problem_in(answer: bytes) -> tuple[int, str]:
    head, _, body = answer.partition(b"\r\n\r\n")
    assert b"content-type: application/problem+json" in head
    assert b"connection: close" in head
    return int(head.split()[1]), json.loads(body)["code"]


@pytest.mark.parametrize(
    "nonsense",
    [b"hello\r\n\r\n", b"GET /\xff HTTP/1.1\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b"GET / HTTP/1.1\r\nno colon\r\n\r\n"],
)
async def test_what_is_not_http_is_answered_with_a_problem(nonsense: bytes) -> None:
    async with listening() as connect:
        client = await connect()
        await client.send(nonsense)

        answer = await client.answer()
        assert problem_in(answer) == (400, "bad_request")
        assert b"x-request-id: " in answer
        assert await client.answer() == b""


async def test_a_body_that_is_not_http_is_answered_with_a_problem() -> None:
    async with listening() as connect:
        client = await connect()
        await client.send(b"POST /wait HTTP/1.1\r\nhost: lem\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n")

        assert problem_in(await client.answer()) == (400, "bad_request")


async def test_headers_without_end_are_refused() -> None:
    async with listening() as connect:
        client = await connect()
        await client.send(b"GET / HTTP/1.1\r\nx: " + b"x" * connections.HEADERS_BYTES_MAX)

        assert problem_in(await client.answer()) == (431, "headers_too_large")


async def test_headers_that_do_not_come_are_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "HEADERS_SECONDS_MAX", 0.05)
    async with listening() as connect:
        half, silent, idle = await connect(), await connect(), await connect()
        await half.send(REQUEST[:20])
        await idle.send(REQUEST)
        assert (await idle.answer()).endswith(b"ok")
        await idle.send(REQUEST[:20])

        assert problem_in(await half.answer()) == (408, "request_timeout")
        assert problem_in(await idle.answer()) == (408, "request_timeout")
        assert await silent.answer() == b""


async def test_an_answer_that_nobody_reads_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "READER_SECONDS_MAX", 0.05)
    given_up = asyncio.Event()

    async def talking(_scope: Scope, _receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": LARGE, "more_body": True})
        await send({"type": "http.response.body", "body": b""})
        given_up.set()

    async with listening(talking) as connect:
        client = await connect()
        await client.send(REQUEST)

        async with asyncio.timeout(SOON_SECONDS):
            await given_up.wait()


async def test_blank_lines_keep_no_connection_open(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "HEADERS_SECONDS_MAX", 0.05)
    async with listening() as connect:
        client = await connect()
        await client.send(REQUEST)
        assert (await client.answer()).endswith(b"ok")
        await client.send(b"\r\n")

        assert problem_in(await client.answer()) == (408, "request_timeout")


@pytest.mark.parametrize("half", [b"", REQUEST[:20], b"POST /wait HTTP/1.1\r\nhost: lem\r\ncontent-length: 9\r\n\r\n{"])
async def test_half_sent_requests_give_way_to_others(half: bytes) -> None:
    async with listening(connections_max=3) as connect:
        slow = [await connect() for _ in range(3)]
        for client in slow:
            await client.send(half)

        other = await connect()
        await other.send(REQUEST)

        assert (await other.answer()).endswith(b"ok")
        assert await slow[0].answer() == b""


async def test_the_number_of_connections_follows_from_the_files_that_may_be_open() -> None:
    assert Places(1_024).connections_max == 1_024 - 256 - FILES_RESERVED
    assert Places(20_000).connections_max > 10_000
