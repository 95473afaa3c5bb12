"""The results as a page of Markdown for docs/: what was measured, and the figures that a reader asks for first."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from app.backtest.job import LEM
from app.decision.policy import Policy
from models.evaluation.evaluation_plan import EvaluationPlan
from models.evaluation.market_results import MarketResults
from models.evaluation.rivals import RIVALS, STOPPING_BASELINE
from models.evaluation.tables.against_rivals import against_rivals
from models.evaluation.tables.distributions import MEASURED
from models.evaluation.tables.market_tables import Tables
from models.evaluation.tables.middle import middle_min_steps
from models.evaluation.tables.row_figures import Row
from models.evaluation.templating import rendered

TEMPLATE = "results.md"
PACES = ("twap", "volume_curve", "linear_volume")
"""Baselines that differ from each other where no order may stop."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """The bars that one market was measured on: days of the first and the last start, UTC; the length of a step; bars
    from one start to the next."""

    market: str
    bars: str
    instruments: int
    step_seconds: int
    every: int
    first: str
    last: str
    starts: int


def results_page(
    tables: Tables,
    results: dict[str, MarketResults],
    *,
    plan: EvaluationPlan,
    plan_file: Path | None,
    policy: Policy,
    facts: dict[str, str],
) -> str:
    """`plan_file` is the plan as it was named on the command line, where there is one; `facts` stand at the top."""
    named: dict[str, float] = getattr(policy, "risk_aversions", {})
    names = {value: name for name, value in named.items()}
    return rendered(
        TEMPLATE,
        plan=plan,
        plan_file=plan_file,
        facts=facts,
        spans=[_span(results[name], market.paths) for name, market in plan.markets.items()],
        markets=[_market(name, tables, names) for name in plan.markets],
        printed=_printed(tables["distributions"]),
        walk=_walks(tables["walk"], names),
    )


def _span(results: MarketResults, paths: Sequence[Path]) -> Span:
    unit, times = results.units[0], results.start_times
    first, last = (str(np.datetime64(int(time), "s").astype("datetime64[D]")) for time in (times.min(), times.max()))
    return Span(
        market=results.market,
        bars=", ".join(path.stem for path in paths),
        instruments=sum(len(starts) > 0 for starts in results.shared.values()),
        step_seconds=results.bar_seconds,
        every=unit.every,
        first=first,
        last=last,
        starts=len(times),
    )


def _market(name: str, tables: Tables, names: dict[float, str]) -> dict[str, Any]:
    """The rows of one market, by their names in the template. `names` are those of risk aversions."""
    of_market = {table: [row for row in rows if row.get("market") == name] for table, rows in tables.items()}
    middle = middle_min_steps(of_market["frontier"])
    costs = [row for row in of_market["costs"] if row["policy"] == LEM]
    return {
        "name": name,
        "rivals": against_rivals(of_market),
        "middle": middle,
        "frontier": [
            row | {"named": names.get(row["risk_aversion"])}
            for row in _at(of_market["frontier"], middle)
            if row["policy"] in (LEM, RIVALS[row["benchmark"]])
        ],
        "tracking": [
            row | {"named": names.get(row["risk_aversion"])}
            for row in of_market["tracking"]
            if row["policy"] in PACES or (row["policy"] == LEM and row["risk_aversion"] in names)
        ],
        "costs": _at(costs, middle_min_steps(costs)),
        "volumes": _first_and_last_step(of_market["volume_errors"]),
    }


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
