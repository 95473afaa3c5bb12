"""`lem train` and `lem export`."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, NoReturn

import torch
import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table

from app.domain.errors import LemError
from app.inference.bundle import BundleError, load_bundle
from models import run
from models.config import LemConfig
from models.objective import Loss
from models.trainer import TrainSettings
from models.validation import Row

DATE_FORMATS = ["%Y-%m-%d"]
CANNOT_START = 2
SMOOTHING = 0.98

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command()
def train(
    out: Annotated[Path, typer.Option(help="Folder of the run; a training that was stopped goes on from there.")],
    data: Annotated[
        list[Path] | None,
        typer.Option(help="A bar file, or a folder of them (Parquet); may be repeated.  [default: random walks only]"),
    ] = None,
    train_end: Annotated[datetime, typer.Option(formats=DATE_FORMATS, help="Bars before it train, UTC.")] = datetime(
        2024, 7, 1, tzinfo=UTC
    ),
    validation_end: Annotated[
        datetime, typer.Option(formats=DATE_FORMATS, help="Bars from it on are not looked at, UTC.")
    ] = datetime(2025, 1, 1, tzinfo=UTC),
    steps: Annotated[int, typer.Option(min=1, help="Steps of the optimiser.")] = TrainSettings().steps,
    seed: Annotated[int, typer.Option(min=0, help="Of everything that is drawn.")] = 0,
    threads: Annotated[int, typer.Option(min=0, help="CPU threads; 0 takes all.")] = 0,
) -> None:
    """Train one model for all 8 scenarios and every horizon at once. Stop it at any time; the same command goes on."""
    if threads:
        torch.set_num_threads(threads)
    try:
        plan = run.Plan(
            data=tuple(data or ()),
            train_end=train_end.replace(tzinfo=UTC),
            validation_end=validation_end.replace(tzinfo=UTC),
            config=LemConfig(),
            settings=TrainSettings(steps=steps, seed=seed),
        )
        with _progress() as progress:
            table = run.train(plan, out, _Teller(progress, steps))
    except LemError as error:
        _refuse("train", error)
    _show(table)


@app.command()
def export(
    run_folder: Annotated[Path, typer.Option("--run", help="Folder of a finished training.")],
    out: Annotated[Path, typer.Option(help="Folder of the bundle; its name becomes the model's.")],
) -> None:
    """Write a bundle and load it as the service does; where anything is wrong, nothing is replaced."""
    try:
        run.release(run_folder, out)
        policy = load_bundle(out)
    except (LemError, BundleError) as error:
        _refuse("export", error)
    size = sum(file.stat().st_size for file in out.iterdir())
    typer.echo(f"{policy.name}: {len(policy.card.golden)} golden cases agree, {size / 1e6:.1f} MB in {out}")


class _Teller:
    """Moves the progress bar, with running means of what the loss is made of."""

    def __init__(self, progress: Progress, steps: int) -> None:
        self.progress, self.task = progress, progress.add_task("training", total=steps, figures="")
        self.means: tuple[float, ...] | None = None

    def __call__(self, step: int, loss: Loss) -> None:
        new = (loss.utility, loss.volume, loss.volatility)
        old = self.means or new
        self.means = tuple(SMOOTHING * before + (1.0 - SMOOTHING) * now for before, now in zip(old, new, strict=True))
        utility, volume, volatility = self.means
        figures = f"utility {utility:.4f}  volume {volume:.3f}  volatility {volatility:.3f}"
        self.progress.update(self.task, completed=step, figures=figures)


def _progress() -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[figures]}"),
        console=Console(stderr=True),
    )


def _show(table: list[Row]) -> None:
    """Gains are positive where they are good."""
    shown = Table(title="validation: gain against the benchmark (positive is good), default risk aversion")
    for name in table[0]:
        shown.add_column(name, justify="left" if isinstance(table[0][name], str) else "right")
    for row in table:
        shown.add_row(*(f"{value:.3f}" if isinstance(value, float) else str(value) for value in row.values()))
    Console(width=max(120, Console().width)).print(shown)


def _refuse(command: str, error: Exception) -> NoReturn:
    typer.echo(f"lem {command}: {error}", err=True)
    raise typer.Exit(CANNOT_START)
