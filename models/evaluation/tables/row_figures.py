"""Figures that rows of tables are made of: distributions, spreads, differences with intervals.

Shapes: S starts of orders.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.backtest.bootstrap import DayBlocks
from models.evaluation.backtest_run import Run
from models.evaluation.market_results import MarketResults, Orders
from models.evaluation.scenario_groups import ScenarioGroup
from models.evaluation.tables.table_columns import QUANTILES

Row = dict[str, Any]
"""A row of a table by its column names."""
Vector = NDArray[np.float64]


def distribution(values: Vector) -> dict[str, float]:
    """Mean, standard deviation and quantiles of all finite values, by the names in `FIGURES`."""
    known = values[np.isfinite(values)]
    quantiles = np.percentile(known, list(QUANTILES.values())) if known.size else [np.nan] * len(QUANTILES)
    mean, std = (float(known.mean()), float(known.std())) if known.size else (np.nan, np.nan)
    return {"mean": mean, "std": std} | dict(zip(QUANTILES, map(float, quantiles), strict=True))


def spread(gain: Vector) -> Row:
    return {
        "gain_bps_mean": float(gain.mean()),
        "std_bps": float(gain.std()),
        "w_bps": width(gain),
        "mean_absolute_bps": float(np.abs(gain).mean()),
    }


def width(values: NDArray[Any]) -> float:
    """P95 - P5."""
    return float(np.subtract(*np.percentile(values, [95, 5])))


def gain_difference(one: Orders, other: Orders, group: ScenarioGroup, min_steps: int) -> Vector:
    """[S]: how much more `one` gained than `other`, the mean over the group's scenarios."""
    slippage, others = one.slippage_of(group, min_steps), other.slippage_of(group, min_steps)
    better: Vector = (others - slippage).astype(np.float64).mean(axis=1)
    return better


def with_interval(better: Vector, blocks: DayBlocks, figure: str, against: str = "") -> Row:
    """The mean difference and its 95 % interval, named `<figure>_difference`, `_low` and `_high`, then `against`."""
    low, high = blocks.interval(better)
    return {
        f"{figure}_difference{against}": float(better.mean()),
        f"{figure}_low{against}": low,
        f"{figure}_high{against}": high,
    }


def blocks_of(orders: Orders, resamples: int, seed: int) -> DayBlocks:
    return DayBlocks(orders.day, horizon_days=orders.horizon_days, resamples=resamples, seed=seed)


def sigma_bps(orders: Orders, unknown: float) -> Vector:
    """[S]: the volatility per bar in bps, `unknown` where there is none."""
    return 1e4 * np.where(orders.sigma > 0.0, orders.sigma, unknown)


def row_of(results: MarketResults, run: Run) -> Row:
    return {
        "market": results.market,
        "policy": run.policy,
        "risk_aversion": run.risk_aversion,
        "max_steps": run.max_steps,
    }


def cells(run: Run, groups: Sequence[ScenarioGroup]) -> Iterator[tuple[ScenarioGroup, int]]:
    """Every pair of a group that the run has scenarios of, and an entry of its min_steps."""
    return ((group, min_steps) for min_steps in run.min_steps for group in groups if group.indices(run))
