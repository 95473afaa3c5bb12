"""After costs and by month: rows in the columns of columns.py."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from app.backtest.job import LEM
from models.evaluation.backtest_run import Part
from models.evaluation.columns import INTERVAL
from models.evaluation.groups import POOLED
from models.evaluation.results import Results
from models.evaluation.rivals import STOPPING_BASELINE
from models.evaluation.statistics import Row, blocks_of, cells, gain_difference, row_of, spread, with_interval


def costs(results: Results, resamples: int, seed: int) -> Iterator[Row]:
    """After half the spread and impact, by order size: each policy's gain, and by how much it is above TWAP's and above
    that of the stopping rule that knows no size."""
    for share in dict.fromkeys(run.order_share for run in results.runs(Part.COSTS)):
        found = {run.policy: results.orders(run) for run in results.runs(Part.COSTS) if run.order_share == share}
        for name, orders in found.items():
            rivals = {rival: found[rival] for rival in ("twap", STOPPING_BASELINE) if rival != name}
            blocks = blocks_of(orders, resamples, seed)
            for group, min_steps in cells(orders.run, POOLED):
                row = row_of(results, orders.run) | {"order_size": share, "benchmark": group.benchmark}
                gain = -orders.at(group, min_steps).astype(np.float64)
                row |= {"min_steps": min_steps, "orders": gain.size} | spread(gain)
                row["steps_used_mean"] = float(orders.steps_at(group, min_steps).mean())
                for rival, theirs in rivals.items():
                    better = gain_difference(orders, theirs, group, min_steps)
                    row |= with_interval(better, blocks, tuple(f"{column}_to_{rival}" for column in INTERVAL))
                yield row


def months(results: Results) -> Iterator[Row]:
    """Each policy's gain by the calendar month (UTC) of the orders' starts."""
    shown = set(results.runs(Part.FRONTIER, LEM)[0].min_steps)
    for run in results.runs(Part.MAIN):
        orders = results.orders(run)
        month = orders.start_time.astype("datetime64[s]").astype("datetime64[M]")
        for name in np.unique(month):
            part = orders.pick(np.flatnonzero(month == name))
            for group, min_steps in cells(run, POOLED):
                if min_steps in shown:
                    gain = -part.at(group, min_steps).astype(np.float64)
                    yield {
                        **row_of(results, run),
                        "month": str(name),
                        "benchmark": group.benchmark,
                        "min_steps": min_steps,
                        "orders": gain.size,
                        "gain_bps_mean": float(gain.mean()),
                        "std_bps": float(gain.std()),
                    }
