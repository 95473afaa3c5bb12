"""What stopping would have earned at every step, beside the probability that the model gave it.

The order is run without ever stopping: that path is the same whatever is decided about the stop, so at each step the
gain of finishing now, and the gain of going on and stopping by the model's own rule later, can both be read from it.

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


class HalfHearted:
    """The policy, with half its probability of stopping: since one half is needed, it never stops."""

    def __init__(self, policy: Policy) -> None:
        self.policy = policy
        self.name, self.lookback, self.history_min = policy.name, policy.lookback, policy.history_min
        self.max_steps, self.risk_aversion = policy.max_steps, policy.risk_aversion

    def observe(self, windows: Floats) -> Market:
        return self.policy.observe(windows)

    def propose(self, market: Market, rows: Rows) -> Proposal:
        proposal = self.policy.propose(market, rows)
        return Proposal(proposal.allocation, proposal.stop_probability / 2.0)


def stop_decisions(series: Series, outcome: Outcome, setup: Setup) -> dict[str, NDArray[Any]]:
    """One entry per decision [D]: `step`, `scenario`, `min_steps`, `probability`; `advantage_sigma`, the gain of
    finishing now less that of going on, before costs and in units of volatility; `reached`, whether an order that
    stops by the model's rule is still there. For orders of fixed quantity without a slice cap.
    """
    trace = _trace(outcome)
    probability = 2.0 * trace.stop_probability  # NaN after an early end
    gain = finishing_gains(series, outcome, setup.max_steps)
    step = np.arange(1, setup.max_steps + 1)
    allowed = (step >= outcome.min_steps[:, None]) & np.isfinite(probability)
    stops = allowed & (probability > STOP_THRESHOLD)
    going_on, reached = gain_of_going_on(gain, stops, outcome.steps_used)
    decided = allowed & (step < outcome.steps_used[:, None])
    order, place = np.nonzero(decided)
    unit = 1e4 * np.maximum(outcome.sigma, 1e-12)[order]
    return {
        "step": (place + 1).astype(np.int8),
        "scenario": outcome.scenario[order].astype(np.int8),
        "min_steps": outcome.min_steps[order].astype(np.int8),
        "probability": probability[decided].astype(np.float32),
        "advantage_sigma": ((gain - going_on)[decided] / unit).astype(np.float32),
        "reached": reached[decided],
    }


def _trace(outcome: Outcome) -> Trace:
    if outcome.trace is None:
        raise ValueError("the orders were run without a trace")
    return outcome.trace


def finishing_gains(series: Series, outcome: Outcome, steps: int) -> Matrix:
    """[B, N]: the gain in bps of trading all that is left at step n, on the path that never stopped."""
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
    """[B, N]: the gain at the first later step that `stops` says yes to, else at the order's last; and whether an order
    that stops by that rule comes as far as step n."""
    steps = gain.shape[1]
    last = np.arange(1, steps + 1) >= steps_used[:, None]
    following = np.empty_like(gain)
    ahead = gain[:, -1]
    for place in range(steps - 1, -1, -1):
        following[:, place] = ahead
        ahead = np.where(stops[:, place] | last[:, place], gain[:, place], ahead)
    reached: Flags = np.cumsum(stops, axis=1) - stops == 0
    return following, reached
