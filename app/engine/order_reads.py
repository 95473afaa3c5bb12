"""Reads of single orders from the store: never more at a time than the store has connections for, and one read for all
requests that queue for the same order."""

from __future__ import annotations

import asyncio

from app.domain.errors import Unavailable
from app.domain.state import OrderState
from app.engine.ports import STORE_AWAY, Store
from app.engine.silence import Silence

READS_MAX = 32
"""Half of the store's connections. Ten thousand requests that come at once queue here and all get their answer; in the
queue for a connection each would be refused after some seconds."""
HANGING_SECONDS = 2.0
"""A read takes a millisecond. Where none of those that run is answered for so long, the store hangs, and nobody is
queued for it."""


class OrderReads:
    """A read always starts after it was asked for, so that it sees every change from before."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._running = 0
        self._silence = Silence(HANGING_SECONDS)
        self._queued: dict[str, asyncio.Future[OrderState | None]] = {}
        self._tasks: set[asyncio.Task[OrderState | None]] = set()

    async def order(self, order_id: str) -> OrderState | None:
        """Raises Unavailable where the store does, and refuses all requests in the queue with it: otherwise they would
        find out one after the other. While reads hang, those that come are refused at once."""
        if self._running < READS_MAX and not self._queued:
            return await self._read(order_id)
        if self._silence.long:
            raise Unavailable(STORE_AWAY, f"the store has not answered for {HANGING_SECONDS:g} s; repeat the call")
        answer = self._queued.get(order_id)
        if answer is None:
            answer = self._queued[order_id] = asyncio.get_running_loop().create_future()
        return await asyncio.shield(answer)

    async def _read(self, order_id: str) -> OrderState | None:
        self._running += 1
        self._silence.asked()
        try:
            return await self._store.order(order_id)
        except Unavailable as error:
            self._refuse_queued(error)
            raise
        finally:
            self._running -= 1
            self._silence.answered()
            self._start_next()

    def _start_next(self) -> None:
        if self._queued:
            order_id = next(iter(self._queued))
            answer = self._queued.pop(order_id)
            task = asyncio.create_task(self._read(order_id), name="order read")
            self._tasks.add(task)
            task.add_done_callback(lambda done: self._pass_on(done, answer))

    def _pass_on(self, task: asyncio.Task[OrderState | None], answer: asyncio.Future[OrderState | None]) -> None:
        self._tasks.discard(task)
        if task.cancelled():
            answer.cancel()
        elif (error := task.exception()) is not None:
            _refuse(answer, error)
        elif not answer.done():
            answer.set_result(task.result())

    def _refuse_queued(self, error: Unavailable) -> None:
        queued, self._queued = self._queued, {}
        for answer in queued.values():
            _refuse(answer, error)


def _refuse(answer: asyncio.Future[OrderState | None], error: BaseException) -> None:
    if not answer.done():
        answer.set_exception(error)
        answer.exception()  # asyncio warns of an error that nobody has asked for, as where the request is gone
