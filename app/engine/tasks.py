"""Background tasks that end when they are told to, and long work that lets others have their turn."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterable
from typing import Any, TypeVar

ASK_AGAIN_SECONDS = 0.1
T = TypeVar("T")


async def end(task: asyncio.Task[Any] | None) -> None:
    """Cancel and await. Asked more than once: redis-py's pool waits with time-outs of zero, which can swallow a
    cancellation, and a loop would then go on for ever."""
    while task is not None and not task.done():
        task.cancel()
        await asyncio.wait({task}, timeout=ASK_AGAIN_SECONDS)


async def together(calls: Iterable[Coroutine[Any, Any, T]], at_once: int) -> list[T]:
    """The answers of all calls, of which `at_once` run at a time. None runs any more when it returns or raises: the
    first error is raised once all have ended."""
    places = asyncio.Semaphore(at_once)

    async def outcome(call: Coroutine[Any, Any, T]) -> T | Exception:
        async with places:
            try:
                return await call
            except Exception as error:  # noqa: BLE001 -- raised below, when the others have ended too
                return error

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(outcome(call)) for call in calls]
    answers: list[T] = []
    for task in tasks:
        answer = task.result()
        if isinstance(answer, Exception):
            raise answer
        answers.append(answer)
    return answers


def shared(work: Callable[[], Coroutine[Any, Any, T]]) -> Callable[[], Coroutine[Any, Any, T]]:
    """The work, run once at a time: whoever calls while it runs gets its answer."""
    running: asyncio.Task[T] | None = None

    async def call() -> T:
        nonlocal running
        if running is None or running.done():
            running = asyncio.create_task(work())
        return await asyncio.shield(running)

    return call


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
