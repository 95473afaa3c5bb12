"""What stands between the OMS and the services under test: it starts them, starts them again when they have ended, does
harm to them, and repeats every request until it is answered."""

from __future__ import annotations

import asyncio
from collections import Counter
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random
from time import monotonic
from typing import Any, Self

from tests.crashes.faults import Fault
from tests.crashes.harm import Harm, Kind, Layout
from tests.crashes.harming import Harming, Slot
from tests.crashes.nursery import Nursery
from tests.crashes.points import Point
from tests.crashes.proxy import a_proxy
from tests.crashes.running import NotStarted, Running
from tests.crashes.service import Order
from tests.crashes.stores import EmbeddedStore, SharedStore, StoreUnderTest
from tests.crashes.wire import Lost, Reply

LOG_LINES = 20
ANSWER_SECONDS_MAX = 180.0
"""How long a request is repeated before the service counts as stalled."""
PAUSE_SECONDS = 0.01
REFUSED = frozenset({429, 503})
BEHIND_PROXY = frozenset({Kind.CUT, Kind.AWAY, Kind.DELAY, Kind.LATE_WRITE})


def _undecided(body: Any) -> bool:
    """Bars are stored, and whoever is to decide on them has not done so yet: a feed asks again."""
    return isinstance(body, dict) and body.get("decided") is False


class Stalled(Exception):
    """A request was not answered, however often it was repeated."""


@dataclass(slots=True)
class Counts:
    deaths: int = 0
    refusals: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """Where a play is played: how many services, on which store, with which harm and fault."""

    layout: Layout = Layout.SHARED
    services: int = 1
    harm: Harm | None = None
    fault: Fault | None = None


class Desk:
    """Use as an async context manager. Without a harm it counts in `passages` which points are passed."""

    def __init__(self, nursery: Nursery, folder: Path, shared: SharedStore, setting: Setting) -> None:
        self._nursery, self._folder, self._shared, self._setting = nursery, folder, shared, setting
        self._harming = Harming(setting.harm, alone=setting.services == 1) if setting.harm else None
        self._slots = [Slot() for _ in range(setting.services)]
        self._random, self._log = Random(0), folder / "service.log"
        self._stack = AsyncExitStack()
        self._starting = asyncio.Lock()
        self._closed = False
        self._tasks: list[asyncio.Task[None]] = []
        self.passages: Counter[Point] = Counter()
        self.counts = Counts()

    async def __aenter__(self) -> Self:
        harm = self._setting.harm
        if self._setting.layout is not Layout.EMBEDDED:
            self._shared.flush()
            if harm and harm.kind in BEHIND_PROXY:
                for number, slot in enumerate(self._slots):
                    path = self._folder / f"proxy-{number}.sock"
                    slot.proxy = await self._stack.enter_async_context(a_proxy(self._shared.socket, path))
        return self

    async def __aexit__(self, *_: object) -> None:
        self.heal()
        async with self._starting:
            self._closed = True
            for slot in self._slots:
                if slot.running:
                    self.counts.deaths += slot.running.ended.is_set()
                    await slot.running.end()
        await self._stack.aclose()
        await asyncio.gather(*self._tasks)

    @property
    def struck(self) -> bool:
        return self._harming is not None and self._harming.struck

    @property
    def store(self) -> StoreUnderTest:
        if self._setting.layout is not Layout.EMBEDDED:
            return self._shared
        running = self._slots[0].running
        assert running is not None
        return EmbeddedStore(self._folder / "data", running.pid)

    def log_lines(self) -> list[str]:
        """The newest of what the services have told in their logs."""
        return self._log.read_text().splitlines()[-LOG_LINES:] if self._log.exists() else []

    def heal(self) -> None:
        if self._harming:
            self._harming.heal()

    async def insist(self, method: str, path: str, body: Any = None) -> Reply:
        """The answer of whichever service, however often the request must be sent. Raises Stalled."""
        deadline = monotonic() + ANSWER_SECONDS_MAX
        while monotonic() < deadline:
            slot = self._random.choice([slot for slot in self._slots if not slot.given_up])
            try:
                reply = await (await self._up(slot)).client.ask(method, path, body)
            except (Lost, NotStarted):
                pass
            else:
                if reply.status not in REFUSED and not _undecided(reply.body):
                    return reply
                self.counts.refusals += 1
                if self._harming:
                    await self._harming.refused()
            await asyncio.sleep(PAUSE_SECONDS)
        raise Stalled(f"{method} {path}")

    async def _up(self, slot: Slot) -> Running:
        async with self._starting:
            if (
                self._closed
            ):  # whoever still asks would have a service started in a folder that is removed, again and again
                raise Stalled("the play is over")
            if slot.running is None or slot.running.ended.is_set():
                self.counts.deaths += slot.running is not None
                slot.running = await Running.started(
                    self._nursery,
                    self._order(slot),
                    lambda running, word, point: self._hear(slot, running, word, point),
                )
                if slot.proxy and self.struck:
                    slot.proxy.heal()
            return slot.running

    def _order(self, slot: Slot) -> Order:
        order = Order(
            data_dir=str(self._folder / "data"),
            log=str(self._log),
            redis_url=self._url(slot),
            tells=self._setting.harm is None,
            fault=self._setting.fault,
        )
        harm = self._setting.harm
        if harm and not self.struck:
            return replace(order, point=harm.point, passage=harm.passage)
        if harm and harm.again and self.counts.deaths == 1:
            return replace(order, point=harm.again, dies=True)
        return order

    def _url(self, slot: Slot) -> str | None:
        if self._setting.layout is Layout.EMBEDDED:
            return None
        return slot.proxy.url if slot.proxy else f"unix://{self._shared.socket}"

    def _hear(self, slot: Slot, running: Running, word: str, point: Point) -> None:
        if word == "passed":
            self.passages[point] += 1
        elif self._harming:
            task = asyncio.create_task(self._harming.strike(slot, running, self.store))
            self._tasks.append(task)
