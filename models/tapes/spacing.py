"""How far apart the orders start that measure a policy: so that they start at all times of day in turn.

Shapes: T bars.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from app.domain.durations import DAY_SECONDS


def bars_per_day(open_time: NDArray[np.int64]) -> int:
    """How many bars a usual day has, among days that have any. `open_time` [T] is in seconds since the epoch."""
    _, counts = np.unique(open_time // DAY_SECONDS, return_counts=True)
    return int(np.median(counts)) if len(counts) else 1


def over_the_day(at_least: int, per_day: int) -> int:
    """The least number of bars, at least `at_least`, that has no factor in common with the bars of a day."""
    every = at_least
    while math.gcd(every, per_day) > 1:
        every += 1
    return every
