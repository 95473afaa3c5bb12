"""What the baselines read out of raw windows [G, L, C] (see app/decision/market.py)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from app.decision.market import COLUMNS, Floats

FORECAST_STEPS_MAX = 512
"""Baselines foresee the volume of no more steps: earlier days do not reach much further ahead."""
SIGMA_BARS = 96
"""Returns that the trailing volatility is taken from."""

COLUMN = {name: index for index, name in enumerate(COLUMNS)}


def column(windows: Floats, name: str) -> NDArray[np.float64]:
    """[G, L] of one of `COLUMNS`."""
    return windows[:, :, COLUMN[name]].astype(np.float64)


def exists(windows: Floats) -> NDArray[np.bool_]:
    """[G, L]: False where the row is padding. Every bar has a close above zero; one without volume is still a bar."""
    known: NDArray[np.bool_] = windows[:, :, COLUMN["close"]] > 0.0
    return known


def trailing_mean_volume(windows: Floats, bars: int) -> NDArray[np.float64]:
    """[G]: the mean volume of the newest `bars` rows that exist; 0 where there is none."""
    known = exists(windows[:, -bars:])
    volume = np.where(known, column(windows[:, -bars:], "volume"), 0.0)
    mean: NDArray[np.float64] = volume.sum(axis=1) / np.maximum(known.sum(axis=1), 1)
    return mean


def flat_forecast(windows: Floats, bars: int, steps: int) -> Floats:
    """[G, N]: the trailing mean volume of the newest `bars`, for each of the next `steps` alike."""
    mean = trailing_mean_volume(windows, bars).astype(np.float32)
    return np.repeat(mean[:, None], min(steps, FORECAST_STEPS_MAX), axis=1)


def trailing_sigma(windows: Floats) -> NDArray[np.float64]:
    """[G]: see `sigma_of_closes`. Padding gives no return."""
    return sigma_of_closes(column(windows, "close"))


def sigma_of_closes(close: NDArray[np.float64]) -> NDArray[np.float64]:
    """[G] from closes [G, L], 0 where a bar does not exist: the volatility per bar, as a fraction of the price.

    The volatility is the mean absolute log return, which one wild bar does not rule, scaled to the standard deviation
    of a normal; 0 where fewer than two bars exist.
    """
    known = close > 0.0
    logs = np.log(np.where(known, close, 1.0))
    pairs = known[:, 1:] & known[:, :-1]
    moves = np.where(pairs, np.abs(np.diff(logs, axis=1)), 0.0)
    mean: NDArray[np.float64] = moves.sum(axis=1) / np.maximum(pairs.sum(axis=1), 1)
    return mean * float(np.sqrt(np.pi / 2.0))
