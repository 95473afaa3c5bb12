"""The command line of `lem evaluate`."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from app.backtest.job import LEM
from app.backtest.setup import Starts
from app.bundles.errors import BundleError
from app.bundles.seen_days import seen_days
from app.bundles.shipped import SHIPPED_BUNDLE
from app.domain.errors import InvalidInput, LemError
from app.terminal import refusing
from models.evaluation.evaluate import Evaluation, check, load_policies, write_text
from models.evaluation.in_sample import in_sample
from models.evaluation.plan_options import BarOptions, changed_plan, chosen_plan
from models.evaluation.provenance import provenance
from models.evaluation.repurchase.repurchase_page import repurchase_page as contracts_page
from models.evaluation.results_page import results_page
from models.evaluation.terminal_tables import show

DATE_FORMATS = ["%Y-%m-%d"]


def evaluate(
    out: Annotated[
        Path, typer.Option(help="Folder for the tables and the report. Work that it holds already is not done again.")
    ],
    bars: Annotated[
        list[Path] | None, typer.Option(metavar="PATH...", help="Bar files, or folders of them; more may follow.")
    ] = None,
    more: Annotated[list[Path] | None, typer.Argument(hidden=True)] = None,
    plan: Annotated[
        Path | None, typer.Option("--config", help="TOML file that names markets, instead of --bars.")
    ] = None,
    bundle: Annotated[Path, typer.Option(help="The model.", show_default="shipped")] = SHIPPED_BUNDLE,
    start: Annotated[datetime | None, typer.Option(formats=DATE_FORMATS, help="With --bars: first start, UTC.")] = None,
    end: Annotated[
        datetime | None, typer.Option(formats=DATE_FORMATS, help="With --bars: all starts lie before this day.")
    ] = None,
    step_seconds: Annotated[int | None, typer.Option(min=1, metavar="S", help="With --bars: length of a step.")] = None,
    starts: Annotated[
        Starts | None,
        typer.Option(
            help="With --bars: orders start all over the day, or at the open of sessions.", show_default="bars"
        ),
    ] = None,
    every: Annotated[
        int | None,
        typer.Option(
            min=1,
            metavar="K",
            help="Bars of a market from one start to the next, or sessions where orders start at the open.",
            show_default="max_steps, or more to meet all times of day; 1 session",
        ),
    ] = None,
    max_steps: Annotated[int | None, typer.Option(min=2, help="Latest end.", show_default="12")] = None,
    min_steps: Annotated[str | None, typer.Option(help="Earliest ends: 1..12 or 1,6.", show_default="all")] = None,
    walk: Annotated[bool, typer.Option("--walk", help="Random walks too, where the best mean is known.")] = False,
    jobs: Annotated[int, typer.Option(min=1, help="Processes; each takes a policy and a file at a time.")] = 1,
    ray: Annotated[
        str | None,
        typer.Option(metavar="ADDRESS", help="Run on a Ray cluster, HOST:PORT or auto; --jobs is not asked then."),
    ] = None,
    docs: Annotated[Path | None, typer.Option(help="Also write the results as a Markdown page to this file.")] = None,
    repurchase_page: Annotated[
        Path | None, typer.Option(help="Also write a page on the plan's repurchase contracts to this file.")
    ] = None,
) -> None:
    """Measure a model beside the baselines on the same orders: tables as CSV, and one HTML report.

    You can stop the command at any time; the same command goes on where it was. After a change of the bundle, the plan
    or a bar file, only what depends on it is measured anew.
    """
    with refusing("lem evaluate", LemError, BundleError, OSError):
        asked = chosen_plan(
            plan,
            [*(bars or []), *(more or [])],
            BarOptions(start=start, end=end, step_seconds=step_seconds, starts=starts),
        )
        chosen = changed_plan(asked, max_steps=max_steps, min_steps=min_steps, every=every, walk=walk)
        out.mkdir(parents=True, exist_ok=True)
        _require_file("--docs", docs)
        _require_file("--repurchase-page", repurchase_page)
        if repurchase_page and not chosen.repurchase:
            raise InvalidInput("needs_repurchase", "--repurchase-page goes with a plan that has repurchase contracts")
        check(chosen)
        policies = load_policies(bundle)
        known = seen_days(policies[LEM])
        evaluation = Evaluation(plan=chosen, policies=policies, bundle=bundle, out=out, jobs=jobs, ray=ray)
        results = evaluation.measure()
        seen = in_sample([each for name in chosen.markets for each in results[name]], known)
        facts = provenance(policies[LEM], chosen) | seen
        tables = evaluation.write(results, facts)
        if docs:
            write_text(
                docs, results_page(tables, results, plan=chosen, plan_file=plan, policy=policies[LEM], facts=facts)
            )
        if repurchase_page and chosen.repurchase:
            page = contracts_page(
                tables["repurchase"],
                plan=chosen,
                repurchase=chosen.repurchase,
                plan_file=plan,
                policy=policies[LEM],
                facts=facts,
            )
            write_text(repurchase_page, page)
    console = Console()
    show(console, tables)
    for name, value in seen.items():
        console.print(f"{name}: {value}", markup=False)
    if seen and known and known.end:
        console.print(f"orders that start from {datetime.fromtimestamp(known.end, UTC):%Y-%m-%d} on are out of sample")
    console.print(f"written to {out}: report.html, summary.md and {len(tables)} tables")


def _require_file(option: str, docs: Path | None) -> None:
    """Refuse a page that cannot be written before anything is measured. Raises InvalidInput or OSError."""
    if docs is None:
        return
    if docs.is_dir():
        raise InvalidInput("not_a_file", f"{option} {docs}: is a folder; name a file")
    docs.parent.mkdir(parents=True, exist_ok=True)
