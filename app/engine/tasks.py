"""Background tasks that end when they are told to."""

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
