"""Floods: clients that ask again as soon as they are answered, whatever the answer is."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager

from app.bench.wire import Call, Connection
from app.engine.tasks import end

CONNECTIONS = 32
MEANWHILE_SECONDS = 1.0
"""How long a flood runs before anything is measured."""

NextCall = Callable[[int], Call]
"""The call number n of a flood."""


class Flood:
    """`answers` counts answers by status."""

    def __init__(self, next_call: NextCall) -> None:
        self.answers: Counter[int] = Counter()
        self._next_call = next_call
        self._sent = 0

    @asynccontextmanager
    async def running(self, address: str, connections: int = CONNECTIONS) -> AsyncIterator[None]:
        """The flood is under way inside."""
        async with AsyncExitStack() as opened:
            clients = [await opened.enter_async_context(Connection.to(address)) for _ in range(connections)]
            tasks = [asyncio.create_task(self._ask(each)) for each in clients]
            try:
                await asyncio.sleep(MEANWHILE_SECONDS)
                yield
            finally:
                for task in tasks:
                    await end(task)
        for task in tasks:
            if not task.cancelled():
                task.result()

    @property
    def refused(self) -> int:
        return sum(count for status, count in self.answers.items() if status in (429, 503))

    async def _ask(self, client: Connection) -> None:
        while True:
            self._sent += 1
            status, _ = await client.answer(self._next_call(self._sent))
            self.answers[status] += 1
