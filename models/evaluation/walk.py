"""Random walks: nothing can be forecast, and dynamic programming knows the best mean."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import ROUND_CEILING, Decimal
from pathlib import Path

import numpy as np

from app.bars.walks import Walk, simulate_bars, write_bars
from app.decision.policies.stopping_rule import stopping_rule
from models.evaluation.backtest_run import Part
from models.evaluation.evaluation_plan import WalkPlan
from models.evaluation.groups import POOLED
from models.evaluation.results import Results
from models.evaluation.statistics import Row

NAME = "random walk"
FOLDER = "random_walk"
BPS = 1e4


def write_walks(plan: WalkPlan, folder: Path) -> list[Path]:
    """One bar file per walk; those that are there are as they would be written."""
    folder.mkdir(parents=True, exist_ok=True)
    walk = Walk(sigma=plan.sigma_bps / BPS, volume_per_move=plan.volume_per_move)
    kind = f"-volume{plan.volume_per_move:g}" if plan.volume_per_move else ""
    paths = []
    for number in range(plan.instruments):
        name = f"WALK{number}-seed{plan.seed}-{plan.bars}x{plan.sigma_bps:g}bps{kind}.parquet"
        path = folder / name
        if not path.exists():
            draft = path.with_suffix(".draft")
            bars = simulate_bars(np.random.default_rng([plan.seed, number]), walk, 1, plan.bars)
            write_bars(draft, bars, 0, walk.bar_seconds)
            draft.replace(path)
        paths.append(path)
    return paths


def best_mean(min_steps: int, max_steps: int, slice_cap: float) -> float:
    """In sigmas: the optimum of the mean gain, which a slice cap c only keeps from ending before step 1 / c."""
    earliest = int((1 / Decimal(str(slice_cap))).to_integral_value(ROUND_CEILING))
    return max(0.0, stopping_rule(min(max(min_steps, earliest), max_steps), max_steps).value)


def walk_table(results: Results, plan: WalkPlan) -> Iterator[Row]:
    """Mean and standard deviation of the gain against TWAP in sigmas, beside the optimum; both sides pooled."""
    (group,) = (group for group in POOLED if group.benchmark == "twap")
    for run in results.runs(Part.WALK):
        orders = results.orders(run)
        for min_steps in run.min_steps:
            gain = -orders.at(group, min_steps).astype(np.float64) / plan.sigma_bps
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
