"""A service under test as its driver sees it."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Self

from tests.crashes.nursery import Nursery
from tests.crashes.points import Point
from tests.crashes.service import Order
from tests.crashes.wire import Client


class NotStarted(Exception):
    """The service ended before it listened."""


@dataclass(eq=False, slots=True)
class Running:
    """`ended` is set when the process has ended, in whichever way."""

    pid: int
    client: Client
    ended: asyncio.Event
    _writer: asyncio.StreamWriter
    _task: asyncio.Task[None]

    @classmethod
    async def started(cls, nursery: Nursery, order: Order, on_word: Callable[[Self, str, Point], None]) -> Self:
        """Returns once the service listens; `on_word` is told of the points that it passes. Raises NotStarted."""
        pid, control = nursery.start(order)
        reader, writer = await asyncio.open_connection(sock=control)
        ended, client = asyncio.Event(), Client("127.0.0.1", 0)
        listening: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        async def listen() -> None:
            with suppress(OSError):
                while line := (await reader.readline()).decode().strip():
                    word, _, value = line.partition(" ")
                    if word == "listening":
                        client.port = int(value.rpartition(":")[2])
                        listening.set_result(None)
                    elif word == "failed":
                        break
                    else:
                        on_word(running, word, Point(value))
            ended.set()
            client.close()
            writer.close()
            if not listening.done():
                listening.set_exception(NotStarted(order.log))

        running = cls(pid, client, ended, writer, asyncio.create_task(listen()))
        try:
            await listening
        except BaseException:
            await running.end()
            raise
        return running

    def signal(self, kind: signal.Signals) -> None:
        with suppress(ProcessLookupError):
            os.kill(self.pid, kind)

    def go_on(self) -> None:
        """It stands still at a point, and may go on."""
        if not self._writer.is_closing():
            self._writer.write(b"\n")

    async def end(self) -> None:
        self.signal(signal.SIGKILL)
        self._writer.close()
        with suppress(NotStarted):
            await self._task
