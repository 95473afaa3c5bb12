"""The command line of `lem bench`."""

from __future__ import annotations

import signal
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryFile
from typing import Annotated, Any

import httpx
import typer
from redis.exceptions import RedisError
from rich.console import Console

from app.bench import process_stats
from app.bench.cases.registry import ASKED_FOR, CASES, CaseName
from app.bench.failures import BenchFailed
from app.bench.figures import Figure
from app.bench.profiles import write_folded
from app.bench.published import around, publish
from app.bench.results_file import Results
from app.bench.run import QUICK, Run, Sizes
from app.bench.tables import figures_table, profile_tables
from app.bench.wire import CallRefused
from app.demo.server import ServerFailed
from app.terminal import refuse, refusing

INTERRUPTED = 130
WIDTH_MIN = 100


def bench(
    case: Annotated[
        list[CaseName] | None, typer.Option(help="What to measure; again for more.", show_default="all but soak")
    ] = None,
    orders: Annotated[
        str | None,
        typer.Option(metavar="N[,N...]", help="Numbers of orders, for every case.", show_default="those of the case"),
    ] = None,
    instruments: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="Instruments of one request.", show_default="1000")
    ] = None,
    clients: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="Clients that poll.", show_default="100")
    ] = None,
    days: Annotated[
        float | None, typer.Option(min=0.01, metavar="N", help="Days of the soak.", show_default="30")
    ] = None,
    quick: Annotated[
        bool, typer.Option("--quick", help="Small sizes: a look at whether all works, not a measurement.")
    ] = False,
    profile: Annotated[bool, typer.Option("--profile", help="Say where the service's CPU goes, too.")] = False,
    bundle: Annotated[Path | None, typer.Option(help="Folder of the model.", show_default="shipped")] = None,
    out: Annotated[
        Path | None, typer.Option(help="Folder for the soak's table and charts, and for whole profiles.")
    ] = None,
    json: Annotated[Path | None, typer.Option(metavar="FILE", help="Write the figures to a file, too.")] = None,
    table: Annotated[
        Path | None,
        typer.Option(metavar="DOCUMENT", help="Write those with a target into a Markdown document, at its marks, too."),
    ] = None,
    read: Annotated[
        list[Path] | None,
        typer.Option(metavar="FILE", help="Measure nothing: take the figures that --json wrote; again for more."),
    ] = None,
) -> None:
    """Measure the service beside a bare handler and a bare script in the same run.

    The service is `lem serve` as a process of its own with its embedded store, every write synced, in a folder for
    temporary files (TMPDIR), which should be on a disk. CPU is that of the process and of its store. Measure on idle
    cores: on busy ones the same work costs more CPU, too, and ratios suffer least. Targets are those of two idle cores.
    Whatever the figures are, the command ends with 0.
    """
    if not process_stats.supported():
        refuse("lem bench", "it reads what Linux tells of processes in /proc, which is not there")
    with refusing("lem bench", OSError):  # now, and not after a run that took long
        for folder in (out, json and json.parent):
            _require_writable(folder)
    with refusing("lem bench", OSError, BenchFailed):
        if table is not None:
            around(table)
        if read:
            _keep(Results.read(read), json, table)
            return
    sizes = _sizes(quick, instruments=instruments, clients=clients, days=days)
    of_cases = _orders(orders)
    names = [name for name in CASES if (name in case if case else name not in ASKED_FOR)]
    console = Console(width=max(WIDTH_MIN, Console().width))
    with _ending_in_order():
        run = Run(sizes, bundle=bundle, out=out, profiling=profile, on_progress=_tell)
        figures = _measure(run, console, names, of_cases, quick=quick)
        _keep(Results.now(figures, model=run.model), json, table)


def _keep(results: Results, json: Path | None, table: Path | None) -> None:
    """Raises OSError and BenchFailed."""
    if json is not None:
        results.write(json)
    if table is not None:
        publish(results, table)


def _measure(
    run: Run, console: Console, names: Sequence[CaseName], orders: tuple[int, ...] | None, *, quick: bool
) -> list[Figure]:
    """Every case in turn. What has been measured is shown at once, whatever happens later."""
    all_figures: list[Figure] = []
    with run:
        for name in names:
            case, figures = CASES[name], list[Figure]()
            try:
                for figure in case.measure(run, orders or (case.quick_orders if quick else case.orders)):
                    figures.append(figure)
            finally:
                if figures:
                    console.print(figures_table(f"{name}: {case.about}", figures))
            all_figures += figures
            if run.stacks:
                _show_profile(run, console, name)
    return all_figures


def _show_profile(run: Run, console: Console, name: CaseName) -> None:
    """What the case has sampled. Raises OSError."""
    for table in profile_tables(run.stacks):
        console.print(table)
    if run.out is not None:
        write_folded(run.out / f"{name}.folded", run.stacks)
    run.stacks.clear()


def _require_writable(folder: Path | None) -> None:
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
        with TemporaryFile(dir=folder):
            pass


def _tell(progress: str) -> None:
    typer.echo(f"... {progress}", err=True)


def _sizes(quick: bool, **given: Any) -> Sizes:
    """The sizes of the run; what is given wins."""
    return replace(QUICK if quick else Sizes(), **{name: value for name, value in given.items() if value is not None})


def _orders(text: str | None) -> tuple[int, ...] | None:
    try:
        orders = tuple(int(word) for word in text.split(",")) if text else None
    except ValueError:
        orders = ()
    if orders is not None and (not orders or min(orders) < 1):
        raise typer.BadParameter(f"--orders {text}: must be a list of whole numbers from 1, such as 100,1000")
    return orders


@contextmanager
def _ending_in_order() -> Iterator[None]:
    """Signals end the run in order, so that no process is left; a failure is one line."""
    for kind in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(kind, signal.default_int_handler)
    try:
        yield
    except KeyboardInterrupt:
        typer.echo("stopped", err=True)
        raise typer.Exit(INTERRUPTED) from None
    except (BenchFailed, CallRefused, ServerFailed, httpx.HTTPError, RedisError, OSError) as error:
        typer.echo(f"lem bench: {error}", err=True)
        raise typer.Exit(1) from error
