"""Forecast log volume by a linear regression that is fitted inside each window, and trade in step with the forecast.

Shapes: G windows, L bars, N steps, K regressors, T bars that a fit has both regressors and targets for.
"""

from __future__ import annotations

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from app.decision.market import Floats
from app.decision.policies.raw_windows import column, exists, trailing_mean_volume
from app.decision.policies.volume_pacing import VolumePacing

Matrix = NDArray[np.float64]

AVERAGED_BARS = (1, 4, 16, 96)
"""Each regressor is the mean of so many newest log volumes, less their usual level at that time of day."""
RIDGE = 30.0
"""The ridge weighs as much as this many bars of unit deviation; a window without history gets its usual level."""
USUAL_SHRINKAGE = 1.0
"""The window's mean log volume counts as this many earlier days."""
VOLUME_FLOOR = 0.02
"""An empty bar, which has no logarithm, counts as this share of the window's mean volume."""
CORRECTION_MAX = 3.0
FITTED_STEPS_MIN = 24
"""The fit rests on bars whose steps ahead have all come: short horizons, whatever their length, rest on the same."""
FITTED_MAX = 4_000_000
"""Values of the fit that are in memory at a time: windows are fitted in parts."""
MINUTES = 1440


class LinearVolume(VolumePacing):
    """Expects the volume that a regression inside the window forecasts.

    The log volume h steps ahead is regressed by ridge least squares on how far the last 1, 4, 16 and 96 bars ran from
    their usual level at that time of day. The exponential of such a forecast is a median. The ratio of what came to
    what was fitted (Duan's smearing estimate) corrects the median to the mean, for each number of steps ahead alone.
    """

    name: str = "linear_volume"

    def forecast(self, windows: Floats, steps: int) -> Matrix:
        return forecast_by_regression(windows, steps)


def forecast_by_regression(windows: Floats, steps: int) -> Matrix:
    """[G, N]: the mean volume expected in each of the next steps; 0 throughout where a window has no volume."""
    fitted = max(steps, FITTED_STEPS_MIN)
    together = max(1, FITTED_MAX // (windows.shape[1] * fitted))
    edges = range(together, len(windows), together)
    return np.concatenate([_forecast(part, fitted)[:, :steps] for part in np.split(windows, edges)])


def _forecast(windows: Floats, steps: int) -> Matrix:
    known = exists(windows).astype(np.float64)
    level = trailing_mean_volume(windows, windows.shape[1])
    floor = np.where(level > 0.0, VOLUME_FLOOR * level, 1.0)[:, None]
    logs = np.log(np.maximum(column(windows, "volume"), floor)) * known
    usual, usual_ahead = _usual_levels(windows, logs, known, steps)
    surprise = (logs - usual) * known
    fitted, came, weights = _fit(surprise, known, steps)
    median = np.exp(usual_ahead + fitted[:, -1])
    forecast: Matrix = np.where(level[:, None] > 0.0, median * _to_mean(fitted[:, :-1], came, weights), 0.0)
    return forecast


def _usual_levels(windows: Floats, logs: Matrix, known: Matrix, steps: int) -> tuple[Matrix, Matrix]:
    """The usual log volume, [G, L] at each bar's time of day and [G, N] in the next steps.

    The next steps are read from what followed the same time of day on earlier days, so that sessions need no calendar.
    """
    count, length = logs.shape
    minute = (column(windows, "second_of_day") // 60).astype(np.int64) + MINUTES * np.arange(count)[:, None]
    mean = logs.sum(axis=1, keepdims=True) / np.maximum(known.sum(axis=1, keepdims=True), 1.0)

    def grouped(values: Matrix) -> Matrix:
        sums: Matrix = np.bincount(minute.ravel(), values.ravel(), MINUTES * count).astype(np.float64)
        return sums

    usual = (grouped(logs)[minute] + USUAL_SHRINKAGE * mean) / (grouped(known)[minute] + USUAL_SHRINKAGE)
    same_time = known * (minute == minute[:, -1:])
    ahead = np.empty((count, steps))
    for step in range(1, steps + 1):
        before = same_time[:, : length - step]
        after = known[:, step:] * before
        ahead[:, step - 1] = (after * logs[:, step:]).sum(axis=1) + USUAL_SHRINKAGE * mean[:, 0]
        ahead[:, step - 1] /= after.sum(axis=1) + USUAL_SHRINKAGE
    return usual, ahead


def _fit(surprise: Matrix, known: Matrix, steps: int) -> tuple[Matrix, Matrix, Matrix]:
    """The fitted surprises [G, T + 1, N], of which the last row is the forecast, then the surprises that came and their
    weights, [G, T, N] each."""
    regressors = np.stack([_trailing(surprise, known, bars) for bars in AVERAGED_BARS], axis=-1)  # [G, L, K]
    training = regressors[:, :-steps]
    came = sliding_window_view(surprise, steps, axis=1)[:, 1:]
    weights = sliding_window_view(known, steps, axis=1)[:, 1:] * known[:, :-steps, None]
    weighted = training * known[:, :-steps, None]
    gram = weighted.transpose(0, 2, 1) @ training + RIDGE * np.eye(len(AVERAGED_BARS))
    slopes = np.linalg.solve(gram, weighted.transpose(0, 2, 1) @ np.ascontiguousarray(came))  # [G, K, N]
    used = np.concatenate([training, regressors[:, -1:]], axis=1)
    return used @ slopes, came, weights


def _trailing(surprise: Matrix, known: Matrix, bars: int) -> Matrix:
    """[G, L]: the mean of the newest `bars` surprises at each bar, fewer where the window begins."""
    total, count = np.cumsum(surprise, axis=1), np.cumsum(known, axis=1)
    total[:, bars:] -= total[:, :-bars].copy()
    count[:, bars:] -= count[:, :-bars].copy()
    return total / np.maximum(count, 1.0)


def _to_mean(fitted: Matrix, came: Matrix, weights: Matrix) -> Matrix:
    """[G, N]: the mean ratio of what came to the exponential of what was fitted."""
    ratio = (np.exp(came - fitted) * weights).sum(axis=1) + 1.0
    mean: Matrix = ratio / (weights.sum(axis=1) + 1.0)
    return np.clip(mean, 1.0 / CORRECTION_MAX, CORRECTION_MAX)
