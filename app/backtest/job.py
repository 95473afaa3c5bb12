"""One bar file under one policy: the unit that is handed to a process of its own."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from app.backtest.order_tables import ORDERS_SCHEMA, orders_table
from app.backtest.progress import OnShare, scaled
from app.backtest.run_series import Outcome, run_series
from app.backtest.setup import Setup
from app.bars.series import Series
from app.bars.stretches import stretches
from app.decision.policies.registry import baseline
from app.decision.policy import Policy
from app.domain.errors import InvalidInput

LEM = "lem"
RISK_AVERSIONS_OF_BASELINES = {"neutral": 0.0, "default": 0.0, "tracking": 0.0}


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """`bundle` is read where `policy` is `lem`; `step_seconds` is None for steps as long as the bars."""

    policy: str
    bundle: Path
    setup: Setup
    step_seconds: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class FileResult:
    """`orders` follows `ORDERS_SCHEMA`; the counts are those of `Outcome`. No order may run for more than
    `horizon_seconds`, nights and holidays included."""

    orders: pa.Table
    horizon_seconds: int
    skipped: int
    decisions: int
    fallbacks: int


def load_policy(name: str, bundle: Path) -> Policy:
    """The policy of that name. Raises BundleError for an unusable bundle, InvalidInput for an unknown name."""
    if name != LEM:
        return baseline(name)
    from app.bundles.bundle import load_bundle  # baselines need no onnxruntime, which takes long to import

    return load_bundle(bundle)


def risk_aversion_of(policy: Policy, text: str | None) -> float:
    """The risk aversion that `text` asks of the policy: a number, or one of the policy's names; None is the default.

    A baseline ignores the risk aversion and takes any. Raises InvalidInput.
    """
    if text is None:
        return policy.risk_aversion
    named: dict[str, float] = getattr(policy, "risk_aversions", RISK_AVERSIONS_OF_BASELINES)
    if text in named:
        return named[text]
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not (math.isfinite(value) and value >= 0.0):
        names = ", ".join(named)
        raise InvalidInput("bad_risk_aversion", f"risk_aversion is {text!r}; must be at least 0, or one of {names}")
    return value


def run_file(path: Path, job: Job, policy: Policy, *, on_progress: OnShare = lambda _: None) -> FileResult:
    """Run all orders of the job over one file. Raises InvalidInput for a file or a job that cannot be run."""
    if job.setup.max_steps > policy.max_steps:
        raise InvalidInput(
            "max_steps_too_long", f"max_steps is {job.setup.max_steps}; {job.policy} decides at most {policy.max_steps}"
        )
    tables, horizon_seconds, skipped, decisions, fallbacks = [ORDERS_SCHEMA.empty_table()], 0, 0, 0, 0
    found = stretches(path, job.step_seconds)
    bars = sum(len(series) for series in found)
    for series in found:
        outcome = run_series(series, policy, job.setup, on_progress=scaled(on_progress, len(series) / bars))
        tables.append(orders_table(series, outcome))
        horizon_seconds = max(horizon_seconds, _longest(series, outcome))
        skipped, decisions = skipped + outcome.skipped, decisions + outcome.decisions
        fallbacks += outcome.fallbacks
    return FileResult(
        orders=pa.concat_tables(tables),
        horizon_seconds=horizon_seconds,
        skipped=skipped,
        decisions=decisions,
        fallbacks=fallbacks,
    )


def _longest(series: Series, outcome: Outcome) -> int:
    """The seconds from the open of an order's first window to the close of its last possible one, at most."""
    last = outcome.start + outcome.max_steps - 1
    ends = series.open_time[last] + series.seconds[last]
    return int((ends - series.open_time[outcome.start]).max(initial=0))


def run_file_alone(path: Path, job: Job) -> FileResult:
    """Do as `run_file` does, in a process that has loaded no policy yet."""
    return run_file(path, job, load_policy(job.policy, job.bundle))
