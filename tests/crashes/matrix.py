"""Many scenarios, in several processes: each outcome is kept as soon as it is there, so that a run can be taken up."""

from __future__ import annotations

import asyncio
import json
import multiprocessing
import signal
import sys
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

from tests.crashes.harm import Kind, scenario_of
from tests.crashes.processes import end_with_parent
from tests.crashes.run import Outcome, Worker, a_worker

Tasks = Any
"""Queues of multiprocessing are not generic at run time."""
END_SECONDS_MAX = 20
"""A worker ends its services and its stores first."""


def known(results: Path) -> dict[int, Outcome]:
    """The outcomes that a results file holds, by seed; a line that a crash has cut off is left out."""
    found: dict[int, Outcome] = {}
    for line in results.read_text().splitlines() if results.exists() else ():
        try:
            fields = json.loads(line)
        except ValueError:
            continue
        found[fields["seed"]] = Outcome(**fields | {"differences": tuple(fields["differences"])})
    return found


def keep(results: Path, outcome: Outcome) -> None:
    with results.open("a") as file:
        file.write(json.dumps(outcome.as_json()) + "\n")


def outcomes(seeds: Iterable[int], jobs: int, only: Kind | None = None) -> Iterator[Outcome]:
    """As they come. Scenarios that share a play are done by one worker, one after another."""
    context = multiprocessing.get_context("spawn")
    tasks, done = context.Queue(), context.Queue()
    count = 0
    for _, together in groupby(seeds, key=lambda seed: scenario_of(seed).play):
        chunk = list(together)
        count += len(chunk)
        tasks.put(chunk)
    workers = [context.Process(target=_work, args=(tasks, done, only)) for _ in range(min(jobs, count))]
    for worker in workers:
        tasks.put(None)
        worker.start()
    try:
        for _ in range(count):
            outcome, failure = done.get()
            if failure:
                raise RuntimeError(f"a scenario could not be run: {failure}")
            yield outcome
    finally:
        for worker in workers:
            worker.terminate()
        for worker in workers:
            worker.join(END_SECONDS_MAX)
            worker.kill()  # one that does not hear would keep the error, too, from being told
            worker.join()


def _work(tasks: Tasks, done: Tasks, only: Kind | None) -> None:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # the stores are closed then
    end_with_parent(signal.SIGTERM)
    try:
        with a_worker() as worker:
            asyncio.run(_each(worker, tasks, done, only))
    except Exception as error:  # noqa: BLE001 -- told where the outcomes are awaited
        done.put((None, repr(error)))


async def _each(worker: Worker, tasks: Tasks, done: Tasks, only: Kind | None) -> None:
    chunk: Sequence[int] | None
    while (chunk := tasks.get()) is not None:
        for seed in chunk:
            done.put((await worker.outcome(scenario_of(seed, only)), None))
