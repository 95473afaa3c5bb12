"""`lem data`: check, convert, binance.

Exit codes: 0 done, 1 a file must be mended or could not be downloaded, 2 cannot start as asked.
"""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import Progress

from app.domain.errors import InvalidInput, LemError
from app.terminal import refusing
from models.data.archives import archives_of
from models.data.binance import Request, SymbolResult, download
from models.data.check_report import as_text, as_values
from models.data.column_names import parse_mapping
from models.data.convert import Prepared, prepare_files
from models.data.examine import examine_file
from models.data.reading import files_of
from models.data.told import DateOrder, DecimalMark, Told
from models.data.writing import write_all
from models.data.zones import known_zone

PUBLIC_DATA = "https://data.binance.vision"
NOT_GOOD = 1

data = typer.Typer(
    name="data", help="Make bar files, check them, report gaps.", rich_markup_mode=None,
    no_args_is_help=True, add_completion=False,
)  # fmt: skip
app = typer.Typer(rich_markup_mode=None, add_completion=False)

Columns = Annotated[
    str,
    typer.Option(
        metavar="NAME=COLUMN,...",
        help="Columns with unusual names; NAME is timestamp, open, high, low, close, volume, notional, vwap, trades or "
        "symbol. "
        "timestamp is the bar's open.",
    ),
]
Dates = Annotated[
    DateOrder | None,
    typer.Option(help="Order of dates such as 03/04/2024.", show_default="what the file's dates show"),
]
Decimal = Annotated[
    DecimalMark | None, typer.Option(help="Decimal mark of numbers.", show_default="what the file's numbers show")
]
Zone = Annotated[
    str | None,
    typer.Option(metavar="NAME", help="Zone of times that name none, such as America/New_York."),
]
Gaps = Annotated[int, typer.Option("--gaps", min=0, help="Number of gaps to list, the longest ones.")]


def _told(columns: str, dates: DateOrder | None, decimal: DecimalMark | None, zone: str | None) -> Told:
    """What the options tell. Raises InvalidInput."""
    known = None if zone is None else known_zone(zone)
    return Told(columns=parse_mapping(columns), dates=dates, decimal=decimal, zone=known)


@data.command()
def check(
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="Parquet or CSV files, or folders.")],
    columns: Columns = "",
    dates: Dates = None,
    decimal: Decimal = None,
    zone: Zone = None,
    gaps: Gaps = 10,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document with every gap.")] = False,
) -> None:
    """Report the bars, span, gaps and faults of each file; rows count from 0, lines of a text file from 1.

    Exit code 1 if a fault must be mended before the backtest or the training accepts a file, 0 if there are only
    warnings.
    """
    with refusing("lem data check", InvalidInput):
        told = _told(columns, dates, decimal, zone)
        reports = [report for file in files_of(files) for report in examine_file(file, told)]
    if as_json:
        typer.echo(json.dumps({"files": [as_values(report) for report in reports]}, indent=2, allow_nan=False))
    else:
        typer.echo("\n".join(as_text(report, gaps) for report in reports))
    if any(report.faults for report in reports):
        raise typer.Exit(NOT_GOOD)


