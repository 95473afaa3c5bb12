"""Gains after half the spread and market impact, by the size of orders."""

from __future__ import annotations

from collections.abc import Iterator

from models.evaluation.backtest_run import Part
from models.evaluation.market_results import MarketResults
from models.evaluation.rivals import STOPPING_BASELINE
from models.evaluation.scenario_groups import POOLED
from models.evaluation.tables.row_figures import Row, blocks_of, cells, gain_difference, row_of, spread, with_interval


def costs(results: MarketResults, resamples: int, seed: int) -> Iterator[Row]:
    """Each policy's gain, and how much higher it is than the gains of TWAP and of the stopping rule, which knows no
    size."""
    for share in dict.fromkeys(run.order_share for run in results.runs(Part.COSTS)):
        by_policy = {run.policy: results.orders(run) for run in results.runs(Part.COSTS) if run.order_share == share}
        for policy, orders in by_policy.items():
            rivals = {rival: by_policy[rival] for rival in ("twap", STOPPING_BASELINE) if rival != policy}
            blocks = blocks_of(orders, resamples, seed)
            for group, min_steps in cells(orders.run, POOLED):
                gain = orders.gain_of(group, min_steps)
                row = {
                    **row_of(results, orders.run),
                    "order_size": share,
                    "benchmark": group.benchmark,
                    "min_steps": min_steps,
                    "orders": gain.size,
                    **spread(gain),
                    "steps_used_mean": float(orders.steps_of(group, min_steps).mean()),
                }
                for rival, rival_orders in rivals.items():
                    better = gain_difference(orders, rival_orders, group, min_steps)
                    row |= with_interval(better, blocks, "gain_bps", against=f"_to_{rival}")
                yield row
