"""Does the harm of a scenario to a service that stands still at its point, and ends the harm."""

from __future__ import annotations

import asyncio
import signal
from dataclasses import dataclass

from tests.crashes.harm import Harm, Kind
from tests.crashes.proxy import Proxy
from tests.crashes.running import Running
from tests.crashes.service import LEASE_SECONDS
from tests.crashes.stores import StoreUnderTest

STOPPED_SECONDS = 0.02
TAKEN_OVER_SECONDS = 3 * LEASE_SECONDS
"""Until the others have noticed that a service is away, and one of them has taken its place."""


@dataclass(slots=True)
class Slot:
    """A place for a service: the one that runs in it, or is to be started again in it, and the proxy before its store.
    Nobody is started again in a slot that is `given_up`."""

    proxy: Proxy | None = None
    running: Running | None = None
    given_up: bool = False


class Harming:
    """The first service that comes to the point is harmed, once. `alone`: no other could take its place."""

    def __init__(self, harm: Harm, *, alone: bool) -> None:
        self._harm = harm
        self._away_seconds = 0.0 if alone else TAKEN_OVER_SECONDS
        self._refusals = 0
        self._slot: Slot | None = None
        self._store: StoreUnderTest | None = None

    @property
    def struck(self) -> bool:
        return self._slot is not None

    async def strike(self, slot: Slot, running: Running, store: StoreUnderTest) -> None:
        """The service stands still at its point, and goes on once the harm is done."""
        try:
            if not self.struck:
                self._slot, self._store = slot, store
                await self._strike(slot, running, store)
        finally:
            running.go_on()

    async def _strike(self, slot: Slot, running: Running, store: StoreUnderTest) -> None:
        harm, proxy = self._harm, slot.proxy
        match harm.kind:
            case Kind.KILL | Kind.KILL_TWICE:
                slot.given_up = harm.for_good
                running.signal(signal.SIGKILL)
            case Kind.STOP:
                await self._stop(running)
            case Kind.CUT if proxy:
                proxy.cut(harm.times, answers_only=harm.answer_only)
            case Kind.AWAY if proxy:
                proxy.go_away()
            case Kind.DELAY if proxy:
                proxy.hold()
            case Kind.LATE_WRITE if proxy:
                proxy.hold(lambda: _kill_while_held(proxy, running))
            case Kind.STORE_KILL:
                store.kill()
            case Kind.STORE_STOP:
                store.stop()
            case _:
                store.fill()

    async def _stop(self, running: Running) -> None:
        running.signal(signal.SIGSTOP)
        if not self._harm.answer_only:
            running.client.give_up()
        await asyncio.sleep(self._away_seconds or STOPPED_SECONDS)
        running.signal(signal.SIGCONT)

    async def refused(self) -> None:
        """A client was refused, or waits in vain for decisions. The harm ends once that has happened often enough, and
        others have had the time to take over."""
        if self.struck:
            self._refusals += 1
            if self._refusals == self._harm.times:
                await asyncio.sleep(self._away_seconds)
            if self._refusals >= self._harm.times:
                self.heal()

    def heal(self) -> None:
        """What was done to the store, and on the way to it, is over."""
        if self._slot and self._slot.proxy:
            self._slot.proxy.heal()
        if self._store:
            self._store.heal()


def _kill_while_held(proxy: Proxy, running: Running) -> None:
    """What is held arrives once another process is at work; what that one sends passes."""
    proxy.holding = False
    running.signal(signal.SIGKILL)
