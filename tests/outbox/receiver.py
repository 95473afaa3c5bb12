"""An address that deliveries come to: a small HTTP server of the test's own."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from tests.outbox.following import SOON_SECONDS


@dataclass(frozen=True, slots=True)
class Got:
    """One delivery as it came."""

    headers: dict[str, str]
    body: bytes

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]


@dataclass
class Receiver:
    """Answers deliveries with the statuses in `answers`, one after the other, and then with 204; `None` hangs up."""

    url: str = ""
    answers: list[int | None] = field(default_factory=list)
    got: list[Got] = field(default_factory=list)
    connections: int = 0
    _came: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def taken(self, count: int) -> list[Got]:
        """The deliveries, once there are so many."""
        async with asyncio.timeout(SOON_SECONDS), self._came:
            await self._came.wait_for(lambda: len(self.got) >= count)
        return self.got

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            with contextlib.suppress(EOFError, OSError):
                while await self._answer(reader, writer):
                    pass
        finally:
            writer.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        lines = [line.partition(": ") for line in head.split("\r\n")[1:] if line]
        headers = {name: value for name, _, value in lines}
        body = await reader.readexactly(int(headers["content-length"]))
        status = self.answers.pop(0) if self.answers else 204
        if status is not None:
            writer.write(f"HTTP/1.1 {status} Any\r\ncontent-length: 2\r\n\r\nok".encode())
            await writer.drain()
        async with self._came:
            self.got.append(Got(headers, body))
            self._came.notify_all()
        return status is not None


@asynccontextmanager
async def a_receiver(*answers: int | None) -> AsyncIterator[Receiver]:
    receiver = Receiver(answers=list(answers))
    server = await asyncio.start_server(receiver.serve, "127.0.0.1", 0)
    host, port = server.sockets[0].getsockname()[:2]
    receiver.url = f"http://{host}:{port}/lem?desk=1"
    try:
        yield receiver
    finally:
        server.close()
