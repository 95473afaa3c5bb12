"""Events as JSON text and back: `event` is the name, `v` the version of the events' form."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from app.domain.events import (
    EVENT_VERSION,
    FillBooked,
    Happening,
    OrderEvent,
    OverFilled,
    SliceClosed,
    SliceCommitted,
    StatusChanged,
)
from app.domain.fills import FillWarning
from app.domain.lifecycle import Status, StopReason
from app.store.codec import dumps, loads


def event_text(event: OrderEvent) -> str:
    named = {"event": event.what.name, "order_id": event.order_id, "version": event.version, "step": event.step}
    return dumps(named | _facts(event.what), EVENT_VERSION)


def event_from(line: str) -> OrderEvent:
    """Raises ValueError for an event that this release does not know."""
    value = loads(line, EVENT_VERSION)
    return OrderEvent(order_id=value["order_id"], version=value["version"], step=value["step"], what=_happening(value))


def known_event(line: str) -> OrderEvent | None:
    """As `event_from`, but None for an event that this release does not know: a reader of the stream goes on behind
    what an older or a newer release has written."""
    try:
        return event_from(line)
    except (ValueError, KeyError, TypeError, AttributeError):
        return None


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
