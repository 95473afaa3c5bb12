"""Units of work: one policy on one bar file. Each is kept in a file of its own, so that a stop loses one unit at most.

The file's name holds a digest of all that the figures depend on: the bars, the runs, the bundle, the code that decides
and trades.
"""

from __future__ import annotations

import hashlib
import json
import zipfile
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from app.backtest.workers import worker_pool
from app.decision.policy import Policy
from models.evaluation.measure import Arrays, measure_file, measure_file_alone
from models.evaluation.runs import LEM, Run

ROOT = Path(__file__).parents[2]
CODE = (
    "app/backtest",
    "app/domain",
    "app/policies",
    "app/inference",
    "app/decision/decide.py",
    "models/evaluation/measure.py",
    "models/evaluation/stops.py",
)
"""What figures depend on; a change anywhere in it has everything measured anew."""
LEM_WEIGHT = 12.0
"""How much longer the LEM takes than a baseline, for the time left that is shown."""
DIGEST_LENGTH = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """`every`, `step_seconds` and `span` as in `measure_file`; `policy_name` names what decides to the last bit."""

    market: str
    path: Path
    policy: str
    policy_name: str
    runs: tuple[Run, ...]
    every: int
    step_seconds: int | None
    span: tuple[int | None, int | None]

    @property
    def settings(self) -> dict[str, Any]:
        return {"every": self.every, "step_seconds": self.step_seconds, "span": self.span}

    @property
    def weight(self) -> float:
        return self.path.stat().st_size * (LEM_WEIGHT if self.policy == LEM else 1.0)

    def kept(self, folder: Path) -> Path:
        """Where its figures lie, or will lie."""
        facts = {
            "code": _code_digest(),
            "bars": _digest(self.path, self.path.stat().st_mtime_ns),
            "policy": self.policy_name,
            "runs": [run.facts() for run in self.runs],
            **self.settings,
        }
        digest = hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:DIGEST_LENGTH]
        return folder / self.market / f"{self.path.stem}-{self.policy}-{digest}.npz"


@lru_cache(maxsize=1)
def _code_digest() -> str:
    digest = hashlib.sha256()
    for place in CODE:
        path = ROOT / place
        for file in [path] if path.is_file() else sorted(path.glob("*.py")):
            digest.update(file.read_bytes())
    return digest.hexdigest()


@lru_cache(maxsize=4096)
def _digest(path: Path, _changed_at: int) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def measure_units(units: Sequence[Unit], folder: Path, policies: dict[str, Policy], bundle: Path, jobs: int) -> None:
    """Work off what `folder` does not hold yet. Raises as `measure_file` does; finished units stay."""
    pending = [(unit, unit.kept(folder)) for unit in units]
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as shown:
        task = shown.add_task("units", total=sum(unit.weight for unit in units))
        todo = []
        for unit, path in pending:
            if is_whole(path):
                shown.advance(task, unit.weight)
            else:
                todo.append((unit, path))
        if jobs > 1 and len(todo) > 1:
            for unit in _in_processes(todo, bundle, jobs):
                shown.update(task, advance=unit.weight, description=_label(unit))
            return
        for unit, path in todo:
            shown.update(task, description=_label(unit))

            def advance(part: float, unit: Unit = unit) -> None:
                shown.advance(task, part * unit.weight)

            keep(
                path, measure_file(unit.path, policies[unit.policy], list(unit.runs), progress=advance, **unit.settings)
            )


def _in_processes(todo: list[tuple[Unit, Path]], bundle: Path, jobs: int) -> Iterator[Unit]:
    """Units as they are finished and kept; on a failure those under way are finished, the others never begun."""
    with worker_pool(jobs) as pool:
        running: dict[Future[None], Unit] = {}
        rest = iter(todo)
        try:
            for unit, path in rest:
                running[pool.submit(_measure_and_keep, unit, path, bundle)] = unit
                if len(running) >= jobs:
                    yield from _finished(running)
            while running:
                yield from _finished(running)
        finally:
            pool.shutdown(cancel_futures=True)


def _finished(running: dict[Future[None], Unit]) -> Iterator[Unit]:
    done, _ = wait(running, return_when=FIRST_COMPLETED)
    for future in done:
        unit = running.pop(future)
        future.result()
        yield unit


def _measure_and_keep(unit: Unit, path: Path, bundle: Path) -> None:
    keep(path, measure_file_alone(unit.path, unit.policy, bundle, list(unit.runs), **unit.settings))


def keep(path: Path, arrays: Arrays) -> None:
    """All of it or nothing: a file that is there is whole."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(".draft")
    with draft.open("wb") as file:
        np.savez(file, **arrays)  # type: ignore[arg-type]  # its first keyword is a flag, and no array is named so
    draft.replace(path)


def is_whole(path: Path) -> bool:
    """A file that a dying machine left damaged is measured again."""
    return path.exists() and zipfile.is_zipfile(path)


def _label(unit: Unit) -> str:
    return f"{unit.market} {unit.path.stem} {unit.policy}"
