"""How much wider quotes must be than what was measured, since the next months will not be like the measured ones.

Shapes: B orders.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from models.calibration.measuring import KindGains, Vector

BLOCKS, ORDERS_MIN = 4, 50
"""Blocks of time, each left out in turn, and the fewest orders of a kind that one must have to say anything."""
LOW, MIDDLE, HIGH = 0.05, 0.5, 0.95
NARROW = 1e-3
"""In sigma * sqrt(N): an order that tracks a TWAP misses it by less, and tells nothing of its market."""


def widening(kinds: Sequence[KindGains]) -> float:
    """The factor by which P5 and P95 must be farther from the median for 90 % of the orders to end between them, when
    each block of time is held against the orders of all others; at least 1."""
    if not kinds:
        return 1.0
    edges = np.quantile(np.concatenate([each.opened for each in kinds]), np.arange(1, BLOCKS) / BLOCKS)
    reaches = [reach for each in kinds for reach in _reaches(each, np.searchsorted(edges, each.opened))]
    if not reaches:
        return 1.0
    return max(1.0, float(np.quantile(np.concatenate(reaches), HIGH - LOW)))


def _reaches(orders: KindGains, block: NDArray[np.int64]) -> Iterator[Vector]:
    """For each block, how far its orders are from the median of all others: 1 where they are at P5 or P95."""
    for left_out in range(BLOCKS):
        inside, others = orders.gain[block == left_out], orders.gain[block != left_out]
        if min(len(inside), len(others)) < ORDERS_MIN:
            continue
        low, middle, high = np.quantile(others, [LOW, MIDDLE, HIGH])
        if min(middle - low, high - middle) < NARROW:
            continue
        yield np.where(inside < middle, (middle - inside) / (middle - low), (inside - middle) / (high - middle))
