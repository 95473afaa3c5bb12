"""A worker thread for what would block the event loop: one call at a time, each for a bounded time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import Future
from functools import partial
from queue import SimpleQueue
from threading import Thread
from time import monotonic
from typing import Any, ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")

Calls = SimpleQueue[tuple[Future[Any], Callable[[], Any]] | None]


class BoundedThread:
    """A call that hangs is left alone; until it returns, others are refused at once. The thread is a daemon, unlike
    those of an executor: a process must be able to end while a call hangs."""

    def __init__(self, seconds_max: float) -> None:
        self._seconds_max = seconds_max
        self._calls: Calls = SimpleQueue()
        self._thread: Thread | None = None
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
        call: Future[T] = Future()
        self._start()
        self._calls.put((call, partial(work, *args, **kwargs)))
        try:
            async with asyncio.timeout(self._seconds_max):
                return await asyncio.wrap_future(call)
        except TimeoutError:
            if call.running():
                self._hanging, self._hanging_since = call, monotonic()
            raise

    def close(self) -> None:
        """The thread ends once it has done what it was given."""
        self._calls.put(None)

    def _start(self) -> None:
        if self._thread is None:
            self._thread = Thread(target=_work, args=(self._calls,), name="decide", daemon=True)
            self._thread.start()


def _work(calls: Calls) -> None:
    while (given := calls.get()) is not None:
        call, work = given
        if not call.set_running_or_notify_cancel():
            continue
        try:
            call.set_result(work())
        except BaseException as error:  # noqa: BLE001 -- whoever awaits the call is told, whatever it was
            call.set_exception(error)
