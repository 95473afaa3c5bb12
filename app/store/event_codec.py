"""Events as JSON text and back: an array of the version of the events' form, the event's name, the order's id, version
and step, and then what this event tells. Earlier releases wrote objects with names."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

from app.domain.events import (
    EVENT_VERSION,
    FillBooked,
    FillBusted,
    FillCorrected,
    Happening,
    OrderBehind,
    OrderEvent,
    OrderOnTrack,
    OverFilled,
    SliceClosed,
    SliceCommitted,
    StatusChanged,
)
from app.domain.fills import FillWarning
from app.domain.lifecycle import Status, StatusReason, StopReason
from app.store.forms import ENCODE, is_array, require_version
from app.store.older_forms import named_event_from


def event_text(event: OrderEvent) -> str:
    what = event.what
    return ENCODE((EVENT_VERSION, what.name, event.order_id, event.version, event.step, *_facts(event, what)))


def event_from(line: str) -> OrderEvent:
    """Raises ValueError for an event that this release does not know."""
    if not is_array(line):
        return named_event_from(line)
    found, name, order_id, version, step, *facts = json.loads(line)
    require_version(found, EVENT_VERSION)
    what = _happening(name, f"{order_id}-{step}", facts)
    return OrderEvent(order_id=order_id, version=version, step=step, what=what)


def known_event(line: str) -> OrderEvent | None:
    """As `event_from`, but None for an event that this release does not know: a reader of the stream goes on behind
    what an older or a newer release has written."""
    try:
        return event_from(line)
    except (ValueError, KeyError, TypeError, AttributeError):
        return None


def _facts(event: OrderEvent, what: Happening) -> tuple[object, ...]:
    match what:
        case StatusChanged():
            named = (what.stop_reason, what.reason, what.replaces, what.replaced_by)
            return named if what.replaces or what.replaced_by else named[:2]
        case SliceCommitted():
            return () if what.slice_id == f"{event.order_id}-{event.step}" else (what.slice_id,)
        case FillBooked():
            return (what.execution_id, what.slice_id, what.warnings)
        case FillBusted():
            return (what.execution_id, what.slice_id)
        case FillCorrected():
            return (what.execution_id, what.slice_id, str(what.quantity), str(what.price))
        case OverFilled():
            return (what.execution_id, what.slice_id, str(what.amount), str(what.over_filled))
        case SliceClosed():
            return (what.slice_id, str(what.given_back))
        case OrderBehind():
            return (str(what.behind),)
        case OrderOnTrack():
            return ()


def _happening(name: str, newest_slice: str, facts: list[Any]) -> Happening:
    match name.split("."), facts:
        case ["order", "over_filled"], [execution_id, slice_id, amount, over_filled, *_]:
            return OverFilled(
                execution_id=execution_id,
                slice_id=slice_id,
                amount=Decimal(amount),
                over_filled=Decimal(over_filled),
            )
        case ["order", "behind"], [behind, *_]:
            return OrderBehind(behind=Decimal(behind))
        case ["order", "on_track"], _:
            return OrderOnTrack()
        case ["order", status], [_, *_]:
            stop_reason, reason, replaces, replaced_by = (*facts, None, None, None)[:4]
            return StatusChanged(
                status=Status(status),
                stop_reason=StopReason(stop_reason) if stop_reason else None,
                reason=StatusReason(reason) if reason else None,
                replaces=replaces,
                replaced_by=replaced_by,
            )
        case ["slice", "committed"], _:
            return SliceCommitted(slice_id=facts[0] if facts else newest_slice)
        case ["slice", "closed"], [slice_id, given_back, *_]:
            return SliceClosed(slice_id=slice_id, given_back=Decimal(given_back))
        case ["fill", "busted"], [execution_id, slice_id, *_]:
            return FillBusted(execution_id=execution_id, slice_id=slice_id)
        case ["fill", "corrected"], [execution_id, slice_id, quantity, price, *_]:
            return FillCorrected(
                execution_id=execution_id, slice_id=slice_id, quantity=Decimal(quantity), price=Decimal(price)
            )
        case ["fill", "booked"], [execution_id, slice_id, warnings, *_]:
            return FillBooked(execution_id=execution_id, slice_id=slice_id, warnings=tuple(map(FillWarning, warnings)))
    raise ValueError(f"no event is named {name!r}")
