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

from app.api import connections, departures
from app.api import places as places_module
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


async def test_a_connection_that_sends_without_awaiting_answers_is_told_so_and_closed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(connections, "PIPELINED_MAX", 3)
    async with listening() as connect:
        client = await connect()
        await client.send(REQUEST * 1_000)

        answers = [await client.answer() for _ in range(6)]

    assert [answer.partition(b"\r\n")[0] for answer in answers[:4]] == [b"HTTP/1.1 200 OK"] * 4
    assert problem_in(answers[4]) == (429, "too_many_pipelined")
    assert b"retry-after: 1" in answers[4]
    assert answers[5] == b""


async def refusing(scope: Scope, _receive: Receive, send: Send) -> None:
    """Answers before the body has come. Under /held the client is to be held off."""
    if scope["path"] == "/held":
        scope[departures.KEY].hold_off = True
    await answering(dict(scope, path="/"), _receive, send)


async def test_a_body_that_comes_after_its_answer_is_passed_over() -> None:
    length = 10 * connections.HEADERS_BYTES_MAX
    async with listening(refusing) as connect:
        client = await connect()
        await client.send(b"POST / HTTP/1.1\r\nhost: lem\r\ncontent-length: %d\r\n\r\n" % length)
        first = await client.answer()
        await client.send(b"x" * length + REQUEST)

        assert first.endswith(b"ok")
        assert (await client.answer()).endswith(b"ok")


async def test_a_body_that_never_comes_after_its_answer_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "HEADERS_SECONDS_MAX", 0.05)
    async with listening(refusing) as connect:
        client = await connect()
        await client.send(b"POST / HTTP/1.1\r\nhost: lem\r\ncontent-length: 9\r\n\r\n")

        assert (await client.answer()).endswith(b"ok")
        assert await client.answer() == b""


async def test_a_client_that_was_refused_is_read_again_a_moment_later(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "HOLD_OFF_SECONDS", 0.2)
    async with listening(refusing) as connect:
        client = await connect()
        began = asyncio.get_running_loop().time()
        for path in (b"/held", b"/a"):
            await client.send(REQUEST.replace(b"/a", path))
            assert (await client.answer()).endswith(b"ok")

        assert asyncio.get_running_loop().time() - began >= 0.2


async def test_a_client_that_goes_away_is_noticed_while_it_waits() -> None:
    waits, left = asyncio.Event(), asyncio.Event()

    async def waiting(scope: Scope, _receive: Receive, send: Send) -> None:
        with scope[departures.KEY].telling(left.set):
            waits.set()
            await left.wait()
        await answering(scope, _receive, send)

    async with listening(waiting) as connect, asyncio.timeout(SOON_SECONDS):
        client = await connect()
        await client.send(REQUEST)
        await waits.wait()

        client.close()

        await left.wait()


async def test_where_unread_answers_take_too_much_memory_the_slowest_reader_gives_way(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(places_module, "UNREAD_BYTES_MAX", len(LARGE) * 3 // 2)
    given_up = asyncio.Queue[bytes]()

    async def talking(scope: Scope, _receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": LARGE, "more_body": True})
        await send({"type": "http.response.body", "body": b""})
        given_up.put_nowait(scope["path"])

    async with listening(talking) as connect:
        for path in (b"/first", b"/second"):
            client = await connect()
            await client.send(REQUEST.replace(b"/a", path))

        async with asyncio.timeout(SOON_SECONDS):
            assert await given_up.get() == "/first"


async def test_the_number_of_connections_follows_from_the_files_that_may_be_open() -> None:
    assert Places(1_024).connections_max == 1_024 - 256 - FILES_RESERVED
    assert Places(20_000).connections_max > 10_000
