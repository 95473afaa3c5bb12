"""Orders as the arrays that a policy reads: floats for a proposal, never for money."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal

import numpy as np
from numpy.typing import NDArray

from app.decision.policy import Rows
from app.domain.order import scenario_index
from app.domain.order_words import RiskAversions
from app.domain.sizing import quantity_of
from app.domain.state import OrderState
from app.domain.steps_ahead import StepsAhead


def rows_of(
    orders: Sequence[OrderState],
    windows_unseen: Sequence[int],
    last_price: Decimal,
    risk_aversions: RiskAversions,
    ahead: Sequence[StepsAhead | None] | None = None,
) -> Rows:
    """One row per order, all on the same bars; `windows_unseen` have passed between the newest bar and each order's
    step. `risk_aversions` says what names mean. An order that avoids steps, `ahead` of it, counts as one that ends with
    the last step in which it may trade: a policy would leave something for the steps after that one."""
    horizons = [_horizon(state, steps) for state, steps in zip(orders, ahead or [None] * len(orders), strict=True)]
    mandates = [state.order for state in orders]
    sums = [state.expected_sums(last_price) for state in orders]
    return Rows(
        market=np.zeros(len(orders), dtype=np.int64),
        scenario=_integers(scenario_index(order.side, order.benchmark, order.size_mode) for order in mandates),
        step=_integers(state.step + 1 for state in orders),
        windows_unseen=_integers(windows_unseen),
        min_steps=_integers(min_steps for min_steps, _ in horizons),
        max_steps=_integers(max_steps for _, max_steps in horizons),
        filled_fraction=_reals((state.filled + state.in_flight) / state.order.size for state in orders),
        last_price=np.full(len(orders), float(last_price)),
        benchmark_price=_reals(
            each.price(order.benchmark) or last_price for each, order in zip(sums, mandates, strict=True)
        ),
        avg_price=_reals(state.expected_avg_price or last_price for state in orders),
        benchmark_volume=_reals(each.volume_sum for each in sums),
        order_volume=_reals(quantity_of(order.size_mode, order.size, last_price) for order in mandates),
        max_slice_fraction=_reals(order.limits.max_slice_fraction or 1.0 for order in mandates),
        max_participation_rate=_reals(order.limits.max_participation_rate or 1.0 for order in mandates),
        risk_aversion=_reals(risk_aversions.of(order.risk_aversion) for order in mandates),
    )


def _horizon(state: OrderState, ahead: StepsAhead | None) -> tuple[int, int]:
    horizon = state.order.horizon
    if ahead is None:
        return horizon.min_steps, horizon.max_steps
    last = max(ahead.last_usable, ahead.first)
    return min(horizon.min_steps, last), last


def _integers(values: Iterable[int]) -> NDArray[np.int64]:
    return np.array(list(values), dtype=np.int64)


def _reals(values: Iterable[Decimal | float]) -> NDArray[np.float64]:
    return np.array([float(value) for value in values], dtype=np.float64)
