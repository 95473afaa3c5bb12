"""What a gain is made of: the day on which the order ended, its pace, and the convexity of a fixed notional.

With B the mean of the prices p_1..p_n up to the order's last step n, H their harmonic mean, and P the order's own
average price, all three in bps of B, for a buyer (for a seller the signs change):

- stop: B - A, where A is the average price of an even pace over max_steps that ends on the same day:
  p_1..p_(n-1) with the weight 1 / max_steps each, and p_n with the rest;
- convexity: B - H for a fixed notional, which an even pace over the n steps earns by buying more where prices are low;
  nothing for a fixed quantity;
- pace: all that is left of the gain B - P: what the order's own slices earned beyond that even pace.

The even pace knows no slice cap: it only prices the choice of the day. On a random walk the pace earns nothing on
average, whatever it is, so that the stop alone is held against the optimum.

Shapes: B orders, N steps.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from app.backtest.run_series import Outcome
from app.bars.series import Series
from app.decision.scenarios import BY_QUANTITY, SIGN
from app.domain.benchmark import slippage_bps

Vector = NDArray[np.float64]


def gain_parts(series: Series, outcome: Outcome) -> dict[str, Vector]:
    """[B] each: `stop_bps` and `convexity_bps`; the pace is the rest of the gain. For orders against TWAP."""
    longest = int(outcome.max_steps.max(initial=1))
    step = np.arange(longest)
    bar = np.minimum(outcome.start[:, None] + step, len(series) - 1)
    price, last = series.price[bar], outcome.steps_used - 1
    used = step <= last[:, None]
    count = outcome.steps_used.astype(np.float64)
    mean = np.where(used, price, 0.0).sum(axis=1) / count
    harmonic = count / np.where(used, 1.0 / price, 0.0).sum(axis=1)
    before = np.where(step < last[:, None], price, 0.0).sum(axis=1) / outcome.max_steps
    paced = before + (1.0 - last / outcome.max_steps) * price[np.arange(len(price)), last]
    sign = SIGN[outcome.scenario]
    convexity = np.where(BY_QUANTITY[outcome.scenario], 0.0, -slippage_bps(sign, harmonic, mean))
    return {"stop_bps": -slippage_bps(sign, paced, mean), "convexity_bps": convexity}
