"""The paper's tables: slippage of every policy at its default risk aversion, beside the printed figures."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from models.evaluation.backtest_run import Part
from models.evaluation.market_results import MarketResults
from models.evaluation.published import MAX_STEPS as PUBLISHED_STEPS
from models.evaluation.published import MIRROR, published_rows
from models.evaluation.scenario_groups import ALL_GROUPS
from models.evaluation.tables.row_figures import Row, cells, distribution, row_of, sigma_bps

MEASURED = "measured"


def distributions(results: MarketResults, published: str | None) -> Iterator[Row]:
    """`published` names a block of printed figures, which are of orders of 12 steps."""
    for run in results.runs(Part.MAIN):
        orders = results.orders(run)
        unit = sigma_bps(orders, np.nan)[:, None]
        for group, min_steps in cells(run, ALL_GROUPS):
            slippage = orders.slippage_of(group, min_steps).astype(np.float64)
            in_sigma = slippage / unit
            yield {
                **row_of(results, run),
                "source": MEASURED,
                **group.words(),
                "min_steps": min_steps,
                "orders": slippage.size,
                "steps_used_mean": float(orders.steps_of(group, min_steps).mean()),
                **{f"slippage_bps_{name}": value for name, value in distribution(slippage).items()},
                **{f"slippage_sigma_{name}": value for name, value in distribution(in_sigma).items()},
            }
    if published and results.max_steps == PUBLISHED_STEPS:
        yield from ({"market": results.market, **row} for row in published_rows(published))


def as_gains(row: Row) -> Row:
    """A row of slippage (positive is a cost) with the same figures as gains: positive is good. A figure that the row
    lacks stays away."""
    found = {}
    for unit in ("bps", "sigma"):
        for name, mirrored in MIRROR.items():
            value = row.get(f"slippage_{unit}_{mirrored}")
            if value is not None:
                found[f"gain_{unit}_{name}"] = value if name == "std" else -value
    return row | found
