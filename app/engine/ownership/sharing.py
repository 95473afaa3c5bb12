"""Sharing the instruments with the other processes on the store: this process lives, hears the others, takes what falls
to it, and gives back what does not."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Mapping, Sequence
from datetime import datetime
from time import monotonic

from app.domain.errors import LemError, Unavailable
from app.engine.instruments.cache import LiveInstruments
from app.engine.live_orders import LiveOrders
from app.engine.ownership.decisions import Decisions
from app.engine.ownership.follower import Follower
from app.engine.ownership.lease import Holding
from app.engine.ownership.leases import Leases
from app.engine.ownership.notices import DecisionsAwaited, InstrumentChanged, Notice, NoticesMissed, ProcessesChanged
from app.engine.ownership.shared_store import SharedStore
from app.engine.ports import Metrics
from app.engine.tasks import ASK_AGAIN_SECONDS, end
from app.engine.waiters import Waiters

LOG = logging.getLogger(__name__)
LEASE_SECONDS = 1.5
"""A process that has not been heard of for so long is dead, and its instruments are taken over."""
BEAT_SECONDS = LEASE_SECONDS / 3
READ_SECONDS = 5.0
"""How often all leases are read, whatever notices say."""
HANDED_OVER_AT_ONCE = 32
"""Instruments, with each beat: to open them is work for those who get them."""


class Sharing:
    """Implements `Ownership`. One write with each beat renews all leases of the process, however many: a lease lasts
    for as long as its owner lives."""

    def __init__(self, store: SharedStore, waiters: Waiters, metrics: Metrics) -> None:
        self._store = store
        self._waiters = waiters
        self._metrics = metrics
        self._leases = Leases(store, metrics, self._on_change)
        self._decisions = Decisions()
        self._tasks: list[asyncio.Task[None]] = []
        self._look = asyncio.Event()
        self._beaten_at: float | None = None
        self._late = False
        self._read_at = float("-inf")

    def attach(self, instruments: LiveInstruments, live_orders: LiveOrders) -> None:
        """They ask who owns an instrument, so that they are made after this."""
        self._instruments = instruments
        self._live_orders = live_orders
        self._follower = Follower(self._store, self._leases, instruments, self._waiters, self._decisions, self._metrics)

    @property
    def held(self) -> int:
        """How many instruments this process owns."""
        return len(self._leases.held)

    @property
    def processes(self) -> int:
        """How many processes live on the store, this one among them."""
        return len(self._leases.live)

    @property
    def process(self) -> str:
        """This one, by name."""
        return self._store.process

    @property
    def live(self) -> Sequence[str]:
        """The processes that live on the store, by name."""
        return self._leases.live

    @property
    def owners(self) -> Mapping[str, str]:
        """The process that owns each instrument, by symbol, as far as this one knows."""
        return self._leases.owners

    @property
    def unowned(self) -> int:
        """How many instruments have no owner that lives, as this process knows it."""
        return len(self._leases.left_over)

    @property
    def lag_seconds(self) -> float:
        return self._follower.lag_seconds

    async def start(self) -> None:
        """Join the others. Where the store is away, that is tried again in the background."""
        self._tasks = [
            asyncio.create_task(self._hear(), name="notices"),
            asyncio.create_task(self._follower.decide(), name="decisions for others"),
        ]
        with contextlib.suppress(Unavailable):
            await self._beat()
        self._tasks.append(asyncio.create_task(self._keep_beating(), name="beat"))

    async def stop(self) -> None:
        """Give everything back at once, so that nobody waits for this process to count as dead."""
        for task in self._tasks:
            await end(task)
        with contextlib.suppress(Unavailable):  # the others notice
            await self._leases.give_back()
            await self._store.leave()

    def owns(self, symbol: str) -> bool:
        return self._leases.owns(symbol)

    async def claim(self, symbol: str) -> Holding:
        lease = await self._leases.claim(symbol)
        return Holding(owned=lease.owner == self._store.process, fence=lease.fence)

    async def fenced(self, symbols: list[str]) -> None:
        for symbol in symbols:
            self._instruments.forget(symbol)
        await self._leases.read(symbols)

    async def reopen(self, symbol: str) -> None:
        self._decisions.forget(symbol)
        await self._store.tell(InstrumentChanged(symbol))

    async def gone(self, symbol: str) -> None:
        self._live_orders.forget(symbol)
        await self._leases.read([symbol])
        await self.reopen(symbol)

    async def decided(self, newest: Mapping[str, datetime], appended: frozenset[str]) -> bool:
        return await self._decisions.wait(newest, appended, self._ask)

    async def _ask(self, symbols: list[str]) -> None:
        """The owner may be this process by now: it has taken a dead one's place."""
        for symbol in [each for each in symbols if self._leases.owns(each)]:
            try:
                live = await self._instruments.get(symbol)
            except LemError:
                continue
            if live.owned and live.newest is not None:
                self._decisions.learn({symbol: live.newest.open_time})
        await self._store.tell(DecisionsAwaited(tuple(symbols)))

    def _on_change(self, symbol: str, own: bool) -> None:
        """An instrument is opened anew by who owns it from now on: its orders are moved by the bars that they have not
        seen, as after a restart."""
        self._instruments.forget(symbol)
        if own:
            self._instruments.on_failure.set()
        else:
            self._live_orders.forget(symbol)
            self._store.forget_orders(symbol)

    async def _hear(self) -> None:
        """For ever, whatever a notice does: all others would wait for the decisions of a process that hears no more."""
        while True:
            try:
                async for notice in self._store.notices():
                    self._heard(notice)
            except Exception:
                LOG.exception("notices of other processes cannot be heard; listening anew")
            await asyncio.sleep(ASK_AGAIN_SECONDS)

    def _heard(self, notice: Notice) -> None:
        if isinstance(notice, ProcessesChanged):
            self._look.set()
            return
        self._follower.hear(notice)
        if isinstance(notice, NoticesMissed):
            self._read_at = float("-inf")
            self._look.set()

    async def _keep_beating(self) -> None:
        failed = False
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(BEAT_SECONDS):
                    await self._look.wait()
            self._look.clear()
            try:
                await self._beat()
                failed = False
            except Unavailable:  # told where it began
                pass
            except Exception:
                if not failed:
                    LOG.exception("leases cannot be kept; trying again")
                failed = True

    async def _beat(self) -> None:
        """Who comes late itself cannot tell whether the others are: it takes nothing over before the next beat. At that
        one it does, though it may be late again: on a busy machine every beat is, and somebody must decide."""
        overdue = self._beaten_at is not None and monotonic() - self._beaten_at > LEASE_SECONDS
        self._late = late = overdue and not self._late
        live = await self._store.beat(round(LEASE_SECONDS * 1000))
        self._beaten_at = monotonic()
        self._leases.are_live(live)
        if late or monotonic() - self._read_at > READ_SECONDS:
            self._read_at = monotonic()
            await self._leases.read_all()
        if not late:
            await self._leases.take_left_over()
        for symbol in self._leases.to_hand_over()[:HANDED_OVER_AT_ONCE]:
            await self._hand_over(symbol)

    async def _hand_over(self, symbol: str) -> None:
        """Between two bars: what this process has begun it ends."""
        if self._instruments.open_now(symbol) is None:
            await self._leases.hand_over(symbol)
            return
        async with self._instruments.locked(symbol):
            await self._leases.hand_over(symbol)
