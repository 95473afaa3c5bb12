"""A proxy between a service and its store, on unix sockets, that cuts connections and holds back what is sent."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

CHUNK = 1 << 20


@dataclass(eq=False, slots=True)
class Way:
    """One connection of the service, and the one to the store that belongs to it."""

    client: asyncio.StreamWriter
    server: asyncio.StreamWriter
    answer_lost: bool = False

    def end(self) -> None:
        self.client.close()
        self.server.close()


@dataclass(slots=True)
class Proxy:
    """`url` is where the service connects. The next `cuts` requests are lost, or their answers where `answers_only`.
    Nothing passes while it is `away`. While it is `holding`, what is sent waits until the proxy is well again, and
    `on_held` is called each time."""

    url: str
    server: str
    cuts: int = 0
    answers_only: bool = False
    away: bool = False
    holding: bool = False
    on_held: Callable[[], None] = lambda: None
    _ways: set[Way] = field(default_factory=set)
    _healed: asyncio.Event = field(default_factory=asyncio.Event)
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    def cut(self, cuts: int, *, answers_only: bool) -> None:
        self.cuts, self.answers_only = cuts, answers_only

    def go_away(self) -> None:
        self.away = True
        for way in self._ways:
            way.end()

    def hold(self, on_held: Callable[[], None] = lambda: None) -> None:
        self._healed.clear()
        self.holding, self.on_held = True, on_held

    def heal(self) -> None:
        self.cuts, self.away, self.holding = 0, False, False
        self._healed.set()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        if self.away:
            writer.close()
            return
        try:
            from_server, to_server = await asyncio.open_unix_connection(self.server, limit=CHUNK)
        except OSError:  # the store is down
            writer.close()
            return
        way = Way(writer, to_server)
        self._ways.add(way)
        answers = asyncio.create_task(_answers(from_server, way))
        try:
            with suppress(OSError):
                await self._requests(reader, way)
            to_server.write_eof()  # what has been sent is done all the same
            await answers
        except (OSError, asyncio.CancelledError):  # one that is cancelled ends with the loop
            pass
        finally:
            self._ways.discard(way)
            answers.cancel()
            way.end()

    async def _requests(self, reader: asyncio.StreamReader, way: Way) -> None:
        while request := await reader.read(CHUNK):
            if self.holding:
                self.on_held()
                await self._healed.wait()
            if self.cuts:
                self.cuts -= 1
                way.answer_lost = True
                if not self.answers_only:
                    way.client.close()
                    return
            way.server.write(request)

    async def close(self) -> None:
        self.heal()
        for way in self._ways:
            way.end()
        await asyncio.gather(*self._tasks, return_exceptions=True)


async def _answers(server: asyncio.StreamReader, way: Way) -> None:
    """Pass on what the store answers, until an answer is to be lost."""
    with suppress(OSError):
        while answer := await server.read(CHUNK):
            if way.answer_lost:
                break
            way.client.write(answer)
            await way.client.drain()
    way.client.close()


@asynccontextmanager
async def a_proxy(server: Path, path: Path) -> AsyncIterator[Proxy]:
    """Before the server at that unix socket."""
    proxy = Proxy(f"unix://{path}", str(server))
    async with await asyncio.start_unix_server(proxy.serve, path, limit=CHUNK):
        try:
            yield proxy
        finally:
            await proxy.close()
