"""The same share in every step: the fallback of last resort."""

from __future__ import annotations

import numpy as np

from app.decision.market import Floats, Market
from app.decision.policies.pacing import even_pace, towards
from app.decision.policies.windows import STEPS_MAX, trailing_mean_volume
from app.decision.policy import Proposal, Rows


class Twap:
    """Paces evenly to max_steps and never stops. It serves on any window, one without a single bar included.

    Its volume forecast is the trailing mean for every step, so that participation limits work with it too; the context
    is empty.
    """

    name: str = "twap"
    lookback: int = 96
    history_min: int = 0
    max_steps: int = STEPS_MAX
    risk_aversion: float = 0.0

    def observe(self, windows: Floats) -> Market:
        mean = trailing_mean_volume(windows, self.lookback)
        forecast = np.repeat(mean[:, None], self.max_steps, axis=1)
        return Market(np.zeros((len(windows), 0), dtype=np.float32), forecast.astype(np.float32))

    def propose(self, market: Market, rows: Rows) -> Proposal:
        return Proposal(towards(even_pace(rows), rows), np.zeros(len(rows)))
