"""How much wider quotes must be than what was measured, since the time to come will not be like the measured one.

Shapes: B orders.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from models.calibration.grid import OrderKind
from models.calibration.measuring import KindGains, Vector

BLOCKS, ORDERS_MIN = 4, 50
"""Blocks of time, each left out in turn, and the fewest orders of a kind that one must have to say anything."""
LOW, MIDDLE, HIGH = 0.05, 0.5, 0.95
NARROW = 1e-3
"""In sigma * sqrt(N): an order that tracks a TWAP misses it by less, and tells nothing of its market."""


Kinds = Mapping[OrderKind, KindGains]


def widening(measured: Kinds, earlier: Kinds) -> float:
    """The factor by which P5 and P95 must be farther from the median for 90 % of the orders of another time to end
    between them; at least 1.

    `earlier` orders are held against those of their kind: the measured time is short, and the longer orders are, the
    fewer of them have nothing in common. Where there are none, each block of the measured time is held against the
    others.
    """
    reaches = list(_of_earlier(measured, earlier)) or list(_of_blocks(measured))
    return max(1.0, float(np.quantile(np.concatenate(reaches), HIGH - LOW))) if reaches else 1.0


def _of_earlier(measured: Kinds, earlier: Kinds) -> Iterator[Vector]:
    for kind, orders in earlier.items():
        if kind in measured:
            yield from _reaches(orders.gain, measured[kind].gain)


def _of_blocks(measured: Kinds) -> Iterator[Vector]:
    if not measured:
        return
    edges = np.quantile(np.concatenate([each.opened for each in measured.values()]), np.arange(1, BLOCKS) / BLOCKS)
    for orders in measured.values():
        block = np.searchsorted(edges, orders.opened)
        for left_out in range(BLOCKS):
            yield from _reaches(orders.gain[block == left_out], orders.gain[block != left_out])


def _reaches(inside: Vector, others: Vector) -> Iterator[Vector]:
    """How far orders are from the median of others: 1 where they are at their P5 or P95. Nothing of too few orders."""
    if min(len(inside), len(others)) < ORDERS_MIN:
        return
    low, middle, high = np.quantile(others, [LOW, MIDDLE, HIGH])
    if min(middle - low, high - middle) >= NARROW:
        yield np.where(inside < middle, (middle - inside) / (middle - low), (inside - middle) / (high - middle))
