"""Names of the policies that are measured: the model, and the rules without a model beside it."""

from __future__ import annotations

from app.backtest.job import LEM
from app.decision.policies.registry import BASELINES

POLICIES = (LEM, *BASELINES)
STOPPING_BASELINE = "optimal_stopping"
RIVALS = {"twap": STOPPING_BASELINE, "vwap": "volume_aware_stopping"}
"""The strongest rule without a model, by benchmark."""
