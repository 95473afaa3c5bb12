"""Policies beside each other on the same orders: distributions, and paired differences with intervals.

One sign in all of it: slippage in bps, positive is a cost. What a policy costs more than the model is positive too.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.backtest.bootstrap import DayBlocks
from app.backtest.job import LEM
from app.backtest.order_tables import QUANTILES, distribution
from app.backtest.paired_orders import PairedOrders, start_seconds
from app.domain.durations import DAY_SECONDS

Vector = NDArray[np.float64]
Flags = NDArray[np.bool_]
Row = dict[str, Any]
"""A row by the names of `COMPARISON_COLUMNS`."""

ALL = "all"
"""Stands where a total has every benchmark, or every min_steps."""
RESAMPLES, SEED = 2_000, 0
OVER_LEM = ("over_lem_bps", "over_lem_bps_low", "over_lem_bps_high")
COMPARISON_COLUMNS = (
    "sample", "benchmark", "min_steps", "policy", "orders", "steps_used_mean", "slippage_bps_mean", "slippage_bps_std",
    *(f"slippage_bps_{name}" for name in QUANTILES), *OVER_LEM, "days", "narrow",
)  # fmt: skip
"""`over_lem_bps` is the mean of what a policy costs more than the model on the same orders, with the limits of a 95 %
interval; `days` are those on which orders start, and `narrow` says that there are too few of them: orders of different
blocks of days overlap, and the interval is too narrow."""


def comparison(orders: PairedOrders) -> list[Row]:
    """Each policy by sample, benchmark and min_steps, then in total by sample; sides and size modes together. Samples
    are never added up: what a model has seen flatters it."""
    return [
        row
        for sample, of_sample in _samples(orders)
        for benchmark, min_steps, chosen in _cells(orders, of_sample)
        for row in _rows(orders, chosen, {"sample": sample, "benchmark": benchmark, "min_steps": min_steps})
    ]


def is_total(row: Row) -> bool:
    """Whether the row is of all orders of its sample."""
    return bool(row["benchmark"] == ALL)


def _samples(orders: PairedOrders) -> Iterator[tuple[str, Flags]]:
    if not orders.samples:
        yield "", np.ones(len(orders), dtype=np.bool_)
    for sample in orders.samples:
        yield sample, orders.column("sample") == sample


def _cells(orders: PairedOrders, of_sample: Flags) -> Iterator[tuple[str, int | str, Flags]]:
    benchmark, min_steps = orders.column("benchmark"), orders.column("min_steps")
    names = sorted(set(benchmark[of_sample].tolist()))
    steps = sorted(set(min_steps[of_sample].tolist()))
    for name in names:
        for shortest in steps:
            chosen = of_sample & (benchmark == name) & (min_steps == shortest)
            if chosen.any():
                yield name, shortest, chosen
    if len(names) * len(steps) > 1:
        yield ALL, ALL, of_sample


def _rows(orders: PairedOrders, chosen: Flags, words: Row) -> Iterator[Row]:
    slippage = {name: table.column("slippage_bps").to_numpy()[chosen] for name, table in orders.tables.items()}
    day = start_seconds(orders.tables[orders.policies[0]])[chosen] // DAY_SECONDS
    blocks = DayBlocks(day, horizon_days=orders.horizon_days, resamples=RESAMPLES, seed=SEED)
    few = {"days": blocks.days, "narrow": int(blocks.block_span_days <= blocks.horizon_days)}
    for policy, table in orders.tables.items():
        figures = distribution(slippage[policy], table.column("steps_used").to_numpy()[chosen])
        row = {**words, "policy": policy, **figures, **few}
        yield row if policy == LEM or LEM not in slippage else row | _over(slippage[policy] - slippage[LEM], blocks)


def _over(more: Vector, blocks: DayBlocks) -> Row:
    return dict(zip(OVER_LEM, (float(more.mean()), *blocks.interval(more)), strict=True))
