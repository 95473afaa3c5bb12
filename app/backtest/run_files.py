"""Many bar files under one policy or several: one after another, or each in a process of its own."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Executor, as_completed
from dataclasses import replace
from functools import partial
from pathlib import Path

from rich.console import Console

from app.backtest.comparison import comparison
from app.backtest.job import LEM, FileResult, Job, run_file, run_file_alone
from app.backtest.paired_orders import PairedOrders, paired_orders
from app.backtest.policy_tables import policy_tables
from app.backtest.progress import LEM_WEIGHT, OnShare, progress_bar, scaled
from app.backtest.ray_pool import RayPool
from app.backtest.report.report_facts import report_facts
from app.backtest.results_folder import write_results
from app.backtest.workers import worker_pool
from app.bars.bar_files import told_span
from app.bars.file_names import require_one_symbol_each
from app.bars.reader import read_series
from app.bundles.seen_days import seen_days
from app.decision.policy import Policy

Task = tuple[Path, Job]
Results = Mapping[str, Sequence[FileResult]]
"""By policy, in the order of the files."""


def run_files(
    paths: list[Path],
    jobs: Sequence[Job],
    policies: Mapping[str, Policy],
    out: Path,
    processes: int,
    ray: str | None = None,
) -> None:
    """Write the folder `out` (results_folder.py), and print what it shows. There is a job for each of the policies,
    which all have the same orders. Raises as `run_file` does, and where files of two symbols would be one
    instrument."""
    began = time.monotonic()
    require_one_symbol_each(paths)
    seen = seen_days(policies[LEM]) if LEM in policies else None
    out.mkdir(parents=True, exist_ok=True)
    tasks = [(path, job) for job in jobs for path in paths]
    found = _on_cluster(tasks, ray) if ray else _results(tasks, policies, processes)
    results = {job.policy: [next(found) for _ in paths] for job in jobs}
    orders = paired_orders(results, seen)
    rows = comparison(orders)
    write_results(out, orders, rows, report_facts(paths, jobs[0], policies, orders))
    console = Console()
    for table in policy_tables(rows):
        console.print(table)
    for line in _conclusions(results, orders, time.monotonic() - began, out):
        console.print(line)
    if not len(orders):
        console.print(_nothing(paths, policies, jobs[0]))
    if shorter := int((orders.column("max_steps") < jobs[0].setup.max_steps).sum()):
        console.print(f"{shorter:,} orders have fewer steps than max_steps: those that their session has")


def _conclusions(results: Results, orders: PairedOrders, seconds: float, out: Path) -> Iterator[str]:
    decisions = sum(result.decisions for files in results.values() for result in files)
    each = f" by each of {len(results)} policies" if len(results) > 1 else ""
    yield f"{len(orders):,} orders{each}, {decisions:,} decisions in {seconds:.1f} s, written to {out}"
    if orders.starts_left_out:
        yield f"{orders.starts_left_out:,} starts left out: a policy lacks the history before them that it needs"
    if skipped := min(sum(result.skipped for result in files) for files in results.values()):
        yield f"{skipped:,} starts left out: a bar is missing in their horizon, or the session is too short for the cap"
    for policy, files in results.items():
        if fallbacks := sum(result.fallbacks for result in files):
            whose = "the policy's" if len(results) == 1 else f"those of {policy}"
            yield f"[bold]{fallbacks:,} decisions are not {whose}: it failed or answered with NaN[/bold]"


def _nothing(paths: Sequence[Path], policies: Mapping[str, Policy], job: Job) -> str:
    history = max(policy.history_min for policy in policies.values())
    longest = max(len(read_series(path)) for path in paths)
    return (
        f"no order could start: it needs {history} bars before it and {job.setup.max_steps} from its start on, "
        f"and begins between --start and --end; the files have bars {told_span(paths)}, at most {longest:,} in one"
    )


def _results(tasks: Sequence[Task], policies: Mapping[str, Policy], processes: int) -> Iterator[FileResult]:
    """In the order of the tasks, whatever the number of processes."""
    with progress_bar(Console(stderr=True)) as shown:
        task = shown.add_task("files", total=sum(_weight(job) for _, job in tasks))
        if processes == 1 or len(tasks) == 1:
            for path, job in tasks:
                shown.update(task, description=f"{path.name} {job.policy}")
                on_progress = scaled(partial(shown.advance, task), _weight(job))
                yield run_file(path, job, policies[job.policy], on_progress=on_progress)
            return
        with worker_pool(processes) as pool:
            yield from _from_pool(pool, tasks, partial(shown.advance, task))


def _on_cluster(tasks: Sequence[Task], address: str) -> Iterator[FileResult]:
    """In the order of the tasks. Paths are made absolute: the workers have folders of their own to work in."""
    resolved = [(path.resolve(), replace(job, bundle=job.bundle.resolve())) for path, job in tasks]
    with RayPool(address) as pool, progress_bar(Console(stderr=True)) as shown:
        task = shown.add_task("files", total=sum(_weight(job) for _, job in tasks))
        yield from _from_pool(pool, resolved, partial(shown.advance, task))


def _from_pool(pool: Executor, tasks: Sequence[Task], advance: OnShare) -> Iterator[FileResult]:
    futures = {pool.submit(run_file_alone, path, job): job for path, job in tasks}
    for future in as_completed(futures):
        advance(_weight(futures[future]))
    yield from (future.result() for future in futures)


def _weight(job: Job) -> float:
    """How long the job takes, compared with others."""
    return LEM_WEIGHT if job.policy == LEM else 1.0
