"""What tables are made of: distributions, spreads, differences with intervals. Shapes: S starts of orders."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.evaluation.backtest_run import Run
from models.evaluation.bootstrap import DayBlocks, horizon_days
from models.evaluation.columns import QUANTILES
from models.evaluation.groups import Group
from models.evaluation.results import Orders, Results

Row = dict[str, Any]
Tables = dict[str, list[Row]]
"""By the names in `COLUMNS`."""
Vector = NDArray[np.float64]


def distribution(values: NDArray[np.float64]) -> dict[str, float]:
    """Of all finite values, by the names in `FIGURES`."""
    known = values[np.isfinite(values)]
    quantiles = np.percentile(known, list(QUANTILES.values())) if known.size else [np.nan] * len(QUANTILES)
    mean, std = (float(known.mean()), float(known.std())) if known.size else (np.nan, np.nan)
    return {"mean": mean, "std": std} | {name: float(at) for name, at in zip(QUANTILES, quantiles, strict=True)}


def gain_difference(one: Orders, other: Orders, group: Group, min_steps: int) -> Vector:
    """[S]: how much more `one` gained than `other`, the mean over the group's scenarios."""
    better: Vector = (other.at(group, min_steps) - one.at(group, min_steps)).astype(np.float64).mean(axis=1)
    return better


def blocks_of(orders: Orders, resamples: int, seed: int) -> DayBlocks:
    days = horizon_days(orders.run.max_steps, orders.bar_seconds)
    return DayBlocks(orders.day, horizon_days=days, resamples=resamples, seed=seed)


def width(slippage: NDArray[Any]) -> float:
    """P95 - P5."""
    return float(np.subtract(*np.percentile(slippage, [95, 5])))


def spread(gain: NDArray[np.float64]) -> Row:
    return {
        "gain_bps_mean": float(gain.mean()),
        "std_bps": float(gain.std()),
        "w_bps": width(gain),
        "mean_absolute_bps": float(np.abs(gain).mean()),
    }


def with_interval(better: Vector, blocks: DayBlocks, columns: Sequence[str]) -> Row:
    return dict(zip(columns, (float(better.mean()), *blocks.interval(better)), strict=True))


def row_of(results: Results, run: Run) -> Row:
    return {"market": results.market, "policy": run.policy, "risk_aversion": run.risk_aversion}


def cells(run: Run, groups: Sequence[Group]) -> Iterator[tuple[Group, int]]:
    return ((group, min_steps) for min_steps in run.min_steps for group in groups if group.places(run))
