"""Percentiles and ratios of what was measured."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil
from statistics import median


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that is at least as large as `share` of all (the nearest rank): it has been measured, whatever
    the number of values. Raises ValueError where there are none."""
    if not values:
        raise ValueError("there are no values")
    return sorted(values)[max(1, ceil(share * len(values))) - 1]


def ratio_of_rounds(ours: Sequence[float], bare: Sequence[float]) -> float:
    """The median of the rounds' ratios. What else runs on the machine disturbs a whole round, ours and the bare one
    alike, and a disturbed round moves no median."""
    return median(mine / theirs for mine, theirs in zip(ours, bare, strict=True))


def growth(at: Sequence[float], values: Sequence[float]) -> float:
    """The slope of the straight line through the points, by least squares: units of `values` per unit of `at`; 0 where
    fewer than two points differ in `at`."""
    middle, mean = sum(at) / len(at), sum(values) / len(values)
    spread = sum((each - middle) ** 2 for each in at)
    if not spread:
        return 0.0
    return sum((x - middle) * (y - mean) for x, y in zip(at, values, strict=True)) / spread
