"""Events as JSON text and back: an array of the version of the events' form, the event's name, the order's id, version
and step, then what this event tells, and last how the order stood by then: what was filled and in flight, and where
there is something of it, what was behind, over-filled and unpriced. Earlier releases wrote objects with names, and
later ones events that told less."""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from decimal import Decimal
from functools import lru_cache
from typing import Any
from uuid import UUID

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
    SliceEnded,
    SliceFilled,
    SliceOffered,
    SliceWithheld,
    StatusChanged,
)
from app.domain.fills import FillWarning
from app.domain.lifecycle import Status, StatusReason, StopReason
from app.domain.numbers import ZERO
from app.store.forms import ENCODE, is_array, require_version
from app.store.older_forms import named_event_from

SHORT = {"slice.committed": "slice"}
"""Of names that are written with every bar."""
NAMES = {short: name for name, short in SHORT.items()}
SHORT_ID_LENGTH = 22
IDS_CACHED = 20_000
STANDING = ("filled_quantity", "filled_notional", "in_flight", "behind", "over_filled", "unpriced")
ABOUT_A_SLICE: Mapping[str, type[SliceCommitted | SliceFilled | SliceEnded | SliceWithheld | SliceOffered]] = {
    "committed": SliceCommitted,
    "filled": SliceFilled,
    "ended": SliceEnded,
    "withheld": SliceWithheld,
    "offered": SliceOffered,
}
"""Events that name a slice and tell nothing else."""


def event_text(event: OrderEvent) -> str:
    what = event.what
    head = (EVENT_VERSION, SHORT.get(what.name, what.name), _short_id(event.order_id), event.version, event.step)
    return ENCODE((*head, *_facts(event, what), *_standing(event)))


def event_from(line: str) -> OrderEvent:
    """Raises ValueError for an event that this release does not know."""
    if not is_array(line):
        return named_event_from(line)
    found, name, short_id, version, step, *facts = json.loads(line)
    require_version(found, EVENT_VERSION)
    order_id = _whole_id(short_id)
    name = NAMES.get(name, name)
    standing = _standing_from(facts.pop()) if _has_standing(name, facts) else {}
    what = _happening(name, f"{order_id}-{step}", facts)
    return OrderEvent(
        order_id=order_id,
        version=version,
        step=step,
        what=what,
        **standing,
    )


@lru_cache(maxsize=IDS_CACHED)
def _short_id(order_id: str) -> str:
    """An order's id is in each of its events: a UUID takes 22 letters instead of 36."""
    try:
        found = UUID(order_id)
    except ValueError:
        return order_id
    return urlsafe_b64encode(found.bytes).decode().rstrip("=") if str(found) == order_id else order_id


@lru_cache(maxsize=IDS_CACHED)
def _whole_id(short_id: str) -> str:
    if len(short_id) != SHORT_ID_LENGTH:
        return short_id
    return str(UUID(bytes=urlsafe_b64decode(f"{short_id}==")))


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
        case SliceCommitted() | SliceFilled() | SliceEnded() | SliceWithheld() | SliceOffered():
            return () if what.slice_id == f"{event.order_id}-{event.step}" else (what.slice_id,)
        case FillBooked():
            size = () if what.quantity is None else (str(what.quantity), str(what.price))
            return (what.execution_id, what.slice_id, what.warnings, *size)
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


def _standing(event: OrderEvent) -> tuple[object, ...]:
    """Comes last, and is known by its form: what events tell besides differs."""
    if event.filled_quantity is None:
        return ()
    told: tuple[object, ...] = (str(event.filled_quantity), str(event.filled_notional))
    if event.in_flight is None:
        return (told,)
    seldom = (event.behind, event.over_filled, event.unpriced)
    return ((*told, str(event.in_flight), *(map(str, seldom) if any(seldom) else ())),)


def _standing_from(told: list[str]) -> dict[str, Decimal]:
    amounts = list(map(Decimal, told))
    if len(amounts) == 3:  # noqa: PLR2004 -- what is seldom there is zero
        amounts += (ZERO, ZERO, ZERO)
    return dict(zip(STANDING, amounts, strict=False))


def _has_standing(name: str, facts: list[Any]) -> bool:
    """The warnings of a fill are a list, too: in earlier releases they came last."""
    return bool(facts) and isinstance(facts[-1], list) and not (name == "fill.booked" and facts[-1] is facts[2])


def _happening(name: str, newest_slice: str, facts: list[Any]) -> Happening:
    match name.split("."), facts:
        case ["order", what], _:
            return _of_order(what, facts)
        case ["slice", what], _ if what in ABOUT_A_SLICE:
            return ABOUT_A_SLICE[what](slice_id=facts[0] if facts else newest_slice)
        case ["slice", "closed"], [slice_id, given_back, *_]:
            return SliceClosed(slice_id=slice_id, given_back=Decimal(given_back))
        case ["fill", "busted"], [execution_id, slice_id, *_]:
            return FillBusted(execution_id=execution_id, slice_id=slice_id)
        case ["fill", "corrected"], [execution_id, slice_id, quantity, price, *_]:
            return FillCorrected(
                execution_id=execution_id, slice_id=slice_id, quantity=Decimal(quantity), price=Decimal(price)
            )
        case ["fill", "booked"], [execution_id, slice_id, warnings, *size]:
            quantity, price = map(Decimal, size[:2]) if size else (None, None)
            return FillBooked(
                execution_id=execution_id,
                slice_id=slice_id,
                warnings=tuple(map(FillWarning, warnings)),
                quantity=quantity,
                price=price,
            )
    raise ValueError(f"no event is named {name!r}")


def _of_order(what: str, facts: list[Any]) -> Happening:
    match what, facts:
        case "over_filled", [execution_id, slice_id, amount, over_filled, *_]:
            return OverFilled(
                execution_id=execution_id,
                slice_id=slice_id,
                amount=Decimal(amount),
                over_filled=Decimal(over_filled),
            )
        case "behind", [behind, *_]:
            return OrderBehind(behind=Decimal(behind))
        case "on_track", _:
            return OrderOnTrack()
        case status, [_, *_]:
            stop_reason, reason, replaces, replaced_by = (*facts, None, None, None)[:4]
            return StatusChanged(
                status=Status(status),
                stop_reason=StopReason(stop_reason) if stop_reason else None,
                reason=StatusReason(reason) if reason else None,
                replaces=replaces,
                replaced_by=replaced_by,
            )
    raise ValueError(f"no event is named order.{what}")
