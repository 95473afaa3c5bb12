"""What stands between the OMS and the services under test: it starts them, starts them again when they have ended, does
harm to them, and repeats every request until it is answered."""

from __future__ import annotations

import asyncio
import signal
from collections import Counter
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from time import monotonic
from types import TracebackType
from typing import Any, Self

from tests.crashes.faults import Fault
from tests.crashes.harm import Harm, Kind, Layout
from tests.crashes.nursery import Nursery
from tests.crashes.points import Point
from tests.crashes.proxy import Proxy, a_proxy
from tests.crashes.running import NotStarted, Running
from tests.crashes.service import Order
from tests.crashes.stores import EmbeddedStore, SharedStore, StoreUnderTest
from tests.crashes.wire import Lost, Reply

ANSWER_SECONDS_MAX = 60.0
"""How long a request is repeated before the service counts as stalled."""
PAUSE_SECONDS = 0.01
STOPPED_SECONDS = 0.02
REFUSED = frozenset({429, 503})
DIES = frozenset({Kind.KILL, Kind.KILL_TWICE})
BEHIND_PROXY = frozenset({Kind.CUT, Kind.AWAY, Kind.DELAY, Kind.LATE_WRITE})


class Stalled(Exception):
    """A request was not answered, however often it was repeated."""


@dataclass(slots=True)
class Counts:
    strikes: int = 0
    deaths: int = 0
    refusals: int = 0
    lost: int = 0


class Desk:
    """Use as an async context manager. Without a `harm` it counts in `passages` which points are passed."""

    def __init__(
        self,
        nursery: Nursery,
        layout: Layout,
        folder: Path,
        shared: SharedStore,
        harm: Harm | None,
        fault: Fault | None = None,
    ) -> None:
        self._nursery, self._layout, self._folder, self._shared = nursery, layout, folder, shared
        self._harm, self._fault = harm, fault
        self._stack = AsyncExitStack()
        self._proxy: Proxy | None = None
        self._running: Running | None = None
        self._starting = asyncio.Lock()
        self._tasks: set[asyncio.Task[None]] = set()
        self._refused_since = 0
        self.passages: Counter[Point] = Counter()
        self.counts = Counts()

    async def __aenter__(self) -> Self:
        if self._layout is Layout.SHARED:
            self._shared.flush()
            if self._harm and self._harm.kind in BEHIND_PROXY:
                path = self._folder / "proxy.sock"
                self._proxy = await self._stack.enter_async_context(a_proxy(self._shared.socket, path))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        self.heal()
        if self._running:
            await self._running.end()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._stack.aclose()

    async def insist(self, method: str, path: str, body: Any = None) -> Reply:
        """The answer, however often the request must be sent. Raises Stalled."""
        deadline = monotonic() + ANSWER_SECONDS_MAX
        while monotonic() < deadline:
            try:
                reply = await (await self._up()).client.ask(method, path, body)
            except (Lost, NotStarted):
                self.counts.lost += 1
            else:
                if reply.status not in REFUSED:
                    return reply
                self.counts.refusals += 1
                self._refused()
            await asyncio.sleep(PAUSE_SECONDS)
        raise Stalled(f"{method} {path}")

    @property
    def store(self) -> StoreUnderTest:
        if self._layout is Layout.SHARED:
            return self._shared
        assert self._running is not None
        return EmbeddedStore(self._folder / "data", self._running.pid)

    def heal(self) -> None:
        """What was done to the store is over."""
        if self._proxy:
            self._proxy.heal()
        if self._running and self.counts.strikes:
            self.store.heal()

    async def _up(self) -> Running:
        async with self._starting:
            if self._running is None or self._running.ended.is_set():
                self.counts.deaths += self._running is not None
                self._running = await Running.started(self._nursery, self._order(), self._on_word)
                if self._proxy:
                    self._proxy.heal()
            return self._running

    def _order(self) -> Order:
        order = Order(
            data_dir=str(self._folder / "data"),
            log=str(self._folder / "service.log"),
            redis_url=self._url(),
            tells=self._harm is None,
            fault=self._fault,
        )
        harm = self._harm
        if harm and self._running is None:
            return replace(order, point=harm.point, passage=harm.passage, dies=harm.kind in DIES)
        if harm and harm.again and self.counts.deaths == 1:
            return replace(order, point=harm.again, passage=1, dies=True)
        return order

    def _url(self) -> str | None:
        if self._layout is Layout.EMBEDDED:
            return None
        return self._proxy.url if self._proxy else f"unix://{self._shared.socket}"

    def _on_word(self, service: Running, word: str, point: Point) -> None:
        if word == "passed":
            self.passages[point] += 1
        else:
            task = asyncio.create_task(self._strike(service))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _strike(self, service: Running) -> None:
        """The service stands still at the harm's point."""
        harm, proxy = self._harm, self._proxy
        assert harm is not None
        self.counts.strikes += 1
        match harm.kind:
            case Kind.STOP:
                await self._stopped(service, patient=harm.answer_only)
            case Kind.CUT if proxy:
                proxy.cut(harm.times, answers_only=harm.answer_only)
            case Kind.AWAY if proxy:
                proxy.go_away()
            case Kind.DELAY if proxy:
                proxy.hold()
            case Kind.LATE_WRITE if proxy:
                proxy.hold(lambda: self._kill_while_held(service))
            case Kind.STORE_KILL:
                self.store.kill()
            case Kind.STORE_STOP:
                self.store.stop()
            case _:
                self.store.fill()
        service.go_on()

    async def _stopped(self, service: Running, *, patient: bool) -> None:
        service.signal(signal.SIGSTOP)
        if not patient:
            service.client.give_up()
        await asyncio.sleep(STOPPED_SECONDS)
        service.signal(signal.SIGCONT)

    def _kill_while_held(self, service: Running) -> None:
        """What is held arrives once another process is up; what that one sends passes."""
        assert self._proxy is not None
        self._proxy.holding = False
        service.signal(signal.SIGKILL)

    def _refused(self) -> None:
        if self._harm and self.counts.strikes:
            self._refused_since += 1
            if self._refused_since >= self._harm.times:
                self.heal()
