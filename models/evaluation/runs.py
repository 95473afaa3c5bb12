"""What is run on every bar file: which policy decides, on which orders, at which risk aversion and costs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from decimal import Decimal
from enum import StrEnum
from pathlib import Path
from typing import Any

import numpy as np

from app.backtest.setup import ORDER_SHARE, Setup
from app.bars.stretches import stretches
from app.decision.policies.registry import BASELINES
from app.decision.policy import Policy
from app.domain.costs import FREE, Costs
from app.domain.order import SCENARIOS, Benchmark, Scenario, SizeMode
from models.evaluation.evaluation_plan import EvaluationMarket, EvaluationPlan, WalkPlan
from models.tapes.spacing import bars_per_day, over_the_day

LEM = "lem"
POLICIES = (LEM, *BASELINES)
STOPPING_BASELINE = "optimal_stopping"


class Part(StrEnum):
    """What a run is for. `STOP` runs orders that never stop, to see at every step what stopping would have earned."""

    MAIN = "main"
    FRONTIER = "frontier"
    COSTS = "costs"
    STOP = "stop"
    WALK = "walk"


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One backtest. Two runs of the same fields give the same orders and the same figures."""

    part: Part
    policy: str
    risk_aversion: float
    min_steps: tuple[int, ...]
    max_steps: int
    scenarios: tuple[int, ...] = tuple(range(len(SCENARIOS)))
    order_share: float = ORDER_SHARE
    costs: Costs = field(default=FREE)
    slice_cap: float = 1.0

    def setup(self, every: int, start: int | None, end: int | None) -> Setup:
        return Setup(
            min_steps=self.min_steps,
            max_steps=self.max_steps,
            every=every,
            risk_aversion=self.risk_aversion,
            scenarios=tuple(SCENARIOS[index] for index in self.scenarios),
            max_slice_fraction=Decimal(str(self.slice_cap)),
            order_share=self.order_share,
            costs=self.costs,
            start=start,
            end=end,
        )

    def facts(self) -> dict[str, Any]:
        """All of it as plain values, for the key under which results are kept."""
        return asdict(self)


def market_runs(plan: EvaluationPlan, name: str, policy: Policy) -> list[Run]:
    """All runs of one policy on one market. Only the LEM knows risk aversions; the others have one point each."""
    usual: dict[str, Any] = {"policy": name, "risk_aversion": policy.risk_aversion, "max_steps": plan.max_steps}
    runs = [Run(part=Part.MAIN, min_steps=plan.all_min_steps, **usual)]
    if name == LEM:
        for risk_aversion in frontier_of(plan, policy):
            at = usual | {"risk_aversion": risk_aversion}
            runs.append(Run(part=Part.FRONTIER, min_steps=plan.among(plan.frontier_min_steps), **at))
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
    """Fixed quantities against TWAP, with and without a slice cap: what dynamic programming knows the optimum of."""
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
    """Bars from one start to the next: as planned, else max_steps or the next number that brings starts to all times
    of the day in turn, by the bars of the market's first file. Raises InvalidInput where it cannot be read."""
    if market.every:
        return market.every
    opens = np.concatenate([series.open_time for series in stretches(files[0], market.step_seconds)])
    return over_the_day(plan.max_steps, bars_per_day(opens))


def scenarios_of(size_mode: SizeMode, benchmark: Benchmark | None = None) -> tuple[int, ...]:
    def fits(scenario: Scenario) -> bool:
        return scenario.size_mode is size_mode and benchmark in (None, scenario.benchmark)

    return tuple(scenario.index for scenario in SCENARIOS if fits(scenario))
