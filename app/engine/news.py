"""Wakes whoever shows orders: something has changed, or may have."""

from __future__ import annotations

import asyncio


class News:
    """Many wait at a time. What changes while nobody waits is told by `count`, which grows with each piece of news."""

    def __init__(self) -> None:
        self.count = 0
        self.closed = False
        self._changed = asyncio.Event()

    def tell(self) -> None:
        self.count += 1
        self._wake()

    def close(self) -> None:
        """The service ends: whoever waits goes on at once."""
        self.closed = True
        self._wake()

    async def after(self, count: int, patience_seconds: float) -> bool:
        """Whether there is news since `count`; waits for it, at most so long."""
        try:
            async with asyncio.timeout(patience_seconds):
                while self.count == count and not self.closed:
                    await self._changed.wait()
        except TimeoutError:
            pass
        return self.count != count

    def _wake(self) -> None:
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()
