"""Which backtests an evaluation plan asks for, by policy, market and length of orders."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from app.backtest.job import LEM, risk_aversion_of
from app.backtest.setup import Starts
from app.bars.stretches import stretches
from app.decision.policy import Policy
from app.domain.costs import Costs
from app.domain.order import Benchmark, Scenario, Side, SizeMode
from models.evaluation.backtest_run import Part, Run, scenarios_of
from models.evaluation.evaluation_plan import EvaluationPlan, WalkPlan
from models.evaluation.market_plan import EvaluationMarket
from models.evaluation.plan_parts import MarketHorizon, WalkHorizon, slice_cap_of
from models.tapes.spacing import bars_per_day, over_the_day

BUY_TO_VWAP = Scenario(Side.BUY, Benchmark.VWAP, SizeMode.QUANTITY).index
"""Sales trade the same slices where nothing may stop."""


def market_runs(plan: EvaluationPlan, horizon: MarketHorizon, name: str, policy: Policy) -> list[Run]:
    """All runs of one policy over one length of orders. Only the LEM knows risk aversions; each baseline is one
    point. The main run of the LEM is its point of the frontier at the default risk aversion."""
    modes = [SizeMode(word) for word in horizon.size_modes]
    usual: dict[str, Any] = {
        "policy": name,
        "risk_aversion": policy.risk_aversion,
        "max_steps": horizon.max_steps,
        "scenarios": tuple(sorted(index for mode in modes for index in scenarios_of(mode))),
    }
    by_quantity = usual | {"scenarios": scenarios_of(SizeMode.QUANTITY)}
    runs = [Run(part=Part.MAIN, min_steps=horizon.min_steps, **usual)]
    if name == LEM:
        runs += [
            Run(part=Part.FRONTIER, min_steps=horizon.shown, **usual | {"risk_aversion": point})
            for point in frontier_of(horizon.risk_aversions, policy)
            if point != policy.risk_aversion and horizon.shown
        ]
        if horizon.calibration_min_steps:
            runs.append(Run(part=Part.STOP, min_steps=horizon.calibration_min_steps, **by_quantity))
    if horizon.starts is Starts.OPEN and horizon.max_steps in horizon.min_steps:
        points = frontier_of((), policy) if name == LEM else (policy.risk_aversion,)
        bought = usual | {"min_steps": (horizon.max_steps,), "scenarios": (BUY_TO_VWAP,)}
        runs += [Run(part=Part.PARTS, **bought | {"risk_aversion": point}) for point in points]
    costs = Costs(impact=plan.costs.impact, half_spread_bps=plan.costs.half_spread_bps)
    if horizon.cost_min_steps:
        runs += [
            Run(part=Part.COSTS, min_steps=horizon.cost_min_steps, order_share=share, costs=costs, **by_quantity)
            for share in plan.costs.order_sizes
        ]
    return runs


def usual_walk_runs(plan: EvaluationPlan, walk: WalkPlan, name: str, policy: Policy) -> list[Run]:
    """Orders of the plan's max_steps with and without a slice cap, at every risk aversion of the plan."""
    points = frontier_of(plan.risk_aversions, policy) if name == LEM else (policy.risk_aversion,)
    return [
        _walk_run(name, plan.max_steps, plan.within(walk.min_steps), cap, risk_aversion)
        for cap in plan.slice_caps
        for risk_aversion in points
    ]


def walk_runs(horizon: WalkHorizon, name: str, policy: Policy) -> list[Run]:
    """Orders of one length without a slice cap, and with the caps of `even_slices`. Raises InvalidInput where the
    policy has no risk aversion of a name."""
    caps = {1.0: horizon.risk_aversions}
    caps |= {slice_cap_of(each, horizon.max_steps): horizon.capped_risk_aversions for each in horizon.even_slices}
    return [
        _walk_run(name, horizon.max_steps, horizon.min_steps, cap, risk_aversion)
        for cap, asked in caps.items()
        for risk_aversion in dict.fromkeys(risk_aversion_of(policy, str(each)) for each in asked)
    ]


def _walk_run(name: str, max_steps: int, min_steps: tuple[int, ...], slice_cap: float, risk_aversion: float) -> Run:
    """Orders of fixed quantity against TWAP: dynamic programming knows their optimum."""
    return Run(
        part=Part.WALK,
        policy=name,
        risk_aversion=risk_aversion,
        min_steps=min_steps,
        max_steps=max_steps,
        scenarios=scenarios_of(SizeMode.QUANTITY, Benchmark.TWAP),
        slice_cap=slice_cap,
    )


def frontier_of(asked: tuple[float, ...], policy: Policy) -> tuple[float, ...]:
    """The risk aversions that were asked for and those that the bundle has names for."""
    named: dict[str, float] = getattr(policy, "risk_aversions", {})
    return tuple(sorted({*asked, *named.values(), policy.risk_aversion}))


def every_of(horizon: MarketHorizon, market: EvaluationMarket, files: Sequence[Path]) -> int:
    """Bars from one start to the next, or sessions where orders start at the open: all of these by default. Without
    `every` in the plan the bars are the least number from max_steps on that brings the starts to all times of the day
    in turn. The market's first file says how many bars a day has; raises InvalidInput where that file cannot be
    read."""
    if horizon.every:
        return horizon.every
    if horizon.starts is Starts.OPEN:
        return 1
    opens = np.concatenate([series.open_time for series in stretches(files[0], market.step_seconds)])
    return over_the_day(horizon.max_steps, bars_per_day(opens))
