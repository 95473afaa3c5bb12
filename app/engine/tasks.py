"""Background tasks that end when they are told to, and long work that lets others have their turn."""

from __future__ import annotations

import asyncio
from typing import Any

ASK_AGAIN_SECONDS = 0.1


async def end(task: asyncio.Task[Any] | None) -> None:
    """Cancel and await. Asked more than once: redis-py's pool waits with time-outs of zero, which can swallow a
    cancellation, and a loop would then go on for ever."""
    while task is not None and not task.done():
        task.cancel()
        await asyncio.wait({task}, timeout=ASK_AGAIN_SECONDS)


class Breather:
    """Gives the event loop a turn now and then in long work, so that nobody else waits for all of it."""

    def __init__(self, every: int = 100) -> None:
        self._every = every
        self._done = 0

    async def after(self, count: int = 1) -> None:
        """So many small pieces of work are done."""
        self._done += count
        if self._done >= self._every:
            self._done = 0
            await asyncio.sleep(0)
