"""Measure every unit that is not kept yet, in this process or in several, and show the progress.

Each finished unit is kept at once, so that a stop loses only the units under way.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import replace
from pathlib import Path

from rich.console import Console
from rich.progress import Progress, TaskID

from app.backtest.progress import progress_bar
from app.backtest.ray_pool import RayPool
from app.backtest.workers import worker_pool
from app.decision.policy import Policy
from models.evaluation.measure import measure_file, measure_file_alone
from models.evaluation.units import Unit, is_whole, keep


def measure_units(
    units: Sequence[Unit], folder: Path, policies: dict[str, Policy], bundle: Path, jobs: int, ray: str | None = None
) -> None:
    """Measure the units that `folder` does not hold yet. Raises as `measure_file` does; finished units stay."""
    missing = [(unit, path) for unit in units if not is_whole(path := unit.kept(folder))]
    with progress_bar(Console(stderr=True)) as shown:
        task = shown.add_task("units", total=sum(unit.weight for unit in units))
        shown.advance(task, sum(unit.weight for unit in units) - sum(unit.weight for unit, _ in missing))
        if missing and (ray or (jobs > 1 and len(missing) > 1)):
            for unit in _in_processes(missing, bundle, jobs, ray):
                shown.update(task, description=unit.label)
                shown.advance(task, unit.weight)
        else:
            for unit, path in missing:
                _measure_here(unit, path, policies[unit.policy], shown, task)


def _measure_here(unit: Unit, path: Path, policy: Policy, shown: Progress, task: TaskID) -> None:
    shown.update(task, description=unit.label)

    def on_progress(part: float) -> None:
        shown.advance(task, part * unit.weight)

    keep(path, measure_file(unit.path, policy, list(unit.runs), on_progress=on_progress, **unit.settings))


def _in_processes(missing: list[tuple[Unit, Path]], bundle: Path, jobs: int, ray: str | None) -> Iterator[Unit]:
    """Units as they are finished and kept. After a failure, units under way are finished and no further one begins."""
    with RayPool(ray) if ray else worker_pool(jobs) as pool:
        at_once = pool.workers if isinstance(pool, RayPool) else jobs
        running: dict[Future[None], Unit] = {}
        try:
            for unit, path in missing:
                running[pool.submit(_measure_and_keep, _located(unit), path.resolve(), bundle.resolve())] = unit
                if len(running) >= at_once:
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


def _located(unit: Unit) -> Unit:
    """With an absolute path: workers on a cluster have folders of their own to work in."""
    return replace(unit, path=unit.path.resolve())


def _measure_and_keep(unit: Unit, path: Path, bundle: Path) -> None:
    keep(path, measure_file_alone(unit.path, unit.policy, bundle, list(unit.runs), **unit.settings))
