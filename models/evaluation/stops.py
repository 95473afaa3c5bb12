"""The gain of stopping at every step, beside the probability of stopping that the model gave there.

Orders are run without a stop. Their path does not depend on decisions about the stop, so two gains can be read from it
at each step: that of finishing now, and that of going on and stopping later by the model's own rule.

Shapes: B orders, N steps, D decisions at which stopping was allowed.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.backtest.run_series import Outcome, Trace
from app.backtest.setup import TOTAL_LOTS, Setup
from app.bars.series import Series
from app.decision.market import Floats, Market
from app.decision.policy import Policy, Proposal, Rows
from app.decision.scenarios import IS_VWAP, SIGN
from app.domain.benchmark import slippage_bps
from app.domain.projection import STOP_THRESHOLD

Matrix = NDArray[np.float64]
Flags = NDArray[np.bool_]


class NeverStopping:
    """The policy with half its probability of stopping. A stop needs more than one half, so its orders never stop."""

    def __init__(self, policy: Policy) -> None:
        self.policy = policy
        self.name, self.lookback, self.history_min = policy.name, policy.lookback, policy.history_min
        self.max_steps, self.risk_aversion = policy.max_steps, policy.risk_aversion

    def observe(self, windows: Floats, steps: int) -> Market:
        return self.policy.observe(windows, steps)

    def propose(self, market: Market, rows: Rows) -> Proposal:
        proposal = self.policy.propose(market, rows)
        return Proposal(proposal.allocation, proposal.stop_probability / 2.0)


def stop_decisions(series: Series, outcome: Outcome, setup: Setup) -> dict[str, NDArray[Any]]:
    """One entry per decision [D]: `step`, `scenario`, `min_steps`, `probability`; `advantage_sigma` is the gain of
    finishing now less that of going on, before costs and in units of volatility; `reached` says whether an order that
    stops by the model's rule still works at this step. For orders of fixed quantity without a slice cap.
    """
    trace = _trace(outcome)
    probability = 2.0 * trace.stop_probability  # NaN after an early end
    gain = finishing_gains(series, outcome, setup.max_steps)
    step = np.arange(1, setup.max_steps + 1)
    allowed = (step >= outcome.min_steps[:, None]) & np.isfinite(probability)
    stops = allowed & (probability > STOP_THRESHOLD)
    going_on, reached = gain_of_going_on(gain, stops, outcome.steps_used)
    decided = allowed & (step < outcome.steps_used[:, None])
    order, step_index = np.nonzero(decided)
    unit = 1e4 * np.maximum(outcome.sigma, 1e-12)[order]
    return {
        "step": (step_index + 1).astype(np.int16),
        "scenario": outcome.scenario[order].astype(np.int8),
        "min_steps": outcome.min_steps[order].astype(np.int16),
        "probability": probability[decided].astype(np.float32),
        "advantage_sigma": ((gain - going_on)[decided] / unit).astype(np.float32),
        "reached": reached[decided],
    }


def _trace(outcome: Outcome) -> Trace:
    if outcome.trace is None:
        raise ValueError("the orders were run without a trace")
    return outcome.trace


def finishing_gains(series: Series, outcome: Outcome, steps: int) -> Matrix:
    """[B, N]: the gain in bps of trading the rest of the order at step n, on the path that never stopped."""
    bar = outcome.start[:, None] + np.arange(steps)
    price, volume = series.price[bar], series.volume[bar]
    done = _trace(outcome).lots / TOTAL_LOTS
    filled = np.cumsum(done, axis=1)
    before = np.concatenate([np.zeros((len(bar), 1)), filled[:, :-1]], axis=1)
    spent = np.cumsum(done * price, axis=1) - done * price
    achieved = spent + (1.0 - before) * price
    twap = np.cumsum(price, axis=1) / np.arange(1, steps + 1)
    traded = np.cumsum(volume, axis=1)
    vwap = np.divide(np.cumsum(price * volume, axis=1), traded, out=twap.copy(), where=traded > 0.0)
    benchmark = np.where(IS_VWAP[outcome.scenario][:, None], vwap, twap)
    gains: Matrix = -slippage_bps(SIGN[outcome.scenario][:, None], achieved, benchmark)
    return gains


def gain_of_going_on(gain: Matrix, stops: Flags, steps_used: NDArray[np.int64]) -> tuple[Matrix, Flags]:
    """[B, N]: the gain at the first later step where `stops` is true, else at the order's last step; and whether an
    order that stops by this rule reaches step n."""
    steps = gain.shape[1]
    last = np.arange(1, steps + 1) >= steps_used[:, None]
    following = np.empty_like(gain)
    ahead = gain[:, -1]
    for index in range(steps - 1, -1, -1):
        following[:, index] = ahead
        ahead = np.where(stops[:, index] | last[:, index], gain[:, index], ahead)
    reached: Flags = np.cumsum(stops, axis=1) - stops == 0
    return following, reached
