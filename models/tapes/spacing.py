"""How far apart the starts of orders lie that measure a policy, so that they come at all times of day in turn.

Shapes: T bars.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from app.bars.series import DAY_SECONDS


def bars_per_day(open_time: NDArray[np.int64]) -> int:
    """Of bars that open at `open_time` [T], in seconds since the epoch: on the usual day among those that have any."""
    _, counts = np.unique(open_time // DAY_SECONDS, return_counts=True)
    return int(np.median(counts)) if len(counts) else 1


def over_the_day(at_least: int, per_day: int) -> int:
    """The least number of bars from `at_least` on that has no factor in common with those of a day."""
    every = at_least
    while math.gcd(every, per_day) > 1:
        every += 1
    return every
