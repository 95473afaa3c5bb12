"""Follow the volume that the market is expected to trade: the classical VWAP schedule, adapted bar by bar.

Shapes: G windows, L bars, N steps, K recent bars.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from app.decision.market import Floats
from app.decision.policies.raw_windows import column, exists, trailing_mean_volume
from app.decision.policies.volume_pacing import VolumePacing

Matrix = NDArray[np.float64]

LEVEL_BARS = 96
RECENT_BARS = 16
SHRINKAGE_DAYS = 3.0
"""The trailing mean weighs as much as this many earlier days."""
SURPRISE_MAX = 4.0
PERSISTENCE_FIRST, PERSISTENCE_DECAY = 0.6, -0.25
"""Chosen on bars from before those that results are measured on."""


class VolumeCurve(VolumePacing):
    """Expects the volume that the same times of day had on earlier days, moved by how busy the newest bars were.

    The volume h steps ahead is the *arithmetic* mean, over earlier days, of the bar that came h bars after the same
    time of day, so sessions and weekends need no calendar. It is moved by how far the newest bars ran above or below
    their own usual level. A share of volume needs means: the exponential of a mean logarithm is too low, most of all
    far ahead.
    """

    name: str = "volume_curve"

    def forecast(self, windows: Floats, steps: int) -> Matrix:
        return forecast_volume(windows, steps)


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
    """[N]: the share of the recent bars' excess volume that is still there h steps ahead.

    The share is linear in the excess and below 1, so it leaves the mean of the forecast where it is and the forecast
    above zero.
    """
    share: Matrix = PERSISTENCE_FIRST * np.power(np.arange(1.0, steps + 1.0), PERSISTENCE_DECAY)
    return share


def _usual_volume(windows: Floats, steps: int) -> Matrix:
    """[G, K + N]: the mean volume, on earlier days, at the times of day of the K newest bars and the next N.

    The mean is shrunk to the trailing mean by `SHRINKAGE_DAYS`.
    """
    known, clock = exists(windows), column(windows, "second_of_day")
    count, length = known.shape
    same_time = known & (clock == clock[:, -1:])
    same_time[:, -1] = False
    beyond = np.zeros(
        (2, count, RECENT_BARS + length + steps)
    )  # volumes and how many they are, zero outside the window
    inside = beyond[:, :, RECENT_BARS - 1 : RECENT_BARS - 1 + length]
    inside[0], inside[1] = np.where(known, column(windows, "volume"), 0.0), known
    sums, counts = both = np.zeros((2, count, RECENT_BARS + steps))
    for bar in np.flatnonzero(same_time.any(axis=0)).tolist():
        np.add(both, beyond[:, :, bar : bar + RECENT_BARS + steps], out=both, where=same_time[:, bar, None])
    level = trailing_mean_volume(windows, LEVEL_BARS)[:, None]
    usual: Matrix = (sums + SHRINKAGE_DAYS * level) / (counts + SHRINKAGE_DAYS)
    return usual
