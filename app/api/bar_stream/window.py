"""How much of a stream may be unacknowledged: the bound on what a feed can make the service hold."""

from __future__ import annotations

import asyncio

MESSAGES_MAX = 32
MESSAGE_BYTES_MAX = 1024 * 1024
"""Of one message, some 5,000 bars. A longer history is sent in several."""
BYTES_MAX = MESSAGE_BYTES_MAX
"""Of all messages of one stream that are not acknowledged."""


class Window:
    """The messages of one stream that were read and are not acknowledged."""

    def __init__(self) -> None:
        self._messages = 0
        self._bytes = 0
        self._freed = asyncio.Event()

    async def room(self) -> None:
        """Returns once another message may be read: until then the client's next ones stay where they are."""
        while self._messages >= MESSAGES_MAX or self._bytes >= BYTES_MAX:
            self._freed.clear()
            await self._freed.wait()

    def take(self, size: int) -> None:
        """A message of so many bytes was read."""
        self._messages += 1
        self._bytes += size

    def free(self, size: int) -> None:
        """It is acknowledged: its answer is on the way."""
        self._messages -= 1
        self._bytes -= size
        self._freed.set()
