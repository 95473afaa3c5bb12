"""A worker thread for what would block the event loop: one call at a time, each for a bounded time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from time import monotonic
from typing import Any, ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


class BoundedThread:
    """A call that hangs is left alone; until it returns, others are refused at once."""

    def __init__(self, seconds_max: float) -> None:
        self._seconds_max = seconds_max
        self._pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="decide")
        self._hanging: Future[Any] | None = None
        self._hanging_since = 0.0

    @property
    def hanging_seconds(self) -> float:
        """Since the time of the call that hangs was over; 0 where none hangs."""
        hangs = self._hanging is not None and not self._hanging.done()
        return monotonic() - self._hanging_since if hangs else 0.0

    async def run(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Raises TimeoutError when the work takes too long, and at once while earlier work hangs."""
        if self._hanging is not None and not self._hanging.done():
            raise TimeoutError
        call = self._pool.submit(work, *args, **kwargs)
        try:
            async with asyncio.timeout(self._seconds_max):
                return await asyncio.wrap_future(call)
        except TimeoutError:
            if call.running():
                self._hanging, self._hanging_since = call, monotonic()
            raise

    def close(self) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)
