"""Orders as the arrays that a policy reads: floats for a proposal, never for money."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import numpy as np

from app.decision.policy import Rows
from app.domain.numbers import ONE
from app.domain.order import SizeMode
from app.domain.state import OrderState

INTEGERS = ("market", "scenario", "step", "min_steps", "max_steps")
REALS = (
    "filled_fraction", "last_price", "benchmark_price", "avg_price", "benchmark_volume", "order_volume",
    "max_slice_fraction", "max_participation_rate", "risk_aversion",
)  # fmt: skip


def rows_of(orders: Sequence[OrderState], last_price: Decimal, risk_aversion: float) -> Rows:
    """One row per order, all on the same window; `risk_aversion` is for those that name none."""
    integers = np.array([_integers(working) for working in orders], dtype=np.int64).reshape(-1, len(INTEGERS))
    reals = np.array([_reals(working, last_price, risk_aversion) for working in orders], dtype=np.float64)
    reals = reals.reshape(-1, len(REALS))
    columns: dict[str, Any] = dict(zip(INTEGERS, integers.T, strict=True)) | dict(zip(REALS, reals.T, strict=True))
    return Rows(**columns)


def _integers(working: OrderState) -> tuple[int, ...]:
    horizon = working.order.horizon
    return 0, working.order.scenario.index, working.step + 1, horizon.min_steps, horizon.max_steps


def _reals(working: OrderState, last_price: Decimal, risk_aversion: float) -> tuple[float, ...]:
    order, sums = working.order, working.sums
    quantity = order.size if order.size_mode is SizeMode.QUANTITY else order.size / last_price
    return (
        float((working.filled + working.in_flight) / order.size),
        float(last_price),
        float(sums.price(order.benchmark) or last_price),
        float(working.avg_price or last_price),
        float(sums.volume_sum),
        float(quantity),
        float(order.limits.max_slice_fraction or ONE),
        float(order.limits.max_participation_rate or ONE),
        float(risk_aversion if order.risk_aversion is None else order.risk_aversion),
    )
