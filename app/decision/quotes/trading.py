"""How an order trades in the simulated continuations of the market, against the volume that is expected.

Shapes: N steps, P continuations.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app.decision.chain import ChainReading
from app.domain.costs import VOLUME_FLOOR, square_root_impact
from app.domain.numbers import ZERO
from app.domain.order import SizeMode
from app.domain.state import OrderState

Vector = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Trading:
    """Means over the continuations: `participation` is the order's volume over the market's until the order ends,
    `busiest_participation` that of its busiest slice, `impact_per_sigma` the square root of each slice over its bar's
    volume, weighted by the slice. `market_cap_multiple` is the participation limit in a bar of the mean volume, as a
    multiple of an even slice; None without such a limit."""

    participation: float
    busiest_participation: float
    impact_per_sigma: float
    market_cap_multiple: float | None


def trading_of(
    traded: NDArray[np.int64], reading: ChainReading, state: OrderState, last_price: float, windows_unseen: int
) -> Trading | None:
    """How the `traded` lots [N, P] stand to the volume; None where no volume is expected. Prices count as the last one.
    No bar counts for less than `VOLUME_FLOOR` of the mean."""
    volume = np.array([float(reading.expected_volume(windows_unseen + step) or ZERO) for step in range(len(traded))])
    mean = float(volume.mean()) if len(volume) else 0.0
    if mean <= 0.0:
        return None
    order = state.order
    quantity_per_lot = float(state.lot) / (1.0 if order.size_mode is SizeMode.QUANTITY else last_price)
    quantity = traded * quantity_per_lot
    counted = np.maximum(volume, VOLUME_FLOOR * mean)[:, None]
    total = quantity.sum(axis=0)
    some = np.maximum(total, np.finfo(np.float64).tiny)
    impact = (quantity * square_root_impact(1.0, 1.0, quantity, counted)).sum(axis=0) / some
    passed = (_runs(traded) * volume[:, None]).sum(axis=0)
    share = np.divide(total, passed, out=np.zeros(len(total)), where=passed > 0.0)
    rate, steps = order.limits.max_participation_rate, order.horizon.max_steps
    whole = float(state.total) * quantity_per_lot
    return Trading(
        participation=float(share.mean()),
        busiest_participation=float((quantity / counted).max(axis=0).mean()),
        impact_per_sigma=float(impact.mean()),
        market_cap_multiple=None if rate is None else float(rate) * mean * steps / whole,
    )


def _runs(traded: NDArray[np.int64]) -> NDArray[np.bool_]:
    """[N, P]: the steps up to the last one that trades."""
    later: NDArray[np.bool_] = np.cumsum(traded[::-1], axis=0)[::-1] > 0
    return later
