"""The tail of the event streams: one reader per process, for all who follow events. It reads when it is told that
something was recorded, here or by another process, and looks by itself now and then, in case a notice was lost."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from app.domain.errors import Unavailable
from app.engine.tasks import ASK_AGAIN_SECONDS, end
from app.outbox.log import OLDEST, Batch, EventLog, Place
from app.outbox.order_accounts import OrderAccounts

LOG = logging.getLogger(__name__)
LOOK_SECONDS = 1.0
"""How long an event stays unseen at most whose notice was lost."""
HELD_SECONDS = 0.001
"""Events of the current millisecond are told once that is over: then their order is known for good."""
KEPT_EVENTS = 20_000
"""In memory. Who is further behind reads from the store."""


class TailClosed(Exception):
    """The service ends: nothing is told any more."""


class Tail:
    """Reads nothing while nobody follows."""

    def __init__(self, log: EventLog) -> None:
        self.log = log
        self.accounts = OrderAccounts(log)
        self.closed = False
        self.floor = self.until = OLDEST
        self.first = 0
        self.changed = asyncio.Event()
        self._batches: deque[Batch] = deque()
        self._kept = 0
        self._followers = 0
        self._begun = OLDEST
        self._read: dict[str, str] = {}
        self._woken = asyncio.Event()
        self._opening = asyncio.Lock()
        self._task: asyncio.Task[None] | None = None

    def wake(self) -> None:
        """Something was recorded, or may have been."""
        self._woken.set()

    def close(self) -> None:
        """Whoever follows gets `TailClosed`, at once."""
        self.closed = True
        self._tell()

    async def stop(self) -> None:
        self.close()
        await end(self._task)

    @asynccontextmanager
    async def following(self, after: Place | None, instrument: str | None = None) -> AsyncIterator[Follower]:
        """Follow what comes behind that place; with None, what is recorded from now on, and before it in the same
        millisecond. `instrument` names the only one that is asked for, so that less is read of what lies behind. Raises
        Unavailable where the store is away."""
        self._followers += 1
        try:
            async with self._opening:
                now = Place.before(await self.log.now())
                if self._task is None:
                    self._open(now)
            yield Follower(self, after or now, instrument)
        finally:
            self._followers -= 1
            if not self._followers:
                await self._end()

    @property
    def next(self) -> int:
        """The number that the next batch will have."""
        return self.first + len(self._batches)

    def batch(self, number: int) -> Batch:
        return self._batches[number - self.first]

    def number_after(self, place: Place) -> int:
        """Of the first batch that goes beyond the place."""
        beyond = (number for number, batch in enumerate(self._batches, self.first) if batch.until > place)
        return next(beyond, self.next)

    def _open(self, now: Place) -> None:
        """What was recorded before now is read from the store by whoever asks for it."""
        self._begun = self.floor = self.until = now
        self.first, self._kept, self._read = 0, 0, {}
        self._batches.clear()
        self._task = asyncio.create_task(self._follow(), name="tail of the events")

    async def _end(self) -> None:
        task, self._task = self._task, None
        await end(task)

    async def _follow(self) -> None:
        failed = False
        while True:
            self._woken.clear()
            try:
                batch = await self.log.read(self._begun, read=self._read)
                failed = False
            except Unavailable:  # told where it began
                await asyncio.sleep(ASK_AGAIN_SECONDS)
                continue
            except Exception:
                if not failed:
                    LOG.exception("the events cannot be read; trying again")
                failed = True
                await asyncio.sleep(LOOK_SECONDS)
                continue
            self._keep(batch)
            if batch.more:
                await asyncio.sleep(0)
            elif batch.held:
                await asyncio.sleep(HELD_SECONDS)
            else:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(LOOK_SECONDS):
                        await self._woken.wait()

    def _keep(self, batch: Batch) -> None:
        self._read.update(batch.read)
        self.until = max(self.until, batch.until)
        if batch.events:
            self._batches.append(batch)
            self._kept += len(batch.events)
            while self._kept > KEPT_EVENTS and len(self._batches) > 1:
                gone = self._batches.popleft()
                self.first += 1
                self._kept -= len(gone.events)
                self.floor = max(self.floor, gone.until)
        self._tell()

    def _tell(self) -> None:
        changed, self.changed = self.changed, asyncio.Event()
        changed.set()


class Follower:
    """One who follows. `place` is behind what it has been given: whoever begins there goes on without a gap."""

    def __init__(self, tail: Tail, place: Place, instrument: str | None) -> None:
        self.place = place
        self._tail = tail
        self._instrument = instrument
        self._number: int | None = None

    async def next(self, patience_seconds: float) -> Batch | None:
        """The next events, of all orders; None where none has come in that time. Raises TailClosed, and Unavailable
        where what lies behind must be read and the store is away."""
        deadline = asyncio.get_running_loop().time() + patience_seconds
        while True:
            if self._tail.closed:
                raise TailClosed
            changed = self._tail.changed
            batch = self._kept() or await self._stored()
            if batch is not None and batch.events:
                return batch
            if batch is not None:
                continue
            try:
                async with asyncio.timeout_at(deadline):
                    await changed.wait()
            except TimeoutError:
                return None

    def _kept(self) -> Batch | None:
        """The next batch that the tail keeps, where this follower has come so far."""
        tail = self._tail
        if self._number is not None and self._number < tail.first:
            self._number = None  # it has fallen behind
        if self._number is None:
            if not tail.floor <= self.place <= tail.until:
                return None
            self._number = tail.number_after(self.place)
            if self._number < tail.next:
                batch = tail.batch(self._number).after(self.place)
                return self._given(batch)
        return self._given(tail.batch(self._number)) if self._number < tail.next else None

    def _given(self, batch: Batch) -> Batch:
        self._number = (self._number or 0) + 1
        self.place = max(self.place, batch.until)
        return batch

    async def _stored(self) -> Batch | None:
        """What lies behind, from the store; None for who has come to the tail."""
        if self._number is not None or self.place >= self._tail.floor:
            return None
        batch = await self._tail.log.read(self.place, instrument=self._instrument)
        if batch.until == self.place:
            await asyncio.sleep(HELD_SECONDS)  # the clock of the store stands still, or goes back
        self.place = max(self.place, batch.until)
        return batch
