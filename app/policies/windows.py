"""What the baselines read out of raw windows [G, L, C] (see app/engine/market.py)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from app.engine.market import COLUMNS, Floats

STEPS_MAX = 24
"""N: the longest horizon that the baselines forecast and decide."""

COLUMN = {name: at for at, name in enumerate(COLUMNS)}


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
