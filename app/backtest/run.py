"""Send orders over one series and see what they achieve."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

from app.backtest.book import Book
from app.backtest.series import Series, raw_rows, raw_windows
from app.backtest.setup import Setup
from app.domain.benchmark import slippage_bps
from app.domain.order import SCENARIOS
from app.domain.slices import Basis
from app.engine.decide import Decision, Reading, decide
from app.engine.market import Market
from app.engine.policy import Policy

Integers = NDArray[np.int64]
Vector = NDArray[np.float64]
Progress = Callable[[float], None]
"""Is told the share of the work that was done since it was last told; the shares of one series add up to 1."""

WINDOWS_PER_BATCH = 256
ORDERS_PER_BATCH = 8192
OBSERVING_SHARE = 0.5

SIGN = np.array([scenario.side.sign for scenario in SCENARIOS], dtype=np.float64)


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """What was decided at each step, [B, N]: the raw proposal (NaN after the end), and the `lots` it became."""

    allocation: Vector
    stop_probability: Vector
    lots: Integers

    @classmethod
    def blank(cls, orders: int, steps: int) -> Trace:
        shape = (orders, steps)
        return cls(
            allocation=np.full(shape, np.nan), stop_probability=np.full(shape, np.nan), lots=np.zeros(shape, np.int64)
        )

    def note(self, step: int, orders: Integers, lots: Integers, decisions: list[Decision]) -> None:
        self.lots[orders, step - 1] = lots
        self.allocation[orders, step - 1] = [decision.allocation for decision in decisions]
        self.stop_probability[orders, step - 1] = [decision.stop_probability for decision in decisions]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """Finished orders, arrays [B]. `start` is the bar of the first window; `slippage_bps` is a cost where positive.

    `skipped` counts starts that were left out because a synthetic bar lies in their horizon, `decisions` and
    `fallbacks` what was decided, and how much of it not by the policy. `trace` is kept on demand.
    """

    start: Integers
    scenario: Integers
    min_steps: Integers
    steps_used: Integers
    avg_price: Vector
    benchmark_price: Vector
    slippage_bps: Vector
    skipped: int
    decisions: int
    fallbacks: int
    trace: Trace | None


def run_series(
    series: Series, policy: Policy, setup: Setup, *, trace: bool = False, progress: Progress = lambda _: None
) -> Outcome:
    """All orders of `setup` over one gapless series, decided by the same function as the service's."""
    starts, skipped = order_starts(series, policy.history_min, setup)
    kinds = np.array(list(product([scenario.index for scenario in setup.scenarios], setup.min_steps)), dtype=np.int64)
    start = np.repeat(starts, len(kinds))
    scenario, min_steps = np.tile(kinds, (len(starts), 1)).T
    reading, market_of_bar = read_market(series, policy, starts, setup.max_steps, progress)
    book = Book(series, setup, start, scenario, min_steps)
    noted = Trace.blank(len(start), setup.max_steps) if trace else None
    decisions = fallbacks = 0
    for first in range(0, len(start), ORDERS_PER_BATCH):
        orders = np.arange(first, min(first + ORDERS_PER_BATCH, len(start)))
        made, fell_back = _work(book, orders, reading, market_of_bar, noted)
        decisions, fallbacks = decisions + made, fallbacks + fell_back
        progress((1.0 - OBSERVING_SHARE) * len(orders) / len(start))
    every_order = np.arange(len(start))
    achieved, benchmark = book.avg_price(every_order), book.benchmark_price(every_order)
    return Outcome(
        start=start,
        scenario=scenario,
        min_steps=min_steps,
        steps_used=book.steps_used,
        avg_price=achieved,
        benchmark_price=benchmark,
        slippage_bps=slippage_bps(SIGN[scenario], achieved, benchmark),
        skipped=skipped,
        decisions=decisions,
        fallbacks=fallbacks,
        trace=noted,
    )


def order_starts(series: Series, history_min: int, setup: Setup) -> tuple[Integers, int]:
    """The bars of the orders' first windows, and how many were skipped for a synthetic bar in the horizon.

    They lie on multiples of `every` whatever the policy, so that policies meet the same orders; at least one bar and
    `history_min` of them must have closed before.
    """
    starts = np.arange(0, len(series) - setup.max_steps + 1, setup.every)
    opens = series.open_time[starts]
    kept = starts >= max(1, history_min)
    if setup.start is not None:
        kept &= opens >= setup.start
    if setup.end is not None:
        kept &= opens < setup.end
    starts = starts[kept]
    made = np.concatenate([[0], np.cumsum(series.synthetic)])
    whole = made[starts + setup.max_steps] == made[starts]
    return starts[whole], int((~whole).sum())


def read_market(
    series: Series, policy: Policy, starts: Integers, max_steps: int, progress: Progress
) -> tuple[Reading, Integers]:
    """Observe every bar that some order is decided on, once; and the row of the reading for each bar (-1: none)."""
    newest = np.unique(starts[:, None] - 1 + np.arange(max_steps))
    market_of_bar = np.full(len(series), -1, dtype=np.int64)
    market_of_bar[newest] = np.arange(len(newest))
    rows = raw_rows(series)
    contexts, forecasts = [], []
    for first in range(0, len(newest), WINDOWS_PER_BATCH):
        chosen = newest[first : first + WINDOWS_PER_BATCH]
        market = policy.observe(raw_windows(rows, policy.lookback, chosen))
        contexts.append(market.context)
        forecasts.append(market.volume_forecast)
        progress(OBSERVING_SHARE * len(chosen) / len(newest))
    if not contexts:
        return Reading(policy, None, "no_orders"), market_of_bar
    return Reading(policy, Market(np.concatenate(contexts), np.concatenate(forecasts))), market_of_bar


def _work(
    book: Book, orders: Integers, reading: Reading, market_of_bar: Integers, trace: Trace | None
) -> tuple[int, int]:
    """Take `orders` of the book from their first step to their last; how many decisions it took, how many fell back."""
    made = fell_back = 0
    for step in range(1, book.setup.max_steps + 1):
        live = orders[book.leaves[orders] > 0]
        if not len(live):
            break
        decisions = decide([reading], book.rows(step, live, market_of_bar), book.rooms(step, live))
        lots = book.trade(step, live, decisions)
        made += len(decisions)
        fell_back += sum(decision.basis is Basis.FALLBACK for decision in decisions)
        if trace is not None:
            trace.note(step, live, lots, decisions)
    if book.leaves[orders].any():
        raise RuntimeError(
            "an order is unfinished after max_steps, though no limit of a backtest can keep it from that"
        )
    return made, fell_back
