"""`lem train`, `lem ablate` and `lem export`."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryFile
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from app.bars.bar_files import bar_files, span_of
from app.bundles.bundle import load_bundle
from app.bundles.errors import BundleError
from app.domain.errors import InvalidInput, LemError
from app.terminal import refusing
from models.evaluation.ablation import TABLE, VARIANTS, WHOLE
from models.evaluation.ablation import ablate as ablate_plan
from models.release.release import release
from models.settings.quick import QUICK_BUNDLE, quick_plan
from models.settings.train_plan import TrainPlan, make_plan, read_plan
from models.training.launch import launch
from models.training.sweep import sweep
from models.training.validation import Row

DATE_FORMATS = ["%Y-%m-%d"]
REFUSED = (LemError, BundleError, OSError)
"""What the user can mend."""
TRAIN_SHARE, CHOOSE_SHARE = 0.65, 0.8
"""Of the span of the bars: until when they train and choose, where somebody asks."""
SEED_DIGITS_MAX = 9
RAY_HELP = "Train on a Ray cluster, HOST:PORT or auto; --jobs is not asked then."
WIDTH_MIN = 150
"""Columns of the printed table, even on a narrower terminal or none: a name that is cut says nothing."""

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command()
def train(
    out: Annotated[Path, typer.Option(help="Folder of the run. A training that was stopped goes on from there.")],
    plan: Annotated[
        Path | None, typer.Option("--config", help="Plan: a TOML file that says what to train on and how.")
    ] = None,
    data: Annotated[
        Path | None,
        typer.Option(help="Instead of a plan: a bar file or a folder of them; other settings at their defaults."),
    ] = None,
    train_end: Annotated[
        datetime | None, typer.Option(formats=DATE_FORMATS, help="With --data: bars before it train, UTC.")
    ] = None,
    validation_end: Annotated[
        datetime | None, typer.Option(formats=DATE_FORMATS, help="With --data: bars before it choose, UTC.")
    ] = None,
    quick: Annotated[
        bool,
        typer.Option("--quick", help="Take a minute or two, with small sizes and few steps, and write a bundle too."),
    ] = False,
    steps: Annotated[int | None, typer.Option(min=1, help="How many steps the optimiser takes.")] = None,
    seed: Annotated[int | None, typer.Option(min=0, help="Seed of all that is drawn at random.")] = None,
    processes: Annotated[int, typer.Option(min=1, help="How many processes share the work.")] = 1,
    threads: Annotated[int, typer.Option(min=0, help="CPU threads of each process; 0 shares out all cores.")] = 0,
    seeds: Annotated[
        str | None,
        typer.Option(metavar="N,N", help="Train once with each of these seeds, in folders seed-N, and compare them."),
    ] = None,
    jobs: Annotated[int, typer.Option(min=1, help="With --seeds: how many train at a time, on one core each.")] = 1,
    ray: Annotated[str | None, typer.Option(metavar="ADDRESS", help=f"With --seeds: {RAY_HELP}")] = None,
) -> None:
    """Train one model for all 8 scenarios and every horizon at once, on the plan's markets and on random walks (on
    those alone without --config or --data). Stop it at any time; the same command goes on."""
    with refusing("lem train", *REFUSED):
        asked = _plan(plan, data, train_end, validation_end)
        made = _changed(quick_plan(asked) if quick else asked, steps=steps, seed=seed)
        if seeds is None and (ray or jobs > 1):
            raise InvalidInput("needs_seeds", "--ray and --jobs go with --seeds: they train several models at a time")
        if seeds is not None and (seed is not None or processes > 1 or threads > 1):
            raise InvalidInput("not_with_seeds", "--seed, --processes and --threads do not go with --seeds")
        _require_writable(out)
        if seeds is not None:
            _sweep(made, out, _seeds(seeds), jobs, ray)
            return
        # Threads cost more than they bring on networks this small.
        table = launch(made, out, processes, threads or int(quick))
        _show(table, "validation: gain against the benchmark (positive is good), default risk aversion")
        if quick:
            _release_quick(out)


def _sweep(plan: TrainPlan, out: Path, seeds: Sequence[int], jobs: int, ray: str | None) -> None:
    rows = sweep(plan, out, seeds, jobs, ray)
    _show(rows, "validation: utility of each seed's best state, the best seed first", digits=6)
    spread = float(rows[0]["utility"]) - float(rows[-1]["utility"])
    typer.echo(f"{spread:.6f} of utility lie between the seeds: less than that between two plans is chance")
    typer.echo(f"the best one: lem export --run {rows[0]['run']} --out BUNDLE")


def _seeds(text: str) -> list[int]:
    """Raises InvalidInput for what is no list of different whole numbers."""
    words = [word.strip() for word in text.split(",")]
    if not all(word.isascii() and word.isdigit() and len(word) <= SEED_DIGITS_MAX for word in words):
        raise InvalidInput("bad_seeds", f"--seeds {text!r}: must be whole numbers with commas between, such as 0,1,2")
    return list(dict.fromkeys(map(int, words)))


def _release_quick(run: Path) -> None:
    """Write the bundle of a quick training into its folder, unless it is there: the folder has but one training."""
    bundle = (run / QUICK_BUNDLE).resolve()
    if not bundle.exists():
        typer.echo("writing the bundle, in about half a minute", err=True)
        release(run, bundle)
    typer.echo(f"{load_bundle(bundle).name}: try it with lem serve --bundle {run / QUICK_BUNDLE}")


def _plan(
    file: Path | None, data: Path | None, train_end: datetime | None, validation_end: datetime | None
) -> TrainPlan:
    if file and data:
        raise InvalidInput("two_plans", "give --config or --data, not both")
    if not data:
        if train_end or validation_end:
            raise InvalidInput(
                "needs_data", "--train-end and --validation-end go with --data; a plan has them by market"
            )
        return read_plan(file) if file else make_plan({}, "no markets")
    if not train_end or not validation_end:
        raise InvalidInput(
            "no_split", f"--data needs --train-end and --validation-end: what trains must not choose{_split_of(data)}"
        )
    market = {"path": data, "train_end": train_end.date(), "validation_end": validation_end.date()}
    return make_plan({"markets": {data.resolve().name: market}}, "--data")


def _split_of(data: Path) -> str:
    """Days to begin with, that leave bars to train on, to choose on and to measure on; nothing where no bars are."""
    try:
        first, last = span_of(bar_files([data]))
    except InvalidInput:
        return ""
    train_end, validation_end = (first + share * (last - first) for share in (TRAIN_SHARE, CHOOSE_SHARE))
    return (
        f"; it has bars from {first:%Y-%m-%d} to {last:%Y-%m-%d}: --train-end {train_end:%Y-%m-%d} --validation-end "
        f"{validation_end:%Y-%m-%d}, say, leaves the bars after that to measure on"
    )


def _changed(plan: TrainPlan, **settings: int | None) -> TrainPlan:
    """The plan with what the flags say on top."""
    given = {name: value for name, value in settings.items() if value is not None}
    return make_plan(plan.model_dump(by_alias=True) | {"training": asdict(plan.settings) | given}, "options")


@app.command()
def ablate(
    plan: Annotated[Path, typer.Option("--config", help="Plan: a TOML file that says what to train on and how.")],
    out: Annotated[
        Path, typer.Option(help="Folder of the runs and of the table. Trainings that were stopped go on from there.")
    ],
    steps: Annotated[
        int | None, typer.Option(min=1, help="How many steps the optimiser takes for each variant.")
    ] = None,
    jobs: Annotated[int, typer.Option(min=1, help="How many variants train at a time, on one core each.")] = 1,
    ray: Annotated[str | None, typer.Option(metavar="ADDRESS", help=RAY_HELP)] = None,
    variant: Annotated[
        list[str] | None, typer.Option(help=f"One of {', '.join(VARIANTS)}; may be repeated. Default: all.")
    ] = None,
) -> None:
    """Train the plan's network whole and without each of its parts in turn, and compare them on the validation bars,
    order by order. Positive differences: more utility than the whole, or a larger tracking error."""
    with refusing("lem ablate", *REFUSED):
        made = _changed(read_plan(plan), steps=steps)
        chosen = [name for name in VARIANTS if name == WHOLE or not variant or name in variant]
        unknown = sorted(set(variant or ()) - set(VARIANTS))
        if unknown:
            raise InvalidInput("unknown_variant", f"unknown variant: {', '.join(unknown)}")
        _require_writable(out)
        table = ablate_plan(made, out, jobs, chosen, ray)
    _show(table, f"without each part, on the validation bars (also in {out / TABLE})")


@app.command()
def export(
    run_folder: Annotated[Path, typer.Option("--run", help="Folder of a finished training.")],
    out: Annotated[Path, typer.Option(help="Folder of the bundle; its name becomes the model's.")],
) -> None:
    """Write a bundle and load it as the service does. Where anything is wrong, the bundle that is there stays."""
    with refusing("lem export", *REFUSED):
        bundle = out.resolve()  # `.` has no name to call the model by
        _require_writable(bundle.parent)  # it is made beside the one that it replaces
        release(run_folder, bundle)
        policy = load_bundle(bundle)
        size = sum(file.stat().st_size for file in bundle.iterdir())
    typer.echo(f"{policy.name}: {len(policy.card.golden)} golden cases agree, {size / 1e6:.1f} MB in {out}")


def _show(table: list[Row], title: str, digits: int = 3) -> None:
    shown = Table(title=title)
    for name in table[0]:
        shown.add_column(name, justify="left" if isinstance(table[0][name], str) else "right")
    for row in table:
        shown.add_row(*(f"{value:.{digits}f}" if isinstance(value, float) else str(value) for value in row.values()))
    Console(width=max(WIDTH_MIN, Console().width)).print(shown)


def _require_writable(folder: Path) -> None:
    """Find out whether `folder` can be written to before there is something to lose. Leaves nothing behind: a training
    that may yet be refused makes its folder when it needs it. Raises InvalidInput where it cannot be written to."""
    try:
        folder = folder.resolve()
        missing = [each for each in (folder, *folder.parents) if not each.exists()]
        if missing:
            folder.mkdir(parents=True, exist_ok=True)
        with TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise InvalidInput("not_writable", f"--out: nothing can be written to {folder}: {error.strerror}") from error
    with suppress(OSError):  # another process has begun to use one of them
        for each in missing:
            each.rmdir()
