"""The results of a backtest under one policy: one row per order, and a table of distributions."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from app.backtest.run_series import Outcome
from app.bars.series import Series
from app.domain.order import SCENARIOS

ORDERS_SCHEMA = pa.schema(
    [
        ("instrument", pa.string()),
        ("start_time", pa.timestamp("us", tz="UTC")),
        ("side", pa.string()),
        ("benchmark", pa.string()),
        ("size_mode", pa.string()),
        ("min_steps", pa.int32()),
        ("max_steps", pa.int32()),
        ("steps_used", pa.int32()),
        ("avg_price", pa.float64()),
        ("benchmark_price", pa.float64()),
        ("slippage_bps", pa.float64()),
    ]
)
KEYS = ("side", "benchmark", "size_mode", "min_steps", "max_steps")
QUANTILES = {"median": 50, "p5": 5, "p95": 95, "q25": 25, "q75": 75}
SUMMARY_COLUMNS = (
    *KEYS, "orders", "steps_used_mean", "slippage_bps_mean", "slippage_bps_std",
    *(f"slippage_bps_{name}" for name in QUANTILES),
)  # fmt: skip
"""Slippage is a cost where positive, for buys and for sells. All instruments are pooled."""


def orders_table(series: Series, outcome: Outcome) -> pa.Table:
    """One row per order; `start_time` opens its first window."""
    words = [(scenario.side.value, scenario.benchmark.value, scenario.size_mode.value) for scenario in SCENARIOS]
    side, benchmark, size_mode = (np.array(word)[outcome.scenario] for word in zip(*words, strict=True))
    count = len(outcome.start)
    columns = {
        "instrument": np.full(count, series.instrument),
        "start_time": series.open_time[outcome.start].astype("datetime64[s]").astype("datetime64[us]"),
        "side": side,
        "benchmark": benchmark,
        "size_mode": size_mode,
        "min_steps": outcome.min_steps,
        "max_steps": outcome.max_steps,
        "steps_used": outcome.steps_used,
        "avg_price": outcome.avg_price,
        "benchmark_price": outcome.benchmark_price,
        "slippage_bps": outcome.slippage_bps,
    }
    return pa.table({name: pa.array(columns[name]).cast(ORDERS_SCHEMA.field(name).type) for name in columns})


def summarise(orders: pa.Table) -> list[dict[str, Any]]:
    """One row per side, benchmark, size mode and horizon, with the distribution of slippage in bps."""
    values = [sorted(pc.unique(orders.column(key)).to_pylist()) for key in KEYS]
    codes = {key: orders.column(key).to_numpy() for key in KEYS}
    slippage, steps = orders.column("slippage_bps").to_numpy(), orders.column("steps_used").to_numpy()
    rows = []
    for combination in product(*values):
        chosen = np.ones(len(slippage), dtype=np.bool_)
        for key, value in zip(KEYS, combination, strict=True):
            chosen &= codes[key] == value
        if chosen.any():
            figures = distribution(slippage[chosen], steps[chosen])
            rows.append(dict(zip(KEYS, combination, strict=True)) | figures)
    return rows


def distribution(slippage: NDArray[np.float64], steps: NDArray[np.int32]) -> dict[str, Any]:
    """How many orders there are, the steps that they used, and their slippage, by the names of `SUMMARY_COLUMNS`."""
    figures = {f"slippage_bps_{name}": float(np.percentile(slippage, percent)) for name, percent in QUANTILES.items()}
    mean, std = float(slippage.mean()), float(slippage.std())
    return {
        "orders": len(slippage),
        "steps_used_mean": float(steps.mean()),
        "slippage_bps_mean": mean,
        "slippage_bps_std": std,
    } | figures
