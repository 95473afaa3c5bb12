"""How figures of many orders are spread: never the mean alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Self

import numpy as np

PERCENTS = {"p5": 5, "q25": 25, "median": 50, "q75": 75, "p95": 95}
DIGITS = 9


@dataclass(frozen=True, slots=True, kw_only=True)
class Distribution:
    """Of `count` values, which are rates and bps and no money, so that floats serve. `std` is of these values
    themselves, 0 for a single one; quantiles lie on straight lines between the values next to them."""

    count: int
    mean: Decimal
    std: Decimal
    p5: Decimal
    q25: Decimal
    median: Decimal
    q75: Decimal
    p95: Decimal

    @classmethod
    def of(cls, values: Sequence[Decimal]) -> Self:
        """Of one value at least."""
        known = np.array(values, dtype=np.float64)
        quantiles = np.percentile(known, list(PERCENTS.values()))
        figures = dict(zip(PERCENTS, quantiles, strict=True)) | {"mean": known.mean(), "std": known.std()}
        rounded = {name: Decimal(repr(round(float(value), DIGITS))) for name, value in figures.items()}
        return cls(count=len(values), **rounded)
