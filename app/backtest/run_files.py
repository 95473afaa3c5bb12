"""Many bar files: one after another, or each in a process of its own."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from concurrent.futures import as_completed
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from rich.console import Console

from app.backtest.job import FileResult, Job, run_file, run_file_alone
from app.backtest.order_tables import screen_table, summarise, write_summary
from app.backtest.progress import progress_bar
from app.backtest.workers import worker_pool
from app.bars.file_names import require_one_symbol_each
from app.decision.policy import Policy


def run_files(paths: list[Path], job: Job, policy: Policy, out: Path, jobs: int) -> None:
    """Write `out`/orders.parquet and `out`/summary.csv, and print what they show. Raises as `run_file` does, and
    where files of two symbols would be one instrument."""
    began = time.monotonic()
    require_one_symbol_each(paths)
    out.mkdir(parents=True, exist_ok=True)
    results = list(_results(paths, job, policy, jobs, Console(stderr=True)))
    orders = pa.concat_tables([result.orders for result in results])
    pq.write_table(orders, out / "orders.parquet")
    write_summary(out / "summary.csv", summarise(orders))
    console = Console()
    if orders.num_rows:
        console.print(screen_table(orders, job.policy))
    for line in _conclusions(results, time.monotonic() - began, out):
        console.print(line)
    if shorter := int((orders.column("max_steps").to_numpy() < job.setup.max_steps).sum()):
        console.print(f"{shorter:,} orders have fewer steps than max_steps: those that their session has")


def _conclusions(results: Sequence[FileResult], seconds: float, out: Path) -> Iterator[str]:
    orders, decisions = sum(result.orders.num_rows for result in results), sum(result.decisions for result in results)
    yield f"{orders:,} orders, {decisions:,} decisions in {seconds:.1f} s, written to {out}"
    if not orders:
        yield "no order could start: the policy's history before it and max_steps bars after it must be there"
    if skipped := sum(result.skipped for result in results):
        yield f"{skipped:,} starts left out: a bar is missing in their horizon, or the session is too short for the cap"
    if fallbacks := sum(result.fallbacks for result in results):
        yield f"[bold]{fallbacks:,} decisions are not the policy's: it failed or answered with NaN[/bold]"


def _results(paths: list[Path], job: Job, policy: Policy, jobs: int, console: Console) -> Iterator[FileResult]:
    """In the order of `paths`, whatever the number of processes."""
    with progress_bar(console) as shown:
        task = shown.add_task("files", total=len(paths))
        if jobs == 1 or len(paths) == 1:
            for path in paths:
                shown.update(task, description=path.name)
                yield run_file(path, job, policy, on_progress=lambda share: shown.advance(task, share))
            return
        with worker_pool(jobs) as pool:
            futures = [pool.submit(run_file_alone, path, job) for path in paths]
            for _ in as_completed(futures):
                shown.advance(task)
            yield from (future.result() for future in futures)
