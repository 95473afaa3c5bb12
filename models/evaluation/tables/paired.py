"""The model against each baseline, order by order."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from app.backtest.job import LEM
from models.evaluation.backtest_run import Part
from models.evaluation.market_results import MarketResults
from models.evaluation.scenario_groups import ALL_GROUPS
from models.evaluation.tables.row_figures import Row, blocks_of, cells, gain_difference, sigma_bps, with_interval


def paired(results: MarketResults, resamples: int, seed: int) -> Iterator[Row]:
    """The LEM's gain less each baseline's on the same orders, with 95 % intervals: positive where the LEM is better."""
    lem = results.orders(results.runs(Part.MAIN, LEM)[0])
    blocks = blocks_of(lem, resamples, seed)
    unit = sigma_bps(lem, np.inf)
    for run in results.runs(Part.MAIN):
        if run.policy == LEM:
            continue
        other = results.orders(run)
        for group, min_steps in cells(run, ALL_GROUPS):
            better = gain_difference(lem, other, group, min_steps)
            yield {
                "market": results.market,
                "baseline": run.policy,
                **group.words(),
                "min_steps": min_steps,
                "max_steps": run.max_steps,
                "orders": lem.slippage_of(group, min_steps).size,
                "days": blocks.days,
                "block_days": blocks.block_days,
                "block_span_days": blocks.block_span_days,
                "horizon_days": blocks.horizon_days,
                **with_interval(better, blocks, "gain_bps"),
                **with_interval(better / unit, blocks, "gain_sigma"),
            }
