"""What is told of an event, as JSON: the same on every way out."""

from __future__ import annotations

import json
from dataclasses import fields
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from app.domain.events import Happening, OrderEvent
from app.domain.numbers import plain
from app.domain.order import Order
from app.domain.slice import Slice, Window

_NAMES: dict[type[Any], tuple[str, ...]] = {}
"""The fields of each kind of event."""
OF_SLICE = ("quantity", "notional", "window", "final", "stop_reason")
STANDING = ("filled_quantity", "filled_notional", "in_flight", "behind", "over_filled", "unpriced")


def event_json(
    event: OrderEvent, instrument: str, at: datetime, piece: Slice | None = None, order: Order | None = None
) -> str:
    """`piece` is the slice that the event commits, `order` the one that it begins. Fields without a value are left
    out."""
    told: dict[str, Any] = {"order_id": event.order_id, "instrument": instrument, "step": event.step or None}
    told |= {"at": _utc(at), "version": event.version}
    told |= {name: _json(getattr(event.what, name)) for name in _names(event.what)}
    if piece is not None:
        told |= {name: _json(getattr(piece, name)) for name in OF_SLICE}
    if order is not None:
        told["order"] = _known(_terms(order))
    told |= {name: _json(getattr(event, name)) for name in STANDING}
    return json.dumps(_known(told), separators=(",", ":"))


def _known(told: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in told.items() if value is not None}


def _terms(order: Order) -> dict[str, Any]:
    """What of the order whoever follows its events needs to know."""
    return {
        "client_order_id": order.client_order_id,
        "account": order.account,
        "side": order.side,
        order.size_mode.value: _json(order.size),
        "benchmark": order.benchmark,
        "min_steps": order.horizon.min_steps,
        "max_steps": order.horizon.max_steps,
        "fills": order.fills,
    }


def _names(what: Happening) -> tuple[str, ...]:
    kind = type(what)
    if kind not in _NAMES:
        _NAMES[kind] = tuple(field.name for field in fields(what) if field.name != "name")
    return _NAMES[kind]


def _json(value: Any) -> Any:
    match value:
        case Decimal():
            return plain(value)
        case datetime():
            return _utc(value)
        case Window():
            return {"start": _utc(value.start), "end": _utc(value.end)}
        case tuple():
            return [_json(each) for each in value]
    return value


def _utc(time: datetime) -> str:
    return time.astimezone(UTC).isoformat().replace("+00:00", "Z")
