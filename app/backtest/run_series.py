"""Run orders over one series and measure what they achieve."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

from app.backtest.observing import OBSERVING_SHARE, Observed, observe_series
from app.backtest.order_batch import OrderBatch
from app.backtest.progress import OnShare
from app.backtest.setup import Setup
from app.bars.series import Series
from app.decision.chain import ChainReading
from app.decision.decide import DecidedBatch, decide_all
from app.decision.policy import Policy
from app.decision.scenarios import SIGN
from app.domain.benchmark import slippage_bps

Integers = NDArray[np.int64]
Vector = NDArray[np.float64]

ORDERS_PER_PART = 8192


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """What was decided at each step, [B, N]: the raw proposal (NaN after the end), and the `lots` that it became."""

    allocation: Vector
    stop_probability: Vector
    lots: Integers

    @classmethod
    def blank(cls, orders: int, steps: int) -> Trace:
        shape = (orders, steps)
        return cls(
            allocation=np.full(shape, np.nan), stop_probability=np.full(shape, np.nan), lots=np.zeros(shape, np.int64)
        )

    def note(self, step: int, orders: Integers, decided: DecidedBatch) -> None:
        self.lots[orders, step - 1] = decided.projections.lots
        self.allocation[orders, step - 1] = decided.allocation
        self.stop_probability[orders, step - 1] = decided.stop_probability


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """Finished orders as arrays [B]. `start` is the bar of the first window, `slippage_bps` is a cost where positive,
    `sigma` is the volatility per bar known at the start, as a fraction of the price.

    `min_steps` and `max_steps` are the order's own, `skipped` is that of `OrderStarts`. `decisions` counts all
    decisions, `fallbacks` those that are not the policy's. `trace` is kept on demand.
    """

    start: Integers
    scenario: Integers
    min_steps: Integers
    max_steps: Integers
    steps_used: Integers
    avg_price: Vector
    benchmark_price: Vector
    slippage_bps: Vector
    sigma: Vector
    skipped: int
    decisions: int
    fallbacks: int
    trace: Trace | None


def run_series(
    series: Series,
    policy: Policy,
    setup: Setup,
    *,
    trace: bool = False,
    observed: Observed | None = None,
    on_progress: OnShare = lambda _: None,
) -> Outcome:
    """Run all orders of `setup` over one gapless series, with the decisions that the service would take.

    `observed` is what `observe_series` gave for the same series and policy; without it the market is read first.
    """
    share = 1.0 if observed else 1.0 - OBSERVING_SHARE
    observed = observed or observe_series(series, policy, setup, on_progress)
    kinds = np.array(list(product([scenario.index for scenario in setup.scenarios], setup.min_steps)), dtype=np.int64)
    start, max_steps = np.repeat(observed.starts, len(kinds)), np.repeat(observed.windows, len(kinds))
    scenario, min_steps = np.tile(kinds, (len(observed.starts), 1)).T
    batch = OrderBatch(series, setup, start=start, scenario=scenario, min_steps=min_steps, max_steps=max_steps)
    noted = Trace.blank(len(start), setup.max_steps) if trace else None
    decisions = fallbacks = 0
    for first in range(0, len(start), ORDERS_PER_PART):
        part = np.arange(first, min(first + ORDERS_PER_PART, len(start)))
        decided, fell_back = _work(batch, part, observed, noted)
        decisions, fallbacks = decisions + decided, fallbacks + fell_back
        on_progress(share * len(part) / len(start))
    every_order = np.arange(len(start))
    achieved, benchmark = batch.avg_price(every_order), batch.benchmark_price(every_order)
    return Outcome(
        start=start,
        scenario=scenario,
        min_steps=batch.min_steps,
        max_steps=max_steps,
        steps_used=batch.steps_used,
        avg_price=achieved,
        benchmark_price=benchmark,
        slippage_bps=slippage_bps(SIGN[scenario], achieved, benchmark),
        sigma=batch.sigma,
        skipped=observed.skipped,
        decisions=decisions,
        fallbacks=fallbacks,
        trace=noted,
    )


def _work(batch: OrderBatch, part: Integers, observed: Observed, trace: Trace | None) -> tuple[int, int]:
    """Take the orders `part` of the batch from their first step to their last. Returns how many decisions were made,
    and how many of them fell back."""
    decided = fell_back = 0
    for step in range(1, batch.setup.max_steps + 1):
        live = part[batch.leaves[part] > 0]
        if not len(live):
            break
        rows, rooms = batch.rows(step, live, observed.market_of_bar), batch.rooms(step, live)
        batch_decided = decide_all(ChainReading(observed.reading), rows, rooms)
        batch.stopping[live] = batch_decided.projections.stopping
        batch.trade(step, live, batch_decided.projections.lots)
        decided, fell_back = decided + len(live), fell_back + batch_decided.fallbacks
        if trace is not None:
            trace.note(step, live, batch_decided)
    if batch.leaves[part].any():
        raise RuntimeError("an order is unfinished after max_steps, though no limit of a backtest can prevent its end")
    return decided, fell_back
