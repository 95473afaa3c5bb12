"""How far the outer quantiles of quotes are from what was measured: the measured time is short, and another one will
not be like it. Long orders feel that most, as few of them have nothing in common.

Shapes: B orders.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from app.domain.quote import AS_MEASURED, Tails
from models.calibration.grid import OrderKind
from models.calibration.measuring import KindGains, Vector

ORDERS_MIN = 50
"""Fewer earlier orders of a kind say nothing of the outer quantiles."""
LOW, MIDDLE, HIGH = 0.05, 0.5, 0.95
NARROW = 1e-3
"""In sigma * sqrt(N): an order that tracks a TWAP misses it by less, and tells nothing of its market."""


def tails_of(measured: Mapping[OrderKind, KindGains], earlier: Mapping[OrderKind, KindGains]) -> dict[OrderKind, Tails]:
    """For each kind, how P5 and P95 of all times, earlier and measured, are from the median of the measured one. Kinds
    without orders in `earlier` go by the one there that is nearest."""
    known = {kind: _tails(measured[kind], orders) for kind, orders in earlier.items() if kind in measured}
    return {kind: _nearest(kind, known) for kind in measured}


def _nearest(kind: OrderKind, known: Mapping[OrderKind, Tails]) -> Tails:
    alike = [each for each in known if (each.benchmark, each.max_steps) == (kind.benchmark, kind.max_steps)]
    nearest = min(alike, key=lambda each: abs(each.min_steps - kind.min_steps), default=None)
    return known[nearest] if nearest is not None else AS_MEASURED


def _tails(measured: KindGains, earlier: KindGains) -> Tails:
    """Each day counts alike, whichever of the two times it belongs to."""
    if min(len(measured), len(earlier)) < ORDERS_MIN:
        return AS_MEASURED
    low, middle, high = np.quantile(measured.gain, [LOW, MIDDLE, HIGH])
    if min(middle - low, high - middle) < NARROW:
        return AS_MEASURED
    weights = [np.full(len(each), np.ptp(each.opened) / len(each)) for each in (measured, earlier)]
    gain = np.concatenate([measured.gain, earlier.gain])
    below, above = _weighted_quantiles(gain, np.concatenate(weights), np.array([LOW, HIGH]))
    return Tails(
        below=max(0.0, float((middle - below) / (middle - low))),
        above=max(0.0, float((above - middle) / (high - middle))),
    )


def _weighted_quantiles(values: Vector, weights: Vector, levels: Vector) -> Vector:
    order = np.argsort(values)
    reached = np.cumsum(weights[order]) / weights.sum()
    found: Vector = values[order][np.searchsorted(reached, levels)]
    return found
