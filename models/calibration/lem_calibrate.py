"""The command line of `lem calibrate`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from app.bundles.bundle import load_bundle
from app.bundles.errors import BundleError
from app.domain.errors import LemError
from app.terminal import refusing
from models.calibration.calibrate import calibrate as calibrate_bundle
from models.calibration.check import CoverageRow, coverage
from models.settings.train_plan import TrainPlan, read_plan

REFUSED = (LemError, BundleError, OSError)
"""What the user can mend."""
WIDTH_MIN = 110
COLUMNS = ("benchmark", "max", "min", "orders", "within", "below P5", "above P95", "quoted", "came")


def calibrate(
    plan: Annotated[
        Path, typer.Option("--config", help="Plan of the bundle's training: its bars that chose the bundle are used.")
    ],
    bundle: Annotated[Path, typer.Option(help="Folder of the bundle, whose card gets the calibration.")],
    jobs: Annotated[int, typer.Option(min=1, help="Number of processes; each takes a file at a time.")] = 1,
    anew: Annotated[
        bool, typer.Option("--anew", help="Measure markets again that the card has from the same span.")
    ] = False,
    check: Annotated[
        bool, typer.Option("--check", help="Measure nothing; show how quotes hold on the bars after validation_end.")
    ] = False,
) -> None:
    """Measure what a bundle's orders earn, for quotes to rest on. The card keeps the results, in units of the
    volatility; what the bundle decides stays the same, and so does its digest.

    You can stop the command at any time; the same command goes on with the next market.
    """
    with refusing("lem calibrate", *REFUSED):
        asked = read_plan(plan)
        if check:
            _check(asked, bundle)
            return
        short = _calibrate(asked, bundle, jobs, anew=anew)
        tables = load_bundle(bundle).calibration.tables
    rows = sum(len(table.rows) for table in tables)
    typer.echo(f"{len({table.market for table in tables})} markets, {rows} rows in the card of {bundle}")
    for name in short:
        typer.echo(f"{name}: too few orders; nothing is calibrated on it", err=True)


def _calibrate(plan: TrainPlan, bundle: Path, jobs: int, *, anew: bool) -> list[str]:
    """With a bar for each market on a terminal, a line for each file elsewhere."""
    console = Console(stderr=True)
    with Progress(console=console, transient=True) as shown:
        bars = {name: shown.add_task(name, total=None) for name in plan.markets}

        def on_file(name: str, done: int, files: int) -> None:
            shown.update(bars[name], completed=done, total=files)
            if not console.is_terminal:
                typer.echo(f"{name}: {done} of {files} files", err=True)

        return calibrate_bundle(plan, bundle, jobs, on_file, anew=anew)


def _check(plan: TrainPlan, bundle: Path) -> None:
    """A table for each market, as soon as it is there."""
    policy, console = load_bundle(bundle), Console(width=max(WIDTH_MIN, Console().width))
    console.print("orders within P5 to P95 of their quotes; means in sigma * sqrt(max_steps)")
    for name, market in plan.markets.items():
        rows = coverage(policy, name, market)
        console.print(_table(name, rows) if rows else f"{name}: no order could start after {market.validation_end}")


def _table(name: str, rows: Sequence[CoverageRow]) -> Table:
    table = Table(title=name, title_justify="left")
    for column in COLUMNS:
        table.add_column(column, justify="left" if column == "benchmark" else "right", no_wrap=True)
    for row in rows:
        kind = row.kind
        words = ("all", "", "") if kind is None else (kind.benchmark.value, str(kind.max_steps), str(kind.min_steps))
        shares = (f"{100 * share:.1f} %" for share in (row.within, row.below, row.above))
        means = (f"{mean:.3f}" for mean in (row.mean_quoted, row.mean_came))
        table.add_row(*words, f"{row.orders:,}", *shares, *means)
    return table
