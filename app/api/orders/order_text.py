"""The text of an order's answer, made without the models."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

from pydantic_core import to_json

from app.api.values import BPS_DECIMALS, plain, utc
from app.domain.order import Order, SizeMode
from app.domain.order_words import RiskAversion
from app.domain.state import OrderState


def order_text(state: OrderState) -> bytes:
    """The text of `OrderOut.of(state)`, for the answer to a new order: the models take as long as the order's
    acceptance."""
    order, slippage_bps = state.order, state.slippage_bps
    by_quantity, size = order.size_mode is SizeMode.QUANTITY, plain(order.size)
    return to_json(
        {  # an enum takes longer to be written than its text
            "order_id": order.order_id,
            "client_order_id": order.client_order_id,
            "status": str(state.status),
            "instrument": order.instrument,
            "side": str(order.side),
            "quantity": size if by_quantity else None,
            "notional": None if by_quantity else size,
            "benchmark": str(order.benchmark),
            "horizon": _horizon(order),
            "start_time": _time(order.start_time),
            "limits": {
                "max_slice_fraction": _decimal(order.limits.max_slice_fraction),
                "max_participation_rate": _decimal(order.limits.max_participation_rate),
                "limit_price": _decimal(order.limits.limit_price),
                "finish_price": _decimal(order.limits.finish_price),
                "avoid_open_minutes": order.limits.avoid_open_minutes,
                "avoid_close_minutes": order.limits.avoid_close_minutes,
            },
            "risk_aversion": _risk_aversion(order.risk_aversion),
            "completion": str(order.completion),
            "fills": str(order.fills),
            "report_delay_seconds": order.report_delay_seconds,
            "account": order.account,
            "model": state.bundle,
            "step": state.step,
            "filled_quantity": plain(state.filled_quantity),
            "filled_notional": plain(state.filled_notional),
            "leaves": plain(state.leaves),
            "in_flight": plain(state.in_flight),
            "over_filled": plain(state.over_filled),
            "behind": plain(state.behind),
            "unpriced": plain(state.unpriced),
            "avg_price": _decimal(state.avg_price),
            "arrival_price": _decimal(state.arrival_price),
            "benchmark_price": _decimal(state.sums.price(order.benchmark)),
            "benchmark_partial": state.sums.partial,
            "slippage_bps": None if slippage_bps is None else plain(slippage_bps, BPS_DECIMALS),
            "stop_reason": state.stop_reason,
            "replaces": order.replaces,
            "replaced_by": state.replaced_by,
        }
    )


def _horizon(order: Order) -> dict[str, Any]:
    steps, times = order.horizon, order.horizon_in_time
    return {
        "min_steps": steps.min_steps,
        "max_steps": steps.max_steps,
        "step_seconds": steps.step_seconds,
        "earliest_end": utc(times.earliest_end) if times else None,
        "latest_end": utc(times.latest_end) if times else None,
    }


def _risk_aversion(value: Decimal | RiskAversion | None) -> str | None:
    return str(value) if isinstance(value, RiskAversion) else _decimal(value)


def _decimal(value: Decimal | None) -> str | None:
    return None if value is None else plain(value)


def _time(value: datetime | None) -> str | None:
    return None if value is None else utc(value)
