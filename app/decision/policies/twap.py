"""The same share in every step: the fallback of last resort."""

from __future__ import annotations

import numpy as np

from app.decision.market import Floats, Market
from app.decision.policies.pacing import even_pace, towards
from app.decision.policies.raw_windows import flat_forecast
from app.decision.policy import Proposal, Rows
from app.domain.order import HORIZON_STEPS_MAX


class Twap:
    """Paces evenly to max_steps and never stops. The policy serves on any window, one without a single bar included.

    The volume forecast is the trailing mean for every step, so that participation limits work here too. The context is
    empty.
    """

    name: str = "twap"
    lookback: int = 96
    history_min: int = 0
    max_steps: int = HORIZON_STEPS_MAX
    risk_aversion: float = 0.0

    def observe(self, windows: Floats, steps: int) -> Market:
        nothing = np.zeros((len(windows), 0), dtype=np.float32)
        return Market(context=nothing, volume_forecast=flat_forecast(windows, self.lookback, steps))

    def propose(self, market: Market, rows: Rows) -> Proposal:
        return Proposal(allocation=towards(even_pace(rows), rows), stop_probability=np.zeros(len(rows)))
