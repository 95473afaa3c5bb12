"""Which backtests an evaluation plan asks for, by policy and market."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from app.backtest.job import LEM
from app.bars.stretches import stretches
from app.decision.policy import Policy
from app.domain.costs import Costs
from app.domain.order import Benchmark, SizeMode
from models.evaluation.backtest_run import Part, Run, scenarios_of
from models.evaluation.evaluation_plan import EvaluationMarket, EvaluationPlan, WalkPlan
from models.tapes.spacing import bars_per_day, over_the_day


def market_runs(plan: EvaluationPlan, name: str, policy: Policy) -> list[Run]:
    """All runs of one policy on one market. Only the LEM knows risk aversions; each baseline is one point."""
    usual: dict[str, Any] = {"policy": name, "risk_aversion": policy.risk_aversion, "max_steps": plan.max_steps}
    runs = [Run(part=Part.MAIN, min_steps=plan.all_min_steps, **usual)]
    if name == LEM:
        for risk_aversion in frontier_of(plan, policy):
            point = usual | {"risk_aversion": risk_aversion}
            runs.append(Run(part=Part.FRONTIER, min_steps=plan.among(plan.frontier_min_steps), **point))
        steps = plan.among(plan.calibration_min_steps)[:-1]
        if steps:
            runs.append(Run(part=Part.STOP, min_steps=steps, scenarios=scenarios_of(SizeMode.QUANTITY), **usual))
    costs = Costs(impact=plan.costs.impact, half_spread_bps=plan.costs.half_spread_bps)
    runs += [
        Run(
            part=Part.COSTS,
            min_steps=plan.among(plan.costs.min_steps),
            scenarios=scenarios_of(SizeMode.QUANTITY),
            order_share=share,
            costs=costs,
            **usual,
        )
        for share in plan.costs.order_sizes
    ]
    return runs


def walk_runs(plan: EvaluationPlan, walk: WalkPlan, name: str, policy: Policy) -> list[Run]:
    """Orders of fixed quantity against TWAP, with and without a slice cap: dynamic programming knows their optimum."""
    return [
        Run(
            part=Part.WALK,
            policy=name,
            risk_aversion=risk_aversion,
            min_steps=plan.within(walk.min_steps),
            max_steps=plan.max_steps,
            scenarios=scenarios_of(SizeMode.QUANTITY, Benchmark.TWAP),
            slice_cap=cap,
        )
        for cap in plan.slice_caps
        for risk_aversion in (frontier_of(plan, policy) if name == LEM else (policy.risk_aversion,))
    ]


def frontier_of(plan: EvaluationPlan, policy: Policy) -> tuple[float, ...]:
    """The plan's risk aversions and those that the bundle has names for."""
    named: dict[str, float] = getattr(policy, "risk_aversions", {})
    return tuple(sorted({*plan.risk_aversions, *named.values(), policy.risk_aversion}))


def every_of(plan: EvaluationPlan, market: EvaluationMarket, files: Sequence[Path]) -> int:
    """Bars from one start to the next. Without `every` in the plan this is the least number from max_steps on that
    brings the starts to all times of the day in turn. The market's first file says how many bars a day has; raises
    InvalidInput where that file cannot be read."""
    if market.every:
        return market.every
    opens = np.concatenate([series.open_time for series in stretches(files[0], market.step_seconds)])
    return over_the_day(plan.max_steps, bars_per_day(opens))
