"""Gains on random walks beside the optimum, which dynamic programming knows."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import ROUND_CEILING, Decimal

import numpy as np

from app.decision.policies.stopping_rule import stopping_rule
from models.evaluation.backtest_run import Part
from models.evaluation.evaluation_plan import WalkPlan
from models.evaluation.market_results import MarketResults
from models.evaluation.scenario_groups import POOLED
from models.evaluation.tables.row_figures import Row


def random_walk(results: MarketResults, plan: WalkPlan) -> Iterator[Row]:
    """Mean and standard deviation of the gain against TWAP in sigmas, beside the optimum; both sides pooled."""
    (group,) = (group for group in POOLED if group.benchmark == "twap")
    for run in results.runs(Part.WALK):
        orders = results.orders(run)
        for min_steps in run.min_steps:
            gain = orders.gain_of(group, min_steps) / plan.sigma_bps
            per_start = gain.mean(axis=1)
            best = best_mean(min_steps, run.max_steps, run.slice_cap)
            mean = float(gain.mean())
            yield {
                "policy": run.policy,
                "slice_cap": run.slice_cap,
                "risk_aversion": run.risk_aversion,
                "min_steps": min_steps,
                "max_steps": run.max_steps,
                "orders": gain.size,
                "optimum_sigma": best,
                "gain_sigma_mean": mean,
                "gain_sigma_error": float(per_start.std() / np.sqrt(len(per_start))),
                "share_of_optimum": mean / best if min_steps < run.max_steps else float("nan"),
                "gain_sigma_std": float(gain.std()),
                "gain_sigma_p5": float(np.percentile(gain, 5)),
                "gain_sigma_p95": float(np.percentile(gain, 95)),
            }


def best_mean(min_steps: int, max_steps: int, slice_cap: float) -> float:
    """The greatest mean gain in sigmas. A slice cap c lowers it only since no order can end before step 1 / c."""
    earliest = int((1 / Decimal(str(slice_cap))).to_integral_value(ROUND_CEILING))
    return max(0.0, stopping_rule(min(max(min_steps, earliest), max_steps), max_steps).value)
