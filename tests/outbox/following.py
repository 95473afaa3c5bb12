"""One who follows events, in the words of a test."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from app.outbox.log import EventLog, Place, RecordedEvent
from app.outbox.tail import Follower, Tail
from tests.engine.desk import Desk

SOON_SECONDS = 30


@asynccontextmanager
async def a_tail(desk: Desk) -> AsyncIterator[Tail]:
    tail = Tail(desk.store.events)
    desk.engine.on_news(tail.wake)
    try:
        yield tail
    finally:
        await tail.stop()


async def clock_moves_on(log: EventLog) -> None:
    """Returns in a later millisecond of the store: who begins to follow then is not told what was recorded before."""
    begun = await log.now()
    while await log.now() == begun:
        pass


async def told(follower: Follower, count: int) -> list[RecordedEvent]:
    """The next events, at least `count` of them."""
    found: list[RecordedEvent] = []
    async with asyncio.timeout(SOON_SECONDS):
        while len(found) < count:
            batch = await follower.next(SOON_SECONDS)
            found += batch.events if batch else []
    return found


async def recorded(tail: Tail, count: int, after: Place) -> list[RecordedEvent]:
    """What one who begins at that place is told."""
    async with tail.following(after) as follower:
        return await told(follower, count)
