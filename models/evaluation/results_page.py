"""The results as a page of Markdown for docs/: what was measured, and the figures that a reader asks for first."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from app.backtest.job import LEM
from app.backtest.setup import Starts
from app.decision.policy import Policy
from app.domain.order import Benchmark
from models.evaluation.backtest_run import Part
from models.evaluation.evaluation_plan import EvaluationPlan
from models.evaluation.market_results import MarketResults, Results
from models.evaluation.rivals import RIVALS, STOPPING_BASELINE
from models.evaluation.session_parts import PARTS
from models.evaluation.tables.against_rivals import against_rivals
from models.evaluation.tables.distributions import MEASURED
from models.evaluation.tables.market_tables import Tables, of_length
from models.evaluation.tables.middle import middle_min_steps
from models.evaluation.tables.row_figures import Row
from models.evaluation.tables.tracking import WHOLE
from models.evaluation.templating import rendered

TEMPLATE = "results.md"
PACES = ("twap", "volume_curve", "linear_volume")
"""Baselines that differ from each other where no order may stop."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """The bars that orders of one length were measured on: days of the first and the last start, UTC; the length of a
    step; the way from one start to the next. The days of the calendar are those that an order may run and those that a
    block of the bootstrap covers, which must be more."""

    market: str
    max_steps: int
    bars: str
    instruments: int
    step_seconds: int
    every: str
    first: str
    last: str
    starts: int
    horizon_days: int
    block_span_days: float


def results_page(
    tables: Tables,
    results: Results,
    *,
    plan: EvaluationPlan,
    plan_file: Path | None,
    policy: Policy,
    facts: dict[str, str],
) -> str:
    """`plan_file` is the plan as it was named on the command line, where there is one; `facts` stand at the top."""
    named: dict[str, float] = getattr(policy, "risk_aversions", {})
    names = {value: name for name, value in named.items()}
    measured = [(market, each) for name, market in plan.markets.items() for each in results[name]]
    return rendered(
        TEMPLATE,
        plan=plan,
        plan_file=plan_file,
        facts=facts,
        spans=[_span(each, market.paths, tables) for market, each in measured],
        markets=[_market(of_length(tables, each.market, each.max_steps), each, names) for _, each in measured],
        printed=_printed(tables["distributions"]),
        walk=_walks(tables["walk"], names),
    )


def _span(results: MarketResults, paths: Sequence[Path], tables: Tables) -> Span:
    unit, times = results.units[0], results.start_times
    first, last = (str(np.datetime64(int(time), "s").astype("datetime64[D]")) for time in (times.min(), times.max()))
    pair = of_length(tables, results.market, results.max_steps)["paired"][0]
    return Span(
        market=results.market,
        max_steps=results.max_steps,
        bars=", ".join(path.stem for path in paths),
        instruments=sum(len(starts) > 0 for starts in results.shared.values()),
        step_seconds=results.bar_seconds,
        every=f"{unit.every} {'step' if unit.starts is Starts.BARS else 'session'}{'s' if unit.every > 1 else ''}",
        first=first,
        last=last,
        starts=len(times),
        horizon_days=pair["horizon_days"],
        block_span_days=pair["block_span_days"],
    )


def _market(rows: Tables, results: MarketResults, names: dict[float, str]) -> dict[str, Any]:
    """The rows of one market and one length of orders, by their names in the template. `names` are those of risk
    aversions."""
    middle = middle_min_steps(rows["frontier"])
    costs = [row for row in rows["costs"] if row["policy"] == LEM]
    return {
        "name": results.market,
        "max_steps": results.max_steps,
        "orders_per_start": len(results.runs(Part.MAIN)[0].scenarios) // len(Benchmark),
        "rivals": against_rivals(rows),
        "middle": middle,
        "frontier": [
            row | {"named": names.get(row["risk_aversion"])}
            for row in _at(rows["frontier"], middle)
            if row["policy"] in (LEM, RIVALS[row["benchmark"]])
        ],
        "tracking": [
            row | {"named": names.get(row["risk_aversion"])}
            for row in rows["tracking"]
            if row["policy"] in PACES or (row["policy"] == LEM and row["risk_aversion"] in names)
        ],
        "parts": _session_parts(rows["session_parts"], names),
        "costs": _at(costs, middle_min_steps(costs)),
        "volumes": _first_and_last_step(rows["volume_errors"]),
    }


def _session_parts(rows: Sequence[Row], names: dict[float, str]) -> list[Row]:
    """The paces and the LEM, part by part; whole sessions first."""
    chosen = [row | {"named": names.get(row["risk_aversion"])} for row in rows if row["policy"] in (LEM, *PACES)]
    return sorted(chosen, key=lambda row: (row["sessions"] != WHOLE, PARTS.index(row["part"])))


def _walks(rows: Iterable[Row], names: dict[float, str]) -> list[Row]:
    """The LEM at risk aversions that have names, and the stopping rule, where there is something to stop."""
    return [
        row | {"named": names.get(row["risk_aversion"])}
        for row in rows
        if row["min_steps"] < row["max_steps"]
        and (row["policy"] == STOPPING_BASELINE or (row["policy"] == LEM and row["risk_aversion"] in names))
    ]


def _at(rows: Iterable[Row], min_steps: int) -> list[Row]:
    return [row for row in rows if row["min_steps"] == min_steps]


def _first_and_last_step(rows: Sequence[Row]) -> list[Row]:
    """One row for each forecaster, with the rows of its first and its last step ahead as `next` and `last`."""
    by_policy: dict[str, list[Row]] = {}
    for row in rows:
        by_policy.setdefault(row["policy"], []).append(row)
    return [{"policy": policy, "next": steps[0], "last": steps[-1]} for policy, steps in by_policy.items()]


def _printed(rows: Sequence[Row]) -> list[Row]:
    """The printed figures as means over sides and size modes, where all of these were printed."""
    groups: dict[tuple[Any, ...], list[Row]] = {}
    for row in rows:
        if row["source"] != MEASURED:
            key = tuple(row[name] for name in ("market", "policy", "benchmark", "published_index"))
            groups.setdefault(key, []).append(row)
    of_all_sides = max(map(len, groups.values()), default=0)
    return [
        group[0]
        | {
            "gain_bps_mean": -float(np.mean([row["slippage_bps_mean"] for row in group])),
            "w_bps": float(np.mean([row["slippage_bps_p95"] - row["slippage_bps_p5"] for row in group])),
        }
        for group in groups.values()
        if len(group) == of_all_sides
    ]
