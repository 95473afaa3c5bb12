"""Gains on random walks beside the optimum, which dynamic programming knows."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import ROUND_CEILING, Decimal

import numpy as np

from app.decision.policies.stopping_rule import stopping_rule
from models.evaluation.backtest_run import Part
from models.evaluation.market_results import MarketResults
from models.evaluation.rivals import STOPPING_BASELINE
from models.evaluation.scenario_groups import POOLED
from models.evaluation.tables.row_figures import Row, Vector

NOTHING = 1e-4
"""In sigmas."""


def random_walk(results: MarketResults, sigma_bps: float) -> Iterator[Row]:
    """Mean and standard deviation of the gain against TWAP in sigmas, beside the optimum and beside the exact rule with
    its hedge on the same walks; both sides pooled. Errors are standard errors of the mean over the starts."""
    (group,) = (group for group in POOLED if group.benchmark == "twap")
    rules = {run.slice_cap: results.orders(run) for run in results.runs(Part.WALK, STOPPING_BASELINE)}
    for run in results.runs(Part.WALK):
        orders, rule = results.orders(run), rules[run.slice_cap]
        for min_steps in run.min_steps:
            gain = orders.gain_of(group, min_steps) / sigma_bps
            best = best_mean(min_steps, run.max_steps, run.slice_cap)
            yield {
                "policy": run.policy,
                "slice_cap": run.slice_cap,
                "even_slices": run.slice_cap * run.max_steps if run.slice_cap < 1.0 else float("nan"),
                "risk_aversion": run.risk_aversion,
                "min_steps": min_steps,
                "max_steps": run.max_steps,
                "orders": gain.size,
                **_beside_optimum(gain, best if min_steps < run.max_steps else 0.0),
                **_beside_rule(gain, rule.gain_of(group, min_steps) / sigma_bps),
                "gain_sigma_p5": float(np.percentile(gain, 5)),
                "gain_sigma_p95": float(np.percentile(gain, 95)),
            }


def _beside_optimum(gain: Vector, best: float) -> Row:
    mean, error = float(gain.mean()), _error(gain.mean(axis=1))
    return {
        "optimum_sigma": best,
        "gain_sigma_mean": mean,
        "gain_sigma_error": error,
        "error_of_optimum": _ratio(error, best),
        "share_of_optimum": _ratio(mean, best),
    }


def _beside_rule(gain: Vector, of_rule: Vector) -> Row:
    """The ratios of means and of standard deviations; the former's error knows that both are of the same walks."""
    share = _ratio(float(gain.mean()), float(of_rule.mean()))
    residual = _error((gain - share * of_rule).mean(axis=1))
    return {
        "share_of_rule": share,
        "share_of_rule_error": _ratio(residual, float(of_rule.mean())),
        "gain_sigma_std": float(gain.std()),
        "std_to_rule": _ratio(float(gain.std()), float(of_rule.std())),
    }


def _error(per_start: Vector) -> float:
    return float(per_start.std() / np.sqrt(len(per_start)))


def _ratio(one: float, other: float) -> float:
    """NaN where the other is next to nothing: orders that may not stop earn nothing on a walk."""
    return one / other if abs(other) > NOTHING else float("nan")


def best_mean(min_steps: int, max_steps: int, slice_cap: float) -> float:
    """The greatest mean gain in sigmas. A slice cap c lowers it only since no order can end before step 1 / c."""
    earliest = int((1 / Decimal(str(slice_cap))).to_integral_value(ROUND_CEILING))
    return max(0.0, stopping_rule(min(max(min_steps, earliest), max_steps), max_steps).value)
