"""One scenario from its seed to what came of it; a worker does many, one after another."""

from __future__ import annotations

import shutil
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from app.store.embedded import server_binary
from tests.crashes.comparison import Run, compare
from tests.crashes.desk import Counts, Desk, Stalled
from tests.crashes.faults import Fault
from tests.crashes.harm import Harm, Layout, Scenario
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
            run, passages, _ = await self._played(play, Layout.SHARED, store, None)
            if run.transcript.broken:
                raise AssertionError(f"undisturbed play {play.seed}: {run.transcript.broken}")
            self._play, self._undisturbed = scenario.play, (run, passages)
        undisturbed, passages = self._undisturbed
        harm = scenario.harm(passages)
        try:
            run, _, counts = await self._played(play, scenario.layout, store, harm)
        except Stalled as error:
            return _outcome(scenario, Counts(strikes=1), 1, 0, 0, (f"lost: not answered: {error}",))
        found = compare(undisturbed, run)
        return _outcome(scenario, counts, found.lost, found.doubled, found.different, found.told)

    async def _played(
        self, play: Play, layout: Layout, store: SharedStore, harm: Harm | None
    ) -> tuple[Run, Counter[Point], Counts]:
        folder = Path(tempfile.mkdtemp(dir=self._folder))
        async with Desk(self._nursery, layout, folder, store, harm, self._fault) as desk:
            transcript = await Oms(play, desk).day()
            desk.heal()
            run = Run(transcript, dump(desk.store.socket))
        shutil.rmtree(folder)
        return run, desk.passages, desk.counts


def _outcome(
    scenario: Scenario, counts: Counts, lost: int, doubled: int, different: int, told: tuple[str, ...]
) -> Outcome:
    return Outcome(
        seed=scenario.seed,
        kind=scenario.kind,
        point=scenario.point,
        layout=scenario.layout,
        struck=counts.strikes + counts.deaths > 0,
        lost=lost,
        doubled=doubled,
        different=different,
        deaths=counts.deaths,
        refusals=counts.refusals,
        differences=told,
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
