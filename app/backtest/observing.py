"""Find where orders start in a series, and let a policy read the market wherever one of them is decided."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app.backtest.progress import OnShare
from app.backtest.setup import Setup
from app.bars.series import Series, raw_rows, raw_windows
from app.decision.chain import Reading
from app.decision.market import Market
from app.decision.policy import Policy

Integers = NDArray[np.int64]

WINDOWS_PER_BATCH = 256
OBSERVING_SHARE = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Observed:
    """What a policy read of one series.

    `starts` are the bars of the orders' first windows, `skipped` counts the starts that were left out;
    `market_of_bar[t]` is the row of the reading when bar t has closed (-1: nothing is decided then).
    """

    starts: Integers
    skipped: int
    reading: Reading
    market_of_bar: Integers


def observe_series(series: Series, policy: Policy, setup: Setup, on_progress: OnShare = lambda _: None) -> Observed:
    """Find the starts and read the market, once for all setups that differ in neither `every`, `start`, `end` nor
    `max_steps`."""
    starts, skipped = order_starts(series, policy, setup)
    reading, market_of_bar = read_market(series, policy, starts, setup.max_steps, on_progress)
    return Observed(starts=starts, skipped=skipped, reading=reading, market_of_bar=market_of_bar)


def order_starts(series: Series, policy: Policy, setup: Setup) -> tuple[Integers, int]:
    """The bars of the orders' first windows, and how many starts were left out for a synthetic bar in the horizon.

    Starts lie on multiples of `every` whatever the policy, so that policies meet the same orders. Of the bars that the
    policy reads before a start at least one and `history_min` must be true ones, as in the service.
    """
    starts = np.arange(0, len(series) - setup.max_steps + 1, setup.every)
    opens = series.open_time[starts]
    true_bars = np.concatenate([[0], np.cumsum(~series.synthetic)])
    kept = true_bars[starts] - true_bars[np.maximum(starts - policy.lookback, 0)] >= max(1, policy.history_min)
    if setup.start is not None:
        kept &= opens >= setup.start
    if setup.end is not None:
        kept &= opens < setup.end
    starts = starts[kept]
    synthetic = np.concatenate([[0], np.cumsum(series.synthetic)])
    whole = synthetic[starts + setup.max_steps] == synthetic[starts]
    return starts[whole], int((~whole).sum())


def read_market(
    series: Series, policy: Policy, starts: Integers, max_steps: int, on_progress: OnShare
) -> tuple[Reading, Integers]:
    """Observe each bar that some order is decided on, once. Returns the reading, and the row of it for each bar (-1:
    none)."""
    newest = np.unique(starts[:, None] - 1 + np.arange(max_steps))
    market_of_bar = np.full(len(series), -1, dtype=np.int64)
    market_of_bar[newest] = np.arange(len(newest))
    rows = raw_rows(series)
    contexts, forecasts = [], []
    for first in range(0, len(newest), WINDOWS_PER_BATCH):
        chosen = newest[first : first + WINDOWS_PER_BATCH]
        market = policy.observe(raw_windows(rows, policy.lookback, chosen), max_steps)
        contexts.append(market.context)
        forecasts.append(market.volume_forecast)
        on_progress(OBSERVING_SHARE * len(chosen) / len(newest))
    if not contexts:
        return Reading(policy=policy, market=None, unavailable="no_orders"), market_of_bar
    read = Market(context=np.concatenate(contexts), volume_forecast=np.concatenate(forecasts))
    return Reading(policy=policy, market=read), market_of_bar
