"""Many bar files: one after another, or each in a process of its own."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import as_completed
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from app.backtest.job import Done, Job, run_file, run_file_alone
from app.backtest.order_tables import screen_table, summarise, write_summary
from app.backtest.workers import worker_pool
from app.decision.policy import Policy


def run_files(paths: list[Path], job: Job, policy: Policy, out: Path, jobs: int) -> None:
    """Write `out`/orders.parquet and `out`/summary.csv, and print what they show. Raises as `run_file` does."""
    began = time.monotonic()
    out.mkdir(parents=True, exist_ok=True)
    console = Console()
    done = list(_finished(paths, job, policy, jobs, Console(stderr=True)))
    orders = pa.concat_tables([each.orders for each in done])
    pq.write_table(orders, out / "orders.parquet")
    write_summary(out / "summary.csv", summarise(orders))
    if orders.num_rows:
        console.print(screen_table(orders, job.policy))
    decisions, skipped = sum(each.decisions for each in done), sum(each.skipped for each in done)
    fallbacks = sum(each.fallbacks for each in done)
    seconds = time.monotonic() - began
    console.print(f"{orders.num_rows:,} orders, {decisions:,} decisions in {seconds:.1f} s, written to {out}")
    if not orders.num_rows:
        console.print("no order could start: the policy's history before it and max_steps bars after it must be there")
    if skipped:
        console.print(f"{skipped:,} starts left out: a bar is missing in their horizon")
    if fallbacks:
        console.print(f"[bold]{fallbacks:,} decisions are not the policy's: it failed or answered with NaN[/bold]")


def _finished(paths: list[Path], job: Job, policy: Policy, jobs: int, console: Console) -> Iterator[Done]:
    """In the order of `paths`, whatever the number of processes."""
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as shown:
        task = shown.add_task("files", total=len(paths))
        if jobs == 1 or len(paths) == 1:
            for path in paths:
                shown.update(task, description=path.name)
                yield run_file(path, job, policy, lambda part: shown.advance(task, part))
            return
        with worker_pool(jobs) as pool:
            futures = [pool.submit(run_file_alone, path, job) for path in paths]
            for _ in as_completed(futures):
                shown.advance(task)
            yield from (future.result() for future in futures)
