"""The paper's tables, paired differences and the frontier: rows in the columns of columns.py."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from models.evaluation.bootstrap import DayBlocks
from models.evaluation.columns import INTERVAL, INTERVAL_SIGMA
from models.evaluation.groups import ALL_GROUPS, POOLED, Group
from models.evaluation.published import published_rows
from models.evaluation.results import Orders, Results, same_orders
from models.evaluation.runs import LEM, Part
from models.evaluation.statistics import (
    Row,
    blocks_of,
    cells,
    distribution,
    gain_difference,
    row_of,
    spread,
    width,
    with_interval,
)


def distributions(results: Results, published: str | None) -> Iterator[Row]:
    """The paper's tables: every policy at its default, and the figures that the paper printed."""
    for run in results.runs(Part.MAIN):
        orders = results.orders(run)
        unit = 1e4 * np.where(orders.sigma > 0.0, orders.sigma, np.nan)[:, None]
        for group, min_steps in cells(run, ALL_GROUPS):
            slippage = orders.at(group, min_steps).astype(np.float64)
            in_sigma = slippage / unit
            yield {
                **row_of(results, run),
                "source": "measured",
                **group.words(),
                "min_steps": min_steps,
                "max_steps": run.max_steps,
                "orders": slippage.size,
                "steps_used_mean": float(orders.steps_at(group, min_steps).mean()),
                **{f"slippage_bps_{name}": value for name, value in distribution(slippage).items()},
                **{f"slippage_sigma_{name}": value for name, value in distribution(in_sigma).items()},
            }
    if published:
        yield from ({"market": results.market, **row} for row in published_rows(published))


def paired(results: Results, resamples: int, seed: int) -> Iterator[Row]:
    """The LEM's gain less each baseline's on the same orders, with 95 % intervals: positive where the LEM is better."""
    lem = results.orders(results.runs(Part.MAIN, LEM)[0])
    for run in results.runs(Part.MAIN):
        if run.policy == LEM:
            continue
        one, other = same_orders(lem, results.orders(run))
        blocks = blocks_of(one, resamples, seed)
        unit = 1e4 * np.where(one.sigma > 0.0, one.sigma, np.inf)
        for group, min_steps in cells(run, ALL_GROUPS):
            better = gain_difference(one, other, group, min_steps)
            yield {
                "market": results.market,
                "baseline": run.policy,
                **group.words(),
                "min_steps": min_steps,
                "orders": one.at(group, min_steps).size,
                "days": blocks.days,
                "block_days": blocks.block_days,
                **with_interval(better, blocks, INTERVAL),
                **with_interval(better / unit, blocks, INTERVAL_SIGMA),
            }


def frontier(results: Results) -> Iterator[Row]:
    """Mean gain against spread: the LEM at every risk aversion, the baselines as points."""
    shown = results.runs(Part.FRONTIER, LEM)
    steps = set(shown[0].min_steps)
    for run in shown + [run for run in results.runs(Part.MAIN) if run.policy != LEM]:
        orders = results.orders(run)
        unit = 1e4 * np.where(orders.sigma > 0.0, orders.sigma, np.inf)[:, None]
        for group, min_steps in cells(run, POOLED):
            if min_steps in steps:
                gain = -orders.at(group, min_steps).astype(np.float64)
                yield {
                    **row_of(results, run),
                    "benchmark": group.benchmark,
                    "min_steps": min_steps,
                    "orders": gain.size,
                    **spread(gain),
                    "gain_sigma_mean": float((gain / unit).mean()),
                }


def matched(results: Results, resamples: int, seed: int) -> Iterator[Row]:
    """Against each baseline the point of the frontier that gains most at no more spread than the baseline's (P95 - P5),
    on the same orders. Its risk aversion is chosen on these very orders; no point is within that spread where empty."""
    frontier_orders = [results.orders(run) for run in results.runs(Part.FRONTIER, LEM)]
    for run in results.runs(Part.MAIN):
        if run.policy == LEM or not frontier_orders:
            continue
        points = [same_orders(point, results.orders(run)) for point in frontier_orders]
        blocks = blocks_of(points[0][0], resamples, seed)
        for group, min_steps in cells(frontier_orders[0].run, ALL_GROUPS):
            yield {
                "market": results.market,
                "baseline": run.policy,
                **group.words(),
                "min_steps": min_steps,
                **_best_within(points, group, min_steps, blocks),
            }


def _best_within(points: Sequence[tuple[Orders, Orders]], group: Group, min_steps: int, blocks: DayBlocks) -> Row:
    limit = width(points[0][1].at(group, min_steps))
    within = [pair for pair in points if width(pair[0].at(group, min_steps)) <= limit]
    if not within:
        return {"baseline_w_bps": limit}
    lem, baseline = min(within, key=lambda pair: float(pair[0].at(group, min_steps).mean()))
    return {
        "risk_aversion": lem.run.risk_aversion,
        "lem_w_bps": width(lem.at(group, min_steps)),
        "baseline_w_bps": limit,
        "orders": lem.at(group, min_steps).size,
        **with_interval(gain_difference(lem, baseline, group, min_steps), blocks, INTERVAL),
    }
