"""Let a policy read the market wherever one of them is decided."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from app.backtest.progress import OnShare
from app.backtest.setup import Setup
from app.backtest.starts import OrderStarts, order_starts
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

    `starts`, `windows` and `skipped` are those of `OrderStarts`. `market_of_bar[t]` is the row of the reading when bar
    t has closed (-1: nothing is decided then).
    """

    starts: Integers
    windows: Integers
    skipped: int
    reading: Reading
    market_of_bar: Integers

    def pick(self, chosen: Integers) -> Observed:
        """The starts at the given positions, on the same reading."""
        return replace(self, starts=self.starts[chosen], windows=self.windows[chosen])


def observe_series(series: Series, policy: Policy, setup: Setup, on_progress: OnShare = lambda _: None) -> Observed:
    """Find the starts and read the market, once for all setups that have the same starts and `max_steps`."""
    found = order_starts(series, policy, setup)
    reading, market_of_bar = read_market(series, policy, found, setup.max_steps, on_progress)
    return Observed(
        starts=found.bar, windows=found.windows, skipped=found.skipped, reading=reading, market_of_bar=market_of_bar
    )


def read_market(
    series: Series, policy: Policy, starts: OrderStarts, max_steps: int, on_progress: OnShare
) -> tuple[Reading, Integers]:
    """Observe each bar that some order is decided on, once. Returns the reading, and the row of it for each bar (-1:
    none)."""
    step = np.arange(max_steps)
    newest = np.unique((starts.bar[:, None] - 1 + step)[step < starts.windows[:, None]])
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
