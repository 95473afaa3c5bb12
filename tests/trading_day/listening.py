"""Whoever follows the stream of all events over the day, and rebuilds the orders from it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from functools import partial

from lem_client import AsyncClient, Event, Retries
from tests.trading_day.rebuilt import Rebuilt

PATIENT = Retries(attempts_max=1_000, seconds_max=120.0, first_pause_seconds=0.05, pause_seconds_max=0.25)
"""A service that has been killed takes some seconds to come back, on a busy machine more."""
CAUGHT_UP_SECONDS_MAX = 60.0


class Listener:
    """Follows from the oldest event on, over as many streams as it takes. `failures` say what did not hold."""

    def __init__(self, address: str) -> None:
        self.heard: list[Event] = []
        self.rebuilt = Rebuilt()
        self.failures: list[str] = []
        self._failed: set[str] = set()
        self._lem = AsyncClient(address, retries=PATIENT)
        self._came = asyncio.Condition()
        self._task = asyncio.create_task(self._follow())

    async def close(self) -> None:
        self._task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._task
        await self._lem.close()

    async def catch_up(self) -> None:
        """Return when everything has been heard that is recorded by now."""
        while behind := [event async for event in self._lem.list_events(after=self._newest, page_size=1_000)]:
            async with asyncio.timeout(CAUGHT_UP_SECONDS_MAX), self._came:
                await self._came.wait_for(lambda: self._task.done() or self._has_heard(behind[-1]))
            if self._task.done():
                self._task.result()
        self._try(self.rebuilt.settle, "all", "once all is heard")

    async def kept(self) -> list[Event]:
        """All events as the service lists them."""
        return [event async for event in self._lem.list_events(after="0", page_size=1_000)]

    @property
    def _newest(self) -> str:
        return self.heard[-1].id if self.heard else "0"

    def _has_heard(self, event: Event) -> bool:
        return any(each.id == event.id for each in reversed(self.heard))

    async def _follow(self) -> None:
        async with contextlib.aclosing(self._lem.follow_events(after="0")) as events:
            async for event in events:
                self.heard.append(event)
                self._try(partial(self.rebuilt.hear, event), event.data.order_id, str(event))
                async with self._came:
                    self._came.notify_all()

    def _try(self, check: Callable[[], None], of: str, where: str) -> None:
        """The first failure of each order says the most."""
        try:
            check()
        except (AssertionError, KeyError) as error:
            if of not in self._failed:
                self.failures.append(f"{error!r} at {where}")
            self._failed.add(of)
