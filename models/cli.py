"""`lem train`, `lem ablate` and `lem export`."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from rich.console import Console
from rich.table import Table

from app.domain.errors import InvalidInput, LemError
from app.inference.bundle import BundleError, load_bundle
from models.ablation import TABLE, VARIANTS, WHOLE
from models.ablation import ablate as ablate_plan
from models.launch import launch
from models.plan import Plan, make_plan, read_plan
from models.run import release
from models.validation import Row

DATE_FORMATS = ["%Y-%m-%d"]
CANNOT_START = 2
WIDTH_MIN = 150
"""Columns of the printed table, also where the terminal is narrower or there is none: a cut name says nothing."""

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command()
def train(
    out: Annotated[Path, typer.Option(help="Folder of the run; a training that was stopped goes on from there.")],
    plan: Annotated[Path | None, typer.Option("--config", help="TOML file that says what to train on and how.")] = None,
    data: Annotated[
        Path | None, typer.Option(help="Instead of a file: one folder of bars (Parquet), other settings as they are.")
    ] = None,
    train_end: Annotated[
        datetime | None, typer.Option(formats=DATE_FORMATS, help="With --data: bars before it train, UTC.")
    ] = None,
    validation_end: Annotated[
        datetime | None, typer.Option(formats=DATE_FORMATS, help="With --data: bars before it choose, UTC.")
    ] = None,
    steps: Annotated[int | None, typer.Option(min=1, help="Steps of the optimiser.")] = None,
    seed: Annotated[int | None, typer.Option(min=0, help="Of everything that is drawn.")] = None,
    processes: Annotated[int, typer.Option(min=1, help="Processes that share the work.")] = 1,
    threads: Annotated[int, typer.Option(min=0, help="CPU threads of each; 0 shares out all.")] = 0,
) -> None:
    """Train one model for all 8 scenarios and every horizon at once, on the plan's markets and on random walks (on
    those alone without --config or --data). Stop it at any time; the same command goes on."""
    try:
        made = _plan(plan, data, train_end, validation_end)
        changes = {name: value for name, value in (("steps", steps), ("seed", seed)) if value is not None}
        made = made.model_copy(update={"training": made.training | changes})
        table = launch(made, out, processes, threads)
    except LemError as error:
        _refuse("train", error)
    _show(table, "validation: gain against the benchmark (positive is good), default risk aversion")


def _plan(file: Path | None, data: Path | None, train_end: datetime | None, validation_end: datetime | None) -> Plan:
    if file and data:
        raise InvalidInput("two_plans", "give --config or --data, not both")
    if file:
        return read_plan(file)
    if not data:
        return make_plan({}, "no markets")
    if not train_end or not validation_end:
        raise InvalidInput("no_split", "--data needs --train-end and --validation-end: what trains must not choose")
    market = {"path": data, "train_end": train_end.date(), "validation_end": validation_end.date()}
    return make_plan({"markets": {data.resolve().name: market}}, "--data")


@app.command()
def ablate(
    plan: Annotated[Path, typer.Option("--config", help="TOML file that says what to train on and how.")],
    out: Annotated[Path, typer.Option(help="Folder of the runs and the table; what was stopped goes on from there.")],
    steps: Annotated[int | None, typer.Option(min=1, help="Steps of the optimiser, for each variant.")] = None,
    jobs: Annotated[int, typer.Option(min=1, help="Variants at a time, one core each.")] = 1,
    variant: Annotated[
        list[str] | None, typer.Option(help=f"One of {', '.join(VARIANTS)}; may be repeated. Default: all.")
    ] = None,
) -> None:
    """Train the plan's network whole and without each of its parts in turn, and compare them on the validation bars,
    order by order. Positive differences: more utility than the whole, or a larger tracking error."""
    try:
        made = read_plan(plan)
        if steps is not None:
            made = made.model_copy(update={"training": made.training | {"steps": steps}})
        chosen = [name for name in VARIANTS if name == WHOLE or not variant or name in variant]
        unknown = sorted(set(variant or ()) - set(VARIANTS))
        if unknown:
            raise InvalidInput("unknown_variant", f"unknown variant: {', '.join(unknown)}")
        table = ablate_plan(made, out, jobs, chosen)
    except LemError as error:
        _refuse("ablate", error)
    _show(table, f"without each part, on the validation bars (also in {out / TABLE})")


@app.command()
def export(
    run_folder: Annotated[Path, typer.Option("--run", help="Folder of a finished training.")],
    out: Annotated[Path, typer.Option(help="Folder of the bundle; its name becomes the model's.")],
) -> None:
    """Write a bundle and load it as the service does; where anything is wrong, nothing is replaced."""
    try:
        release(run_folder, out)
        policy = load_bundle(out)
    except (LemError, BundleError) as error:
        _refuse("export", error)
    size = sum(file.stat().st_size for file in out.iterdir())
    typer.echo(f"{policy.name}: {len(policy.card.golden)} golden cases agree, {size / 1e6:.1f} MB in {out}")


def _show(table: list[Row], title: str) -> None:
    shown = Table(title=title)
    for name in table[0]:
        shown.add_column(name, justify="left" if isinstance(table[0][name], str) else "right")
    for row in table:
        shown.add_row(*(f"{value:.3f}" if isinstance(value, float) else str(value) for value in row.values()))
    Console(width=max(WIDTH_MIN, Console().width)).print(shown)


def _refuse(command: str, error: Exception) -> NoReturn:
    typer.echo(f"lem {command}: {error}", err=True)
    raise typer.Exit(CANNOT_START)
