"""What orders over whole sessions do in the first bar, in the closing hour and between, beside the market's volume.

Shapes: S orders, N steps, P parts of a session.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from app.backtest.run_series import Outcome
from app.backtest.setup import TOTAL_LOTS
from app.bars.series import Series
from app.decision.scenarios import SIGN
from app.domain.durations import HOUR_SECONDS

Matrix = NDArray[np.float64]

PARTS = ("first bar", "between", "closing hour")


def session_parts(series: Series, outcome: Outcome) -> dict[str, NDArray[np.float32]]:
    """[S, P] each, for orders of fixed quantity against VWAP that may not stop: the order's `share` and the market's
    `market_share` of what is traded in each part, and the `cost_bps` that their difference brings. The costs of all
    parts add up to the order's slippage. Raises ValueError for orders that were run without a trace."""
    if outcome.trace is None:
        raise ValueError("the orders were run without a trace")
    step = np.arange(outcome.trace.lots.shape[1])
    inside = step < outcome.max_steps[:, None]
    bar = np.minimum(outcome.start[:, None] + step, len(series) - 1)
    price, volume = series.price[bar], np.where(inside, series.volume[bar], 0.0)
    total = volume.sum(axis=1, keepdims=True)
    even = inside / outcome.max_steps[:, None]
    market_share = np.divide(volume, total, out=even.copy(), where=total > 0.0)
    share = outcome.trace.lots / TOTAL_LOTS
    vwap = outcome.benchmark_price[:, None]
    cost_bps = SIGN[outcome.scenario][:, None] * (share - market_share) * (price / vwap - 1.0) * 1e4
    last_hour = max(1, HOUR_SECONDS // series.bar_seconds)
    closing = (step >= outcome.max_steps[:, None] - last_hour) & inside & (step > 0)
    masks = {"first bar": inside & (step == 0), "between": inside & (step > 0) & ~closing, "closing hour": closing}

    def by_part(values: Matrix) -> NDArray[np.float32]:
        return np.stack([np.where(masks[part], values, 0.0).sum(axis=1) for part in PARTS], axis=1).astype(np.float32)

    return {"share": by_part(share), "market_share": by_part(market_share), "cost_bps": by_part(cost_bps)}
