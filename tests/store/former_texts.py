"""Bars, orders and slices as releases before wrote them, with all names in them. Nothing writes them so any more."""

from __future__ import annotations

from typing import Any

from app.domain.bar import Bar
from app.domain.benchmark import BenchmarkSums
from app.domain.events import (
    FillBooked,
    Happening,
    OrderEvent,
    OverFilled,
    SliceClosed,
    SliceCommitted,
    StatusChanged,
)
from app.domain.slice import ReportsDue, Slice
from app.domain.state import OrderState
from app.store.forms import dumps, text


def bar_text(bar: Bar) -> str:
    return dumps(
        {
            "open_time": bar.open_time.isoformat(),
            "close_time": bar.close_time.isoformat(),
            "prices": [str(price) for price in (bar.open, bar.high, bar.low, bar.close)],
            "volume": str(bar.volume),
            "notional": text(bar.notional),
            "trades": bar.trades,
            "synthetic": bar.synthetic,
        }
    )


def mandate_text(state: OrderState) -> str:
    order, limits, in_time = state.order, state.order.limits, state.order.horizon_in_time
    return dumps(
        {
            "order_id": order.order_id,
            "client_order_id": order.client_order_id,
            "instrument": order.instrument,
            "side": order.side,
            "size": str(order.size),
            "size_mode": order.size_mode,
            "benchmark": order.benchmark,
            "min_steps": order.horizon.min_steps,
            "max_steps": order.horizon.max_steps,
            "step_seconds": order.horizon.step_seconds,
            "ends": [in_time.earliest_end.isoformat(), in_time.latest_end.isoformat()] if in_time else None,
            "start_time": order.start_time.isoformat() if order.start_time else None,
            "max_slice_fraction": text(limits.max_slice_fraction),
            "max_participation_rate": text(limits.max_participation_rate),
            "limit_price": text(limits.limit_price),
            "risk_aversion": None if order.risk_aversion is None else str(order.risk_aversion),
            "fills": order.fills,
            "report_delay_seconds": order.report_delay_seconds,
            "lot": str(state.lot),
            "base_lot": str(state.base_lot),
            "total": state.total,
            "slice_cap": state.slice_cap,
            "min_notional": str(state.min_notional),
        }
    )


def state_text(state: OrderState) -> str:
    sums = state.sums
    return dumps(
        {
            "status": state.status,
            "version": state.version,
            "next_open": state.next_open.isoformat(),
            "stopping": state.stopping,
            "current": _slice_value(state.current) if state.current else None,
            "overdue": [_slice_value(piece) for piece in state.overdue],
            "asked": state.asked,
            "executed": [str(size) for size in state.executed],
            "reports_due": [_reports_due_value(due) for due in state.reports_due],
            "over_filled": str(state.over_filled),
            "filled_quantity": str(state.filled_quantity),
            "filled_notional": str(state.filled_notional),
            "arrival_price": text(state.arrival_price),
            "unpriced": [str(state.unpriced_quantity), str(state.unpriced_notional)],
            "sums": [sums.steps, str(sums.price_sum), str(sums.notional_sum), str(sums.volume_sum), sums.partial],
            "unseen": [sums.unseen_steps, *map(str, _unseen_sums(sums))],
        }
    )


def slice_text(piece: Slice) -> str:
    return dumps(_slice_value(piece))


def _unseen_sums(sums: BenchmarkSums) -> tuple[object, ...]:
    return sums.unseen_price_sum, sums.unseen_notional_sum, sums.unseen_volume_sum


def _reports_due_value(due: ReportsDue) -> list[Any]:
    return [due.step, due.window.start.isoformat(), due.window.end.isoformat(), due.until.isoformat()]


def _slice_value(piece: Slice) -> dict[str, Any]:
    decided = piece.decided
    return {
        "slice_id": piece.slice_id,
        "step": piece.step,
        "window": [piece.window.start.isoformat(), piece.window.end.isoformat()],
        "quantity": str(piece.quantity),
        "notional": str(piece.notional),
        "fraction": str(piece.fraction),
        "cumulative_fraction": str(piece.cumulative_fraction),
        "final": piece.final,
        "stop_reason": piece.stop_reason,
        "limit_price": text(piece.limit_price),
        "bound_by": piece.bound_by,
        "model": decided.model,
        "basis": decided.basis,
        "allocation": decided.allocation,
        "stop_probability": decided.stop_probability,
        "decided_on": decided.decided_on.isoformat() if decided.decided_on else None,
        "decided_at": decided.decided_at.isoformat(),
        "fallback_reason": decided.fallback_reason,
        "expected_volume": text(piece.expected_volume),
    }


def event_text(event: OrderEvent) -> str:
    named = {"event": event.what.name, "order_id": event.order_id, "version": event.version, "step": event.step}
    return dumps(named | _facts(event.what))


def _facts(what: Happening) -> dict[str, Any]:
    match what:
        case StatusChanged():
            return {"status": what.status, "stop_reason": what.stop_reason}
        case SliceCommitted():
            return {"slice_id": what.slice_id}
        case FillBooked():
            return {"execution_id": what.execution_id, "slice_id": what.slice_id, "warnings": what.warnings}
        case OverFilled():
            sizes = {"amount": str(what.amount), "over_filled": str(what.over_filled)}
            return {"execution_id": what.execution_id, "slice_id": what.slice_id} | sizes
        case SliceClosed():
            return {"slice_id": what.slice_id, "given_back": str(what.given_back)}
        case _:
            raise AssertionError(f"no former release knew of {what.name}")
