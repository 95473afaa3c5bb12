"""An order as two JSON texts: the `mandate`, which never changes, and the `state`, which every commit replaces."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any

from app.domain.benchmark import BenchmarkSums
from app.domain.lifecycle import Status, StopReason
from app.domain.numbers import EXACT, ZERO, exact_sum
from app.domain.order import Benchmark, Fills, Horizon, HorizonInTime, Limits, Order, Side, SizeMode
from app.domain.projection import Bound
from app.domain.slice import Basis, Decided, ReportsDue, Slice, Window
from app.domain.state import OrderState
from app.store.codec import dumps, loads, moment, number, text

MANDATES_CACHED = 20_000
NOTHING_UNSEEN = (0, "0", "0", "0")


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
            "risk_aversion": text(order.risk_aversion),
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


def state_from(mandate: str, state: str) -> OrderState:
    value = loads(state)
    unpriced_quantity, unpriced_notional = map(Decimal, value.get("unpriced", ("0", "0")))
    read = OrderState(
        **_mandate(mandate),
        status=Status(value["status"]),
        version=value["version"],
        next_open=datetime.fromisoformat(value["next_open"]),
        stopping=value["stopping"],
        current=_slice(value["current"]) if value["current"] else None,
        overdue=tuple(_slice(piece) for piece in value["overdue"]),
        asked=tuple(value["asked"]),
        executed=tuple(Decimal(size) for size in value["executed"]),
        reports_due=tuple(map(_reports_due, value.get("reports_due", ()))),
        over_filled=Decimal(value.get("over_filled", 0)),
        filled_quantity=Decimal(value["filled_quantity"]),
        filled_notional=Decimal(value["filled_notional"]),
        arrival_price=number(value["arrival_price"]),
        unpriced_quantity=unpriced_quantity,
        unpriced_notional=unpriced_notional,
        sums=_sums(value["sums"], value.get("unseen", NOTHING_UNSEEN)),
    )
    return read if "reports_due" in value else _with_reports_due(read)


def _unseen_sums(sums: BenchmarkSums) -> tuple[Decimal, Decimal, Decimal]:
    return sums.unseen_price_sum, sums.unseen_notional_sum, sums.unseen_volume_sum


def _sums(seen: Sequence[Any], unseen: Sequence[Any]) -> BenchmarkSums:
    steps, price_sum, notional_sum, volume_sum, partial = seen
    unseen_steps, unseen_price_sum, unseen_notional_sum, unseen_volume_sum = unseen
    return BenchmarkSums(
        steps=steps,
        price_sum=Decimal(price_sum),
        notional_sum=Decimal(notional_sum),
        volume_sum=Decimal(volume_sum),
        partial=partial,
        unseen_steps=unseen_steps,
        unseen_price_sum=Decimal(unseen_price_sum),
        unseen_notional_sum=Decimal(unseen_notional_sum),
        unseen_volume_sum=Decimal(unseen_volume_sum),
    )


def _with_reports_due(state: OrderState) -> OrderState:
    """An order that was recorded before reports were awaited slice by slice. Only the newest slice was in flight, sums
    were rounded to 28 digits, and nobody counted what was over-filled."""
    order, piece, filled = state.order, state.current, exact_sum(state.executed)
    if order.size_mode is SizeMode.QUANTITY:
        state = replace(state, filled_quantity=filled)
    else:
        state = replace(state, filled_notional=filled)
    if order.fills is Fills.REPORTED and piece is not None and state.unexecuted(piece.step):
        until = piece.window.end + (piece.window.end - piece.window.start)
        state = replace(state, reports_due=(ReportsDue(step=piece.step, window=piece.window, until=until),))
    excess = EXACT.subtract(EXACT.add(filled, state.in_flight), order.size)
    return replace(state, over_filled=max(ZERO, excess))


def slice_text(piece: Slice) -> str:
    return dumps(_slice_value(piece))


def slice_from(line: str) -> Slice:
    return _slice(loads(line))


@lru_cache(maxsize=MANDATES_CACHED)
def _mandate(mandate: str) -> Mapping[str, Any]:
    """The parts of `OrderState` that never change; read once, for they are read with every bar."""
    value = loads(mandate)
    order = Order(
        order_id=value["order_id"],
        client_order_id=value["client_order_id"],
        instrument=value["instrument"],
        side=Side(value["side"]),
        size=Decimal(value["size"]),
        size_mode=SizeMode(value["size_mode"]),
        benchmark=Benchmark(value["benchmark"]),
        horizon=Horizon(min_steps=value["min_steps"], max_steps=value["max_steps"], step_seconds=value["step_seconds"]),
        start_time=moment(value["start_time"]),
        limits=Limits(
            max_slice_fraction=number(value["max_slice_fraction"]),
            max_participation_rate=number(value["max_participation_rate"]),
            limit_price=number(value["limit_price"]),
        ),
        risk_aversion=number(value["risk_aversion"]),
        fills=Fills(value["fills"]),
        report_delay_seconds=value.get("report_delay_seconds"),
        horizon_in_time=_horizon_in_time(value),
    )
    return {
        "order": order,
        **{name: Decimal(value[name]) for name in ("lot", "base_lot", "min_notional")},
        **{name: value[name] for name in ("total", "slice_cap")},
    }


def _horizon_in_time(value: Mapping[str, Any]) -> HorizonInTime | None:
    if value.get("ends") is None:
        return None
    earliest_end, latest_end = map(datetime.fromisoformat, value["ends"])
    return HorizonInTime(earliest_end=earliest_end, latest_end=latest_end, step_seconds=value["step_seconds"])


def _reports_due_value(due: ReportsDue) -> list[Any]:
    return [due.step, due.window.start.isoformat(), due.window.end.isoformat(), due.until.isoformat()]


def _reports_due(value: Sequence[Any]) -> ReportsDue:
    step, start, end, until = value
    window = Window(datetime.fromisoformat(start), datetime.fromisoformat(end))
    return ReportsDue(step=step, window=window, until=datetime.fromisoformat(until))


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


def _slice(value: Mapping[str, Any]) -> Slice:
    start, end = value["window"]
    return Slice(
        slice_id=value["slice_id"],
        step=value["step"],
        window=Window(datetime.fromisoformat(start), datetime.fromisoformat(end)),
        quantity=Decimal(value["quantity"]),
        notional=Decimal(value["notional"]),
        fraction=Decimal(value["fraction"]),
        cumulative_fraction=Decimal(value["cumulative_fraction"]),
        final=value["final"],
        stop_reason=StopReason(value["stop_reason"]) if value["stop_reason"] else None,
        limit_price=number(value["limit_price"]),
        bound_by=Bound(value["bound_by"]) if value["bound_by"] else None,
        decided=Decided(
            model=value["model"],
            basis=Basis(value["basis"]),
            allocation=value["allocation"],
            stop_probability=value["stop_probability"],
            decided_on=moment(value["decided_on"]),
            decided_at=datetime.fromisoformat(value["decided_at"]),
            fallback_reason=value["fallback_reason"],
        ),
        expected_volume=number(value.get("expected_volume")),
    )