@data.command()
def convert(
    files: Annotated[
        list[Path], typer.Argument(metavar="FILE...", help="Parquet or CSV files (.csv.gz too), or folders.")
    ],
    out: Annotated[Path, typer.Option(help="Folder of the bar files, INSTRUMENT-LENGTH.parquet.")],
    instrument: Annotated[
        str | None,
        typer.Option(help="Instrument of all the files.", show_default="the symbol in each file, or in its name"),
    ] = None,
    columns: Columns = "",
    dates: Dates = None,
    decimal: Decimal = None,
    zone: Zone = None,
    utc: Annotated[bool, typer.Option("--utc", help="Read times that name no zone as UTC.")] = False,
    step_seconds: Annotated[
        int | None, typer.Option(min=1, max=86_400, help="Aggregate to bars of so many seconds, whole ones only.")
    ] = None,
    gaps: Gaps = 10,
) -> None:
    """Write bar files. Files of one instrument and bar length become one. Rows are sorted, repeated rows dropped, a
    missing notional is computed, and each change is reported. No bar is filled in. If any file is bad, none is written.

    Without --instrument it is the symbol that a file's columns name, else the one in the file's name, dates and lengths
    left out. Dots stand for dashes: BRK.A for BRK-A.csv. A file of several instruments becomes a bar file of each.

    Times are ISO 8601, or seconds, milliseconds, microseconds or nanoseconds since the epoch, or dates of another
    order, which one day above 12 must tell. Times of day need a zone: in the file, by --zone or by --utc.
    """
    with refusing("lem data convert", OSError):
        try:
            told = _told(columns, dates, decimal, "UTC" if utc else zone)
            prepared = prepare_files(files, told, instrument=instrument, step_seconds=step_seconds)
            paths = write_all(out, [one.series for one in prepared])
        except LemError as error:
            typer.echo(f"lem data convert: {error}; nothing is written", err=True)
            raise typer.Exit(NOT_GOOD) from error
    for path, one in zip(paths, prepared, strict=True):
        _print_prepared(path, one, gaps)


@data.command()
def binance(
    symbols: Annotated[list[str], typer.Argument(metavar="SYMBOL...", help="Spot symbols such as BTCUSDT.")],
    interval: Annotated[str, typer.Option(help="Length of the bars, 1s to 1d.")],
    first: Annotated[str, typer.Option("--from", metavar="YYYY-MM", help="First month.")],
    last: Annotated[str, typer.Option("--to", metavar="YYYY-MM", help="Last month.")],
    out: Annotated[Path, typer.Option(help="Folder of the bar files, SYMBOL-INTERVAL.parquet.")],
    cache: Annotated[
        Path | None, typer.Option(help="Folder that keeps the archives.", show_default="OUT/archives")
    ] = None,
    base_url: Annotated[str, typer.Option(help="Server with the public layout.")] = PUBLIC_DATA,
    jobs: Annotated[int, typer.Option(min=1, max=16, help="Number of archives to download at a time.")] = 4,
    gaps: Gaps = 10,
) -> None:
    """Download the monthly kline archives that Binance publishes, verify them, and write one bar file per symbol.

    You can stop the command at any time and give it again to go on. Months that are not published are reported and
    skipped. A symbol with a broken month is not written (exit code 1).
    """
    request = Request(
        symbols=tuple(symbols), interval=interval, first=first, last=last, base_url=base_url,
        cache=cache or out / "archives", out=out, jobs=jobs,
    )  # fmt: skip
    try:
        with refusing("lem data binance", InvalidInput, OSError):
            results = asyncio.run(_with_progress(request))
    except KeyboardInterrupt:
        typer.echo("stopped; the same command goes on", err=True)
        raise typer.Exit(130) from None
    for result in results:
        _print_result(result, gaps)
    if any(result.problems for result in results):
        raise typer.Exit(NOT_GOOD)


async def _with_progress(request: Request) -> list[SymbolResult]:
    months = len(archives_of(request.symbols[0], request.interval, request.first, request.last))
    console = Console(stderr=True)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as shown:
        task = shown.add_task("archives", total=months * len(set(request.symbols)))
        return await download(request, lambda: shown.advance(task))


def _print_result(result: SymbolResult, gaps: int) -> None:
    if result.absent:
        typer.echo(f"{result.symbol}: not published, skipped: {', '.join(result.absent)}")
    for problem in result.problems:
        typer.echo(f"lem data binance: {result.symbol}: {problem}", err=True)
    if result.prepared and result.path:
        typer.echo(f"{result.symbol}: {result.fetched} archives fetched, {result.kept} were here")
        _print_prepared(result.path, result.prepared, gaps)
    else:
        typer.echo(f"lem data binance: {result.symbol} is not written", err=True)


def _print_prepared(path: Path, prepared: Prepared, gaps: int) -> None:
    typer.echo(f"wrote {path}" + "".join(f"\n  {change}" for change in prepared.changes))
    typer.echo(as_text(prepared.report, gaps))


app.add_typer(data)
