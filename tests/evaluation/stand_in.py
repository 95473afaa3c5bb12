"""A policy that stands in for the LEM: it knows risk aversions and gives probabilities, and needs no bundle."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import numpy as np

from app.backtest.job import LEM
from app.decision.market import Market
from app.decision.policies.optimal_stopping import OptimalStopping, distance
from app.decision.policies.pacing import even_pace, towards
from app.decision.policies.registry import BASELINES, baseline
from app.decision.policies.stopping_rule import stopping_rule
from app.decision.policy import Policy, Proposal, Rows
from models.evaluation.evaluate import Evaluation
from models.evaluation.evaluation_plan import EvaluationPlan, make_plan
from models.evaluation.market_plan import EvaluationMarket
from models.evaluation.tables.market_tables import Tables
from tests.market import a_walk_file

SHARPNESS = 8.0


class StandIn(OptimalStopping):
    """The stopping rule with a soft threshold; the more risk averse, the closer to the even pace."""

    name = "stand-in@1"
    risk_aversion = 0.3

    def __init__(
        self,
        *,
        name: str = "stand-in@1",
        fails_at_call: float = np.inf,
        history_min: int = OptimalStopping.history_min,
        max_steps: int = OptimalStopping.max_steps,
    ) -> None:
        self.name, self.fails_at_call, self.history_min = name, fails_at_call, history_min
        self.lookback = max(OptimalStopping.lookback, history_min)
        self.risk_aversions = {"neutral": 0.0, "default": 0.3, "tracking": 6.0}
        self.max_steps, self.asked = max_steps, 0

    def propose(self, market: Market, rows: Rows) -> Proposal:
        self.asked += 1
        if self.asked > self.fails_at_call:
            raise KeyboardInterrupt
        rule = super().propose(market, rows)
        y = distance(market.context[rows.market, 0].astype(np.float64), rows)
        thresholds = stopping_rule(1, int(rows.max_steps[0])).threshold
        above = np.clip(SHARPNESS * (y - np.where(rows.step > 1, thresholds[rows.step - 1], np.inf)), -30.0, 30.0)
        even = towards(even_pace(rows), rows)
        share = rows.risk_aversion / (1.0 + rows.risk_aversion)
        return Proposal(share * even + (1.0 - share) * rule.allocation, 1.0 / (1.0 + np.exp(-above)))


def a_market(
    folder: Path, *, instruments: int = 2, bars: int = 1500, daily_swing: float = 0.0, **changes: Any
) -> EvaluationMarket:
    """Random walks of 15 minutes bars from 1970-01-01 on; orders start after the first eight days."""
    paths = tuple(
        a_walk_file(folder, name=f"W{number}-900s.parquet", bars=bars, seed=number, daily_swing=daily_swing)
        for number in range(instruments)
    )
    return EvaluationMarket.model_validate({"paths": paths, "start": date(1970, 1, 9), "every": 24} | changes)


def a_plan(markets: dict[str, EvaluationMarket] | None = None, **changes: Any) -> EvaluationPlan:
    """Small enough for a second."""
    small: dict[str, Any] = {"min_steps": (1, 6), "risk_aversions": (0.0, 6.0), "resamples": 100}
    return make_plan({"markets": markets or {}} | small | changes, "test")


def an_evaluation(plan: EvaluationPlan, out: Path, stand_in: Policy | None = None) -> Evaluation:
    policies: dict[str, Policy] = {LEM: stand_in or StandIn()} | {name: baseline(name) for name in BASELINES}
    return Evaluation(plan=plan, policies=policies, bundle=out / "none", out=out)


def evaluated(plan: EvaluationPlan, out: Path, stand_in: Policy | None = None) -> Tables:
    evaluation = an_evaluation(plan, out, stand_in)
    return evaluation.write(evaluation.measure(), {"model": "stand-in"})
