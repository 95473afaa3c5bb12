"""Trade in step with the volume that the market is expected to trade, whoever expects it.

Shapes: G windows, L bars, N steps, B orders.
"""

from __future__ import annotations

from abc import ABC, abstractmethod

import numpy as np
from numpy.typing import NDArray

from app.decision.market import Floats, Market
from app.decision.policies.pacing import even_pace, towards
from app.decision.policies.raw_windows import FORECAST_STEPS_MAX
from app.decision.policy import Proposal, Rows
from app.decision.scenarios import IS_VWAP
from app.domain.order import HORIZON_STEPS_MAX

Matrix = NDArray[np.float64]

LOOKBACK = 673
"""A week of 15 minute bars and the bar before it, so that each of the seven days has its same time of day."""


class VolumePacing(ABC):
    """VWAP orders follow the cumulative share of the expected volume, TWAP orders the even pace; none is stopped."""

    name: str
    lookback: int = LOOKBACK
    history_min: int = 1
    max_steps: int = HORIZON_STEPS_MAX
    risk_aversion: float = 0.0

    @abstractmethod
    def forecast(self, windows: Floats, steps: int) -> Matrix:
        """[G, N]: the mean volume expected in each of the next `steps`."""

    def observe(self, windows: Floats, steps: int) -> Market:
        """The context is empty."""
        nothing = np.zeros((len(windows), 0), dtype=np.float32)
        forecast = self.forecast(windows, min(steps, FORECAST_STEPS_MAX))
        return Market(context=nothing, volume_forecast=forecast.astype(np.float32))

    def propose(self, market: Market, rows: Rows) -> Proposal:
        pace = np.where(IS_VWAP[rows.scenario], volume_pace(market, rows), even_pace(rows))
        return Proposal(allocation=towards(pace, rows), stop_probability=np.zeros(len(rows)))


def volume_pace(market: Market, rows: Rows) -> Matrix:
    """[B]: (volume so far + next step) / (volume so far + steps to max_steps); the even pace where that is 0 / 0."""
    steps_left = rows.max_steps - rows.step + 1
    total = rows.benchmark_volume + market.expected_volume(rows.market, rows.windows_unseen, steps_left)
    done = rows.benchmark_volume + market.expected_volume(rows.market, rows.windows_unseen, np.ones_like(steps_left))
    pace: Matrix = np.divide(done, total, out=even_pace(rows), where=total > 0.0)
    pace[steps_left == 1] = 1.0
    return pace
