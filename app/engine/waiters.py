"""Requests that wait for an order to change, each on an event, so that none of them polls the store."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager

from app.domain.errors import Unavailable
from app.domain.state import OrderState

WAITERS_MAX = 10_000
TOLD_AT_ONCE = 50


class Watch:
    """One request's view of one order. `newest` is the order as the newest change has left it: None before the first
    change since the watch began, and where only a read can tell."""

    def __init__(self, waiters: Waiters) -> None:
        self.newest: OrderState | None = None
        self.left = False
        self._waiters = waiters
        self._changed = asyncio.Event()

    def tell(self, state: OrderState | None) -> None:
        """The order is recorded so now; None where it may have changed. News may overtake each other."""
        if state is None or self.newest is None or state.version > self.newest.version:
            self.newest = state
        self._changed.set()

    def leave(self) -> None:
        """Whoever asked has gone: the watch waits no more, and its place is free."""
        self.left = True
        self._changed.set()

    async def change(self, deadline: float) -> bool:
        """Wait for the next change; False where the loop's time has reached `deadline`, or nobody waits any more.
        Raises Unavailable("too_many_waiters") where too many requests wait already."""
        if self._over or asyncio.get_running_loop().time() >= deadline:
            return False
        if not self._changed.is_set():
            with self._waiters.place(), contextlib.suppress(TimeoutError):
                async with asyncio.timeout_at(deadline):
                    await self._changed.wait()
        changed = self._changed.is_set() and not self._over
        self._changed.clear()
        return changed

    @property
    def _over(self) -> bool:
        return self.left or self._waiters.closed


class Waiters:
    """Watches by order id. At most `WAITERS_MAX` of them wait at a time; those that read the order and find what they
    came for are not counted. `on_news` is called when any order has changed, or may have."""

    def __init__(self) -> None:
        self.closed = False
        self.on_news: Callable[[], None] = lambda: None
        self._waiting: dict[str, set[Watch]] = {}
        self._count = 0

    @contextmanager
    def watching(self, order_id: str) -> Iterator[Watch]:
        """Begin the watch before reading the order, or a change is missed."""
        watch = Watch(self)
        self._waiting.setdefault(order_id, set()).add(watch)
        try:
            yield watch
        finally:
            watching = self._waiting.get(order_id, set())
            watching.discard(watch)
            if not watching:
                self._waiting.pop(order_id, None)

    @contextmanager
    def place(self) -> Iterator[None]:
        """A place among those that wait. Raises Unavailable("too_many_waiters") where all are taken."""
        if self._count >= WAITERS_MAX:
            raise Unavailable("too_many_waiters", f"{WAITERS_MAX} requests are waiting already")
        self._count += 1
        try:
            yield
        finally:
            self._count -= 1

    def wake(self, orders: Iterable[OrderState]) -> None:
        """The orders have changed: this is how they are recorded now."""
        self.on_news()
        self._tell([(watch, state) for state in orders for watch in self._waiting.get(state.order_id, ())])

    def wake_to_read(self, order_ids: Iterable[str]) -> None:
        """The orders may have changed: the answer of the store was lost."""
        self.on_news()
        self._tell([(watch, None) for order_id in order_ids for watch in self._waiting.get(order_id, ())])

    def wake_all_to_read(self) -> None:
        """Any order may have changed: notices of other processes may have been missed."""
        self.wake_to_read(list(self._waiting))

    def close(self) -> None:
        """The service ends: whoever waits goes on at once, and nobody waits any more."""
        self.closed = True
        self._tell([(watch, None) for watching in self._waiting.values() for watch in watching])

    def _tell(self, news: Sequence[tuple[Watch, OrderState | None]]) -> None:
        """A part at a time, since each one told answers a request: others have their turn in between."""
        for watch, state in news[:TOLD_AT_ONCE]:
            watch.tell(state)
        if len(news) > TOLD_AT_ONCE:
            asyncio.get_running_loop().call_soon(self._tell, news[TOLD_AT_ONCE:])
