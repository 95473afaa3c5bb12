"""`lem evaluate` as it is typed."""

from __future__ import annotations

import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from app.backtest.job import LEM
from app.backtest.options import whole_numbers
from app.bundles.bundle import BundleError
from app.bundles.shipped import SHIPPED_BUNDLE
from app.decision.policy import Policy
from app.domain.errors import InvalidInput, LemError
from app.terminal import refusing
from models.evaluation.evaluate import Evaluation, check, load_policies, show
from models.evaluation.evaluation_plan import EvaluationPlan, make_plan, read_plan
from models.evaluation.in_sample import in_sample, trained_until

DATE_FORMATS = ["%Y-%m-%d"]
RANGE = ".."
WIDTH_MIN = 110
"""Columns of the printed tables, also where the terminal is narrower or there is none."""


def evaluate(
    out: Annotated[Path, typer.Option(help="Folder for the tables and the report; what it holds is gone on from.")],
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
        datetime | None, typer.Option(formats=DATE_FORMATS, help="With --bars: starts lie before it.")
    ] = None,
    step_seconds: Annotated[int | None, typer.Option(min=1, metavar="S", help="With --bars: length of a step.")] = None,
    every: Annotated[
        int | None,
        typer.Option(
            min=1,
            metavar="K",
            help="Bars of a market from one start to the next.",
            show_default="max_steps, or more to meet all times of day",
        ),
    ] = None,
    max_steps: Annotated[int | None, typer.Option(min=2, help="Latest end.", show_default="12")] = None,
    min_steps: Annotated[str | None, typer.Option(help="Earliest ends: 1..12 or 1,6.", show_default="all")] = None,
    walk: Annotated[bool, typer.Option("--walk", help="Random walks too, where the best mean is known.")] = False,
    jobs: Annotated[int, typer.Option(min=1, help="Processes; each takes a policy and a file at a time.")] = 1,
) -> None:
    """Measure a model beside the baselines on the same orders: tables as CSV, and one HTML report.

    It can be stopped at any time and goes on where it was; a changed bundle, plan or bar file is measured anew.
    """
    paths = [*(bars or []), *(more or [])]
    with refusing("lem evaluate", LemError, BundleError, OSError):
        of_bars = {"start": start and start.date(), "end": end and end.date(), "step_seconds": step_seconds}
        chosen = _plan(plan, paths, of_bars)
        chosen = _changed(chosen, max_steps=max_steps, min_steps=min_steps, every=every, walk=walk)
        out.mkdir(parents=True, exist_ok=True)
        check(chosen)
        policies = load_policies(bundle)
        until = trained_until(policies[LEM])
        evaluation = Evaluation(plan=chosen, policies=policies, bundle=bundle, out=out, jobs=jobs)
        results = evaluation.measure()
        seen = in_sample([results[name] for name in chosen.markets], until)
        together = evaluation.write(results, _facts(policies[LEM], chosen) | seen)
    console = Console(width=max(WIDTH_MIN, Console().width))
    show(console, together)
    for name, value in seen.items():
        console.print(f"{name}: {value}", markup=False)
    console.print(f"written to {out}: report.html, summary.md and {len(together)} tables")


def _plan(path: Path | None, bars: list[Path], of_bars: dict[str, Any]) -> EvaluationPlan:
    """`of_bars` are settings of the market that `bars` are. Raises InvalidInput where nothing would come of them."""
    if path and bars:
        raise InvalidInput("two_sources", "either --config or --bars, not both")
    if bars:
        first = bars[0].resolve()
        name = first.stem if len(bars) == 1 else first.parent.name
        return make_plan({"markets": {name: {"paths": bars, **of_bars}}}, "--bars")
    for name, value in of_bars.items():
        if value is not None:
            option = name.replace("_", "-")
            raise InvalidInput("needs_bars", f"--{option} goes with --bars; a plan says {name} market by market")
    return read_plan(path) if path else EvaluationPlan()


def _changed(
    plan: EvaluationPlan, *, max_steps: int | None, min_steps: str | None, every: int | None, walk: bool
) -> EvaluationPlan:
    """The plan with what the flags say on top. Raises InvalidInput where nothing would come of one."""
    if every and not plan.markets:
        raise InvalidInput("needs_bars", "--every goes with the bars of a market, of --bars or of a plan")
    content = plan.model_dump()
    if max_steps:
        content["max_steps"] = max_steps
    if min_steps:
        content["min_steps"] = _steps(min_steps)
    if every:
        content["markets"] = {name: market | {"every": every} for name, market in content["markets"].items()}
    if walk and plan.walk is None:
        content["walk"] = {}
    if min_steps and content["walk"] is not None:
        content["walk"]["min_steps"] = content["min_steps"]
    return make_plan(content, "options")


def _steps(text: str) -> tuple[int, ...]:
    first, dots, last = text.partition(RANGE)
    if not dots:
        return whole_numbers("min-steps", text)
    low, high = (*whole_numbers("min-steps", first), *whole_numbers("min-steps", last))
    return tuple(range(low, high + 1))


def _facts(policy: Policy, plan: EvaluationPlan) -> dict[str, str]:
    """What a reader needs to measure the same again."""
    markets = "; ".join(
        f"{name} from {market.start or 'the first bar'} to before {market.end or 'the last bar'}"
        for name, market in plan.markets.items()
    )
    facts = {"model": policy.name, "markets": markets or "random walks only", "max_steps": str(plan.max_steps)}
    facts["costs, where charged"] = (
        f"half spread {plan.costs.half_spread_bps:g} bps, impact {plan.costs.impact:g} x volatility per bar x "
        "(slice / bar's volume)^0.5"
    )
    facts["bootstrap"] = f"{plan.resamples} resamples, seed {plan.seed}"
    facts["measured"] = datetime.now(UTC).date().isoformat()
    commit = _commit()
    return facts | ({"commit": commit} if commit else {})


def _commit() -> str | None:
    """Of the checkout that this code lies in, where there is one."""
    command = ["git", "-C", str(Path(__file__).parent), "rev-parse", "--short", "HEAD"]  # git may not be there
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True, timeout=10).stdout.strip()  # noqa: S603 - no input of anybody's is in it
    except (OSError, subprocess.SubprocessError):
        return None
