"""Mean gain against spread at every risk aversion, and each of these points against the baselines."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from app.backtest.job import LEM
from models.evaluation.backtest_run import Part
from models.evaluation.market_results import MarketResults
from models.evaluation.scenario_groups import ALL_GROUPS, POOLED
from models.evaluation.tables.row_figures import (
    Row,
    blocks_of,
    cells,
    gain_difference,
    row_of,
    sigma_bps,
    spread,
    width,
    with_interval,
)


def frontier(results: MarketResults) -> Iterator[Row]:
    """The LEM at every risk aversion, each baseline as one point."""
    of_baselines = [run for run in results.runs(Part.MAIN) if run.policy != LEM]
    for run in results.points() + of_baselines:
        orders = results.orders(run)
        unit = sigma_bps(orders, np.inf)[:, None]
        for group, min_steps in cells(run, POOLED):
            if min_steps in results.shown:
                gain = orders.gain_of(group, min_steps)
                yield {
                    **row_of(results, run),
                    "benchmark": group.benchmark,
                    "min_steps": min_steps,
                    "orders": gain.size,
                    **spread(gain),
                    "gain_sigma_mean": float((gain / unit).mean()),
                }


def frontier_paired(results: MarketResults, resamples: int, seed: int) -> Iterator[Row]:
    """Every point of the frontier against each baseline on the same orders. The point to look at must be chosen on
    other orders, those of the validation bars: the best of these rows favours the LEM."""
    points = [results.orders(run) for run in results.points()]
    for run in results.runs(Part.MAIN):
        if run.policy == LEM or not points:
            continue
        baseline = results.orders(run)
        blocks = blocks_of(points[0], resamples, seed)
        for group, min_steps in cells(run, ALL_GROUPS):
            for lem in points if min_steps in results.shown else ():
                slippage = lem.slippage_of(group, min_steps)
                lem_w, baseline_w = width(slippage), width(baseline.slippage_of(group, min_steps))
                yield {
                    "market": results.market,
                    "baseline": run.policy,
                    **group.words(),
                    "min_steps": min_steps,
                    "max_steps": run.max_steps,
                    "risk_aversion": lem.run.risk_aversion,
                    "lem_w_bps": lem_w,
                    "baseline_w_bps": baseline_w,
                    "no_wider": int(lem_w <= baseline_w),
                    "orders": slippage.size,
                    **with_interval(gain_difference(lem, baseline, group, min_steps), blocks, "gain_bps"),
                }
