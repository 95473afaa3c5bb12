"""What releases before wrote with every bar: objects with all names in them, and times in RFC 3339. Only read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from app.domain.bar import Bar
from app.domain.benchmark import BenchmarkSums
from app.domain.events import FillBooked, Happening, OrderEvent, OverFilled, SliceClosed, SliceCommitted, StatusChanged
from app.domain.fills import FillWarning
from app.domain.lifecycle import Status, StopReason
from app.domain.numbers import EXACT, ZERO, exact_sum
from app.domain.order import Benchmark, Fills, Horizon, HorizonInTime, Limits, Order, Side, SizeMode
from app.domain.projection import Bound
from app.domain.slice import Basis, Decided, ReportsDue, Slice, Window
from app.domain.state import OrderState
from app.store.forms import loads, moment, number

NOTHING_UNSEEN = (0, "0", "0", "0")


def bar_from(line: str) -> Bar:
    value = loads(line)
    opened, high, low, close = (Decimal(price) for price in value["prices"])
    return Bar(
        open_time=datetime.fromisoformat(value["open_time"]),
        close_time=datetime.fromisoformat(value["close_time"]),
        open=opened,
        high=high,
        low=low,
        close=close,
        volume=Decimal(value["volume"]),
        notional=number(value["notional"]),
        trades=value["trades"],
        synthetic=value["synthetic"],
    )


def mandate_from(mandate: str) -> Mapping[str, Any]:
    """The parts of `OrderState` that never change."""
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


def state_from(mandate: Mapping[str, Any], state: str) -> OrderState:
    """`mandate` are the parts of `OrderState` that never change."""
    value = loads(state)
    unpriced_quantity, unpriced_notional = map(Decimal, value.get("unpriced", ("0", "0")))
    read = OrderState(
        **mandate,
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


def slice_from(line: str) -> Slice:
    return _slice(loads(line))


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


def _reports_due(value: Sequence[Any]) -> ReportsDue:
    step, start, end, until = value
    window = Window(datetime.fromisoformat(start), datetime.fromisoformat(end))
    return ReportsDue(step=step, window=window, until=datetime.fromisoformat(until))


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


def named_event_from(line: str) -> OrderEvent:
    value = loads(line)
    return OrderEvent(order_id=value["order_id"], version=value["version"], step=value["step"], what=_happening(value))


def _happening(value: dict[str, Any]) -> Happening:
    match value["event"].split("."):
        case ["order", "over_filled"]:
            return OverFilled(
                execution_id=value["execution_id"],
                slice_id=value["slice_id"],
                amount=Decimal(value["amount"]),
                over_filled=Decimal(value["over_filled"]),
            )
        case ["order", _]:
            reason = value["stop_reason"]
            return StatusChanged(status=Status(value["status"]), stop_reason=StopReason(reason) if reason else None)
        case ["slice", "committed"]:
            return SliceCommitted(slice_id=value["slice_id"])
        case ["slice", "closed"]:
            return SliceClosed(slice_id=value["slice_id"], given_back=Decimal(value["given_back"]))
        case ["fill", "booked"]:
            warnings = tuple(map(FillWarning, value.get("warnings", ())))
            return FillBooked(execution_id=value["execution_id"], slice_id=value["slice_id"], warnings=warnings)
    raise ValueError(f"no event is named {value['event']!r}")
