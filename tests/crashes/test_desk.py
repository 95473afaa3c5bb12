"""The OMS of the crash matrix and its desk: what they find does not hang on how fast anybody is, and with the play all
ends."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from tests.crashes.comparison import Run, compare
from tests.crashes.desk import Desk, Setting, Stalled
from tests.crashes.oms import Answering, Oms
from tests.crashes.play import play_of
from tests.crashes.run import Worker, a_worker
from tests.crashes.stores import dump
from tests.crashes.wire import Reply

pytestmark = pytest.mark.spawns

SHORT_ORDER = 74
"""A play in which the order that is waited for ends three bars after its first slice."""
QUIET_TURNS = 20


@pytest.fixture
def worker() -> Iterator[Worker]:
    with a_worker() as worker:
        yield worker


@dataclass(slots=True)
class LateWaiter:
    """Whoever waits for a slice gets its turn only when nobody else asks for anything any more."""

    desk: Desk
    asking: int = 0

    async def insist(self, method: str, path: str, body: Any = None) -> Reply:
        if "wait=" in path:
            await self._quiet()
            return await self.desk.insist(method, path, body)
        self.asking += 1
        try:
            return await self.desk.insist(method, path, body)
        finally:
            self.asking -= 1

    async def _quiet(self) -> None:
        turns = 0
        while turns < QUIET_TURNS:
            await asyncio.sleep(0.001)
            turns = 0 if self.asking else turns + 1


async def played(worker: Worker, *, late: bool) -> Run:
    play, store = play_of(SHORT_ORDER), worker._stores[0]
    async with worker._desk(store, Setting()) as desk:
        asked: Answering = LateWaiter(desk) if late else desk
        return Run(await Oms(play, asked).day(), dump(store.socket))


async def test_who_waits_for_a_slice_gets_one_as_it_was_given_however_late_it_asks(worker: Worker) -> None:
    prompt, late = await played(worker, late=False), await played(worker, late=True)

    heard = dict(late.transcript.answers)["what came to who waited"]
    assert heard == "a slice as it was given"
    assert compare(prompt, late).told == ()


async def test_after_the_play_nobody_who_still_asks_has_a_service_started(worker: Worker) -> None:
    async with worker._desk(worker._stores[0], Setting()) as desk:
        await desk.insist("GET", "/healthz")

    with pytest.raises(Stalled):
        await desk.insist("GET", "/healthz")

    assert not any(slot.running and not slot.running.ended.is_set() for slot in desk._slots)
