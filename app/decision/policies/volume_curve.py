"""Follow the volume that the market is expected to trade: the classical VWAP schedule, adapted bar by bar.

Shapes: G windows, L bars, N steps, B orders, P pairs of a window and a bar in it, K recent bars.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from app.decision.market import Floats, Market
from app.decision.policies.pacing import even_pace, towards
from app.decision.policies.windows import STEPS_MAX, column, exists, trailing_mean_volume
from app.decision.policy import Proposal, Rows
from app.decision.scenarios import IS_VWAP

Matrix = NDArray[np.float64]

LOOKBACK = 673
"""A week of 15 minute bars and the bar before it, so that each of the seven days has its same time of day."""
LEVEL_BARS = 96
RECENT_BARS = 16
SHRINKAGE_DAYS = 3.0
"""The trailing mean weighs as much as this many earlier days."""
SURPRISE_MAX = 4.0


class VolumeCurve:
    """Cumulative share of expected volume for VWAP orders, even pace for TWAP orders; it never stops.

    Volume h steps ahead is the *arithmetic* mean over earlier days of what followed the same time of day h bars later
    (so sessions and weekends need no calendar), moved by how far the last bars ran above or below their own usual
    level. A share of volume needs means: the exponential of a mean log is too low, most so far ahead.
    """

    name: str = "volume_curve"
    lookback: int = LOOKBACK
    history_min: int = 1
    max_steps: int = STEPS_MAX
    risk_aversion: float = 0.0

    def observe(self, windows: Floats) -> Market:
        forecast = forecast_volume(windows, self.max_steps)
        return Market(np.zeros((len(windows), 0), dtype=np.float32), forecast.astype(np.float32))

    def propose(self, market: Market, rows: Rows) -> Proposal:
        pace = np.where(IS_VWAP[rows.scenario], volume_pace(market, rows), even_pace(rows))
        return Proposal(towards(pace, rows), np.zeros(len(rows)))


def volume_pace(market: Market, rows: Rows) -> Matrix:
    """[B]: (volume so far + next step) / (volume so far + steps to max_steps); the even pace where that is 0 / 0."""
    ahead = market.volume_forecast[rows.market].astype(np.float64)
    steps_left = rows.max_steps - rows.step + 1
    total = rows.benchmark_volume + np.where(np.arange(ahead.shape[1]) < steps_left[:, None], ahead, 0.0).sum(axis=1)
    done = rows.benchmark_volume + ahead[:, 0]
    pace: Matrix = np.divide(done, total, out=even_pace(rows), where=total > 0.0)
    pace[steps_left == 1] = 1.0
    return pace


def forecast_volume(windows: Floats, steps: int) -> Matrix:
    """[G, N]: the mean volume expected in each of the next steps; 0 throughout where a window has no volume."""
    usual = _usual_volume(windows, steps)
    recent_known = exists(windows[:, -RECENT_BARS:])
    recent: Matrix = np.where(recent_known, column(windows[:, -RECENT_BARS:], "volume"), 0.0).sum(axis=1)
    recent_usual = np.where(recent_known, usual[:, :RECENT_BARS], 0.0).sum(axis=1)
    surprise = np.divide(recent, recent_usual, out=np.ones(len(windows)), where=recent_usual > 0.0)
    excess = np.clip(surprise, 0.0, SURPRISE_MAX) - 1.0
    forecast: Matrix = usual[:, RECENT_BARS:] * (1.0 + persistence(steps) * excess[:, None])
    return forecast


def persistence(steps: int) -> Matrix:
    """[N]: the share of the recent bars' excess volume that is still there h steps ahead. Being linear in the excess,
    and below 1, it leaves the mean of the forecast where it is and the forecast above zero. The figures were chosen on
    crypto_15m before 2024-07; the optimum is flat."""
    share: Matrix = 0.6 * np.power(np.arange(1.0, steps + 1.0), -0.25)
    return share


def _usual_volume(windows: Floats, steps: int) -> Matrix:
    """[G, K + N]: the mean volume, on earlier days, at the times of day of the K newest bars and the next N.

    It is shrunk to the trailing mean by `SHRINKAGE_DAYS`."""
    volume, known, clock = column(windows, "volume"), exists(windows), column(windows, "second_of_day")
    length = windows.shape[1]
    same_time = known & (clock == clock[:, -1:])
    same_time[:, -1] = False
    window, bar = np.nonzero(same_time)  # [P] each
    place = bar[:, None] + np.arange(1 - RECENT_BARS, steps + 1)  # [P, K + N]
    inside = (place >= 0) & (place < length)
    place = np.where(inside, place, 0)
    inside &= known[window[:, None], place]
    sums = np.zeros((len(windows), place.shape[1]))
    counts = np.zeros_like(sums)
    np.add.at(sums, window, np.where(inside, volume[window[:, None], place], 0.0))
    np.add.at(counts, window, inside.astype(np.float64))
    level = trailing_mean_volume(windows, LEVEL_BARS)[:, None]
    usual: Matrix = (sums + SHRINKAGE_DAYS * level) / (counts + SHRINKAGE_DAYS)
    return usual
