"""A slim HTTP client for calls by the thousand: it knows what this service and the ceilings answer, and no more. A call
through httpx costs more CPU than the service takes for it; on two cores such a client would measure itself."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine, Iterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from time import perf_counter
from typing import Any, Self, TypeVar
from urllib.parse import urlsplit

T = TypeVar("T")

ANSWER_SECONDS_MAX = 300.0
SHOWN_MAX = 300
LENGTH = b"content-length:"


class CallRefused(Exception):
    """The service answered with a problem, or not at all."""


@dataclass(frozen=True, slots=True)
class Call:
    method: str
    path: str
    body: bytes = b""

    def encoded(self) -> bytes:
        head = f"{self.method} {self.path} HTTP/1.1\r\nhost: bench\r\n"
        if self.body:
            head += f"content-type: application/json\r\ncontent-length: {len(self.body)}\r\n"
        return head.encode() + b"\r\n" + self.body


@dataclass(frozen=True, slots=True)
class Answered:
    """The body of an answer, and how long the call took."""

    body: bytes
    seconds: float


class Connection:
    """One connection, kept open; one call at a time."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    @asynccontextmanager
    async def to(cls, address: str) -> AsyncIterator[Self]:
        """Raises OSError where nobody listens."""
        place = urlsplit(address)
        reader, writer = await asyncio.open_connection(place.hostname, place.port)
        try:
            yield cls(reader, writer)
        finally:
            writer.close()
            with suppress(OSError):  # who has closed it meanwhile is no matter any more
                await writer.wait_closed()

    async def call(self, call: Call) -> bytes:
        """The body of the answer. Raises CallRefused."""
        status, body = await self.answer(call)
        if status // 100 != 2:  # noqa: PLR2004 -- every such status is a success
            shown = body[:SHOWN_MAX].decode(errors="replace")
            raise CallRefused(f"{call.method} {call.path}: {status} {shown}")
        return body

    async def begin(self, call: Call) -> None:
        """Send a call whose answer has no end, and read its headers. Raises CallRefused."""
        self._writer.write(call.encoded())
        head = await self._reader.readuntil(b"\r\n\r\n")
        if head[9:12] != b"200":
            raise CallRefused(f"{call.method} {call.path}: {head[9:12].decode()}")

    async def line(self) -> bytes:
        """The next line of an answer that has no end, however it is cut into chunks. Raises CallRefused where it has
        ended."""
        line = await self._reader.readline()
        if not line:
            raise CallRefused("the stream has ended")
        return line.strip()

    async def answer(self, call: Call) -> tuple[int, bytes]:
        """The status and the body, whatever they are. Raises CallRefused where there is no answer."""
        try:
            self._writer.write(call.encoded())
            async with asyncio.timeout(ANSWER_SECONDS_MAX):
                head = await self._reader.readuntil(b"\r\n\r\n")
                body = await self._reader.readexactly(_length_of(head))
        except (OSError, EOFError, TimeoutError) as error:
            raise CallRefused(f"{call.method} {call.path}: no answer ({type(error).__name__})") from error
        return int(head[9:12]), body


def call_all(address: str, calls: Sequence[Call], connections: int = 1) -> list[Answered]:
    """Make all calls, in order over one connection, or over several that share them. Raises CallRefused."""
    return in_a_loop(_call_all(address, calls, connections))


def in_a_loop(work: Coroutine[Any, Any, T]) -> T:
    """Run `work` in an event loop of its own. Where several of its tasks have failed, the first error is raised."""
    try:
        return asyncio.run(work)
    except ExceptionGroup as failed:
        raise failed.exceptions[0] from failed


async def _call_all(address: str, calls: Sequence[Call], connections: int) -> list[Answered]:
    answers = [Answered(b"", 0.0)] * len(calls)
    left = iter(enumerate(calls))
    async with asyncio.TaskGroup() as group:
        for _ in range(min(connections, len(calls))):
            group.create_task(_make(address, left, answers))
    return answers


async def _make(address: str, left: Iterator[tuple[int, Call]], answers: list[Answered]) -> None:
    async with Connection.to(address) as connection:
        for index, call in left:
            started = perf_counter()
            body = await connection.call(call)
            answers[index] = Answered(body, perf_counter() - started)


def _length_of(head: bytes) -> int:
    """Every answer of ours says its length."""
    lower = head.lower()
    start = lower.find(LENGTH)
    return int(lower[start + len(LENGTH) : lower.index(b"\r\n", start)]) if start >= 0 else 0
