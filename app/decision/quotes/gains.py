"""Distributions of gains: from outcomes, and between two that are known."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from itertools import accumulate

import numpy as np
from numpy.typing import NDArray

from app.domain.quote import LEVELS, Gains


def gains_of(outcomes: NDArray[np.float64]) -> Gains:
    """The distribution of measured or simulated outcomes [B], B at least 1."""
    quantiles = tuple(np.quantile(outcomes, LEVELS).tolist())
    return Gains(mean=float(outcomes.mean()), std=float(outcomes.std()), quantiles=quantiles)


def between(points: Sequence[tuple[float, Gains]], at: float) -> Gains:
    """The distribution at `at` on straight lines between `points`, which rise; beyond them the outermost one stands."""
    places = [place for place, _ in points]
    index = bisect_left(places, at)
    if index == 0:
        return points[0][1]
    if index == len(points):
        return points[-1][1]
    (low, lower), (high, upper) = points[index - 1], points[index]
    return _blended(lower, upper, (at - low) / (high - low))


def _blended(lower: Gains, upper: Gains, share: float) -> Gains:
    """Quantile by quantile: the shape of either stays, where a mixture of both would have two humps."""

    def mixed(one: float, two: float) -> float:
        return one + share * (two - one)

    mixed_quantiles = (mixed(*each) for each in zip(lower.quantiles, upper.quantiles, strict=True))
    quantiles = tuple(accumulate(mixed_quantiles, max))  # equal ones may fall by a rounding
    return Gains(mean=mixed(lower.mean, upper.mean), std=mixed(lower.std, upper.std), quantiles=quantiles)
