"""The paper's tables, paired differences and the frontier: rows in the columns of columns.py."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from app.backtest.job import LEM
from models.evaluation.backtest_run import Part
from models.evaluation.columns import INTERVAL, INTERVAL_SIGMA
from models.evaluation.groups import ALL_GROUPS, POOLED
from models.evaluation.published import published_rows
from models.evaluation.results import Results
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
    blocks = blocks_of(lem, resamples, seed)
    unit = 1e4 * np.where(lem.sigma > 0.0, lem.sigma, np.inf)
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
                "orders": lem.at(group, min_steps).size,
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


def frontier_paired(results: Results, resamples: int, seed: int) -> Iterator[Row]:
    """Every point of the frontier against each baseline on the same orders. Which point to look at is for other orders
    to say, of the validation split: the best of these rows favours the LEM."""
    points = [results.orders(run) for run in results.runs(Part.FRONTIER, LEM)]
    for run in results.runs(Part.MAIN):
        if run.policy == LEM or not points:
            continue
        baseline = results.orders(run)
        blocks = blocks_of(points[0], resamples, seed)
        for group, min_steps in cells(points[0].run, ALL_GROUPS):
            for lem in points:
                ours, theirs = width(lem.at(group, min_steps)), width(baseline.at(group, min_steps))
                yield {
                    "market": results.market,
                    "baseline": run.policy,
                    **group.words(),
                    "min_steps": min_steps,
                    "risk_aversion": lem.run.risk_aversion,
                    "lem_w_bps": ours,
                    "baseline_w_bps": theirs,
                    "no_wider": int(ours <= theirs),
                    "orders": lem.at(group, min_steps).size,
                    **with_interval(gain_difference(lem, baseline, group, min_steps), blocks, INTERVAL),
                }
