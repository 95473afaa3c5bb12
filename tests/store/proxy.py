"""A proxy between a client and a store that loses answers: the server has done what was asked, the client hears
nothing and finds its connection closed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

CHUNK = 1 << 20


@dataclass
class Proxy:
    """`url` is where clients connect. The next `cuts` requests that hold `word` lose their answer; `lost` counts."""

    url: str
    server: str
    word: bytes = b""
    cuts: int = 0
    lost: int = 0
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    def cut(self, word: bytes, cuts: int = 1) -> None:
        self.word, self.cuts, self.lost = word, cuts, 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        from_server, to_server = await asyncio.open_unix_connection(self.server, limit=CHUNK)
        lost = asyncio.Event()
        answers = asyncio.create_task(_answers(from_server, writer, lost))
        try:
            while request := await reader.read(CHUNK):
                cutting = self.cuts > 0 and self.word in request
                if cutting:
                    self.cuts, self.lost = self.cuts - 1, self.lost + 1
                    lost.set()
                to_server.write(request)
                if cutting:
                    await answers
                    return
        finally:
            answers.cancel()
            to_server.close()
            writer.close()
            await asyncio.gather(answers, to_server.wait_closed(), writer.wait_closed(), return_exceptions=True)

    async def close(self) -> None:
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


async def _answers(server: asyncio.StreamReader, client: asyncio.StreamWriter, lost: asyncio.Event) -> None:
    """Pass on what the server answers, until an answer is to be lost."""
    while answer := await server.read(CHUNK):
        if lost.is_set():
            return
        client.write(answer)
        await client.drain()


@asynccontextmanager
async def a_proxy(server_url: str, folder: Path) -> AsyncIterator[Proxy]:
    """Before the server at `unix://...`."""
    path = folder / "proxy.sock"
    proxy = Proxy(f"unix://{path}", server_url.removeprefix("unix://"))
    async with await asyncio.start_unix_server(proxy.serve, path, limit=CHUNK):
        yield proxy
        await proxy.close()
