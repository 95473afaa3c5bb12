"""One scenario from its seed to what came of it; a worker does many, one after another."""

from __future__ import annotations

import shutil
import tempfile
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from app.store.embedded import server_binary
from tests.crashes.comparison import Differences, Run, compare
from tests.crashes.desk import Desk, Setting, Stalled
from tests.crashes.faults import Fault
from tests.crashes.harm import Scenario
from tests.crashes.nursery import Nursery, a_nursery
from tests.crashes.oms import Oms
from tests.crashes.play import Play, play_of
from tests.crashes.points import Point
from tests.crashes.stores import SharedStore, a_shared_store, dump

MEMORY = Path("/dev/shm")  # noqa: S108 -- a folder below it is made with mkdtemp
"""Where files are memory: kill -9 loses nothing of a file there either, and a sync takes no time."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """`struck`: the harm was done. `lost`, `doubled`, `different` count what `compare` found, told in `differences`."""

    seed: int
    kind: str
    point: str
    layout: str
    struck: bool
    lost: int
    doubled: int
    different: int
    deaths: int
    refusals: int
    differences: tuple[str, ...]

    @property
    def failed(self) -> bool:
        return bool(self.lost or self.doubled or self.different)

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


class Worker:
    """Runs scenarios on stores of its own. The undisturbed run of a play is kept for the scenarios that share it."""

    def __init__(self, nursery: Nursery, stores: list[SharedStore], folder: Path, fault: Fault | None = None) -> None:
        self._nursery, self._stores, self._folder, self._fault = nursery, stores, folder, fault
        self._play = -1
        self._undisturbed: tuple[Run, Counter[Point]] | None = None

    async def outcome(self, scenario: Scenario) -> Outcome:
        store = self._stores[scenario.seed % len(self._stores)]
        play = play_of(scenario.play)
        if self._play != scenario.play or self._undisturbed is None:
            run, passages = await self._undisturbed_run(play, store)
            self._play, self._undisturbed = scenario.play, (run, passages)
        undisturbed, passages = self._undisturbed
        harm = scenario.harm(passages)
        setting = Setting(layout=scenario.layout, services=scenario.services, harm=harm, fault=self._fault)
        async with self._desk(store, setting) as desk:
            try:
                found = compare(undisturbed, await _run(play, desk))
            except Stalled as error:
                found = Differences(1, 0, 0, (f"lost: not answered: {error}",))
            if found.any:
                found = replace(found, told=(*found.told, *desk.log_lines()))
        return _outcome(scenario, desk, found)

    async def _undisturbed_run(self, play: Play, store: SharedStore) -> tuple[Run, Counter[Point]]:
        async with self._desk(store, Setting(fault=self._fault)) as desk:
            run = await _run(play, desk)
        if run.transcript.broken:
            raise AssertionError(f"undisturbed play {play.seed}: {run.transcript.broken}")
        return run, desk.passages

    @asynccontextmanager
    async def _desk(self, store: SharedStore, setting: Setting) -> AsyncIterator[Desk]:
        folder = Path(tempfile.mkdtemp(dir=self._folder))
        async with Desk(self._nursery, folder, store, setting) as desk:
            yield desk
        shutil.rmtree(folder)


async def _run(play: Play, desk: Desk) -> Run:
    transcript = await Oms(play, desk).day()
    desk.heal()
    return Run(transcript, dump(desk.store.socket))


def _outcome(scenario: Scenario, desk: Desk, found: Differences) -> Outcome:
    return Outcome(
        seed=scenario.seed,
        kind=scenario.kind,
        point=scenario.point,
        layout=scenario.layout,
        struck=desk.struck,
        lost=found.lost,
        doubled=found.doubled,
        different=found.different,
        deaths=desk.counts.deaths,
        refusals=desk.counts.refusals,
        differences=found.told,
    )


@contextmanager
def a_worker(fault: Fault | None = None) -> Iterator[Worker]:
    """With a nursery and a Valkey, and a Redis where the machine has one; the services have the `fault`."""
    binaries = [str(server_binary()), *filter(None, [shutil.which("redis-server")])]
    with ExitStack() as stack:
        place = MEMORY if MEMORY.is_dir() else None
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="lem-", dir=place)))
        stores = [
            stack.enter_context(a_shared_store(binary, folder / f"store-{number}"))
            for number, binary in enumerate(binaries)
        ]
        yield Worker(stack.enter_context(a_nursery()), stores, folder, fault)
