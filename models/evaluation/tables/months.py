"""Gains by calendar month."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from models.evaluation.backtest_run import Part
from models.evaluation.market_results import MarketResults
from models.evaluation.scenario_groups import POOLED
from models.evaluation.tables.row_figures import Row, cells, row_of


def months(results: MarketResults) -> Iterator[Row]:
    """Each policy's gain by the month (UTC) in which orders start."""
    for run in results.runs(Part.MAIN):
        orders = results.orders(run)
        month_of_start = orders.start_time.astype("datetime64[s]").astype("datetime64[M]")
        for month in np.unique(month_of_start):
            part = orders.pick(np.flatnonzero(month_of_start == month))
            for group, min_steps in cells(run, POOLED):
                if min_steps in results.shown:
                    gain = part.gain_of(group, min_steps)
                    yield {
                        **row_of(results, run),
                        "month": str(month),
                        "benchmark": group.benchmark,
                        "min_steps": min_steps,
                        "orders": gain.size,
                        "gain_bps_mean": float(gain.mean()),
                        "std_bps": float(gain.std()),
                    }
