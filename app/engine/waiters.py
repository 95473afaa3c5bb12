"""Requests that wait for an order to change, each on a future, so that none of them polls the store."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from app.domain.errors import Unavailable

WAITERS_MAX = 10_000


class Waiters:
    """Futures by order id, at most `WAITERS_MAX` of them."""

    def __init__(self) -> None:
        self._waiting: dict[str, set[asyncio.Future[None]]] = {}
        self._count = 0

    @contextmanager
    def change_of(self, order_id: str) -> Iterator[asyncio.Future[None]]:
        """A future that is done at the order's next change. Take it before reading the order, or a change is missed.
        Raises Unavailable("too_many_waiters")."""
        if self._count >= WAITERS_MAX:
            raise Unavailable("too_many_waiters", f"{WAITERS_MAX} requests are waiting already")
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(order_id, set()).add(future)
        self._count += 1
        try:
            yield future
        finally:
            self._count -= 1
            waiting = self._waiting.get(order_id, set())
            waiting.discard(future)
            if not waiting:
                self._waiting.pop(order_id, None)

    def wake(self, order_ids: Iterable[str]) -> None:
        """The orders have changed."""
        for order_id in order_ids:
            for future in self._waiting.get(order_id, ()):
                if not future.done():
                    future.set_result(None)
