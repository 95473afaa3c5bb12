"""Orders as the arrays that a policy reads: floats for a proposal, never for money."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal

import numpy as np
from numpy.typing import NDArray

from app.decision.policy import Rows
from app.domain.numbers import ONE
from app.domain.sizing import quantity_of
from app.domain.state import OrderState


def rows_of(orders: Sequence[OrderState], last_price: Decimal, risk_aversion: float) -> Rows:
    """One row per order, all on the same window; `risk_aversion` is for those that name none."""
    mandates = [state.order for state in orders]
    return Rows(
        market=np.zeros(len(orders), dtype=np.int64),
        scenario=_integers(order.scenario.index for order in mandates),
        step=_integers(state.step + 1 for state in orders),
        min_steps=_integers(order.horizon.min_steps for order in mandates),
        max_steps=_integers(order.horizon.max_steps for order in mandates),
        filled_fraction=_reals((state.filled + state.in_flight) / state.order.size for state in orders),
        last_price=_reals(last_price for _ in orders),
        benchmark_price=_reals(state.sums.price(state.order.benchmark) or last_price for state in orders),
        avg_price=_reals(state.avg_price or last_price for state in orders),
        benchmark_volume=_reals(state.sums.volume_sum for state in orders),
        order_volume=_reals(quantity_of(order.size_mode, order.size, last_price) for order in mandates),
        max_slice_fraction=_reals(order.limits.max_slice_fraction or ONE for order in mandates),
        max_participation_rate=_reals(order.limits.max_participation_rate or ONE for order in mandates),
        risk_aversion=_reals(
            risk_aversion if order.risk_aversion is None else order.risk_aversion for order in mandates
        ),
    )


def _integers(values: Iterable[int]) -> NDArray[np.int64]:
    return np.array(list(values), dtype=np.int64)


def _reals(values: Iterable[Decimal | float]) -> NDArray[np.float64]:
    return np.array([float(value) for value in values], dtype=np.float64)
