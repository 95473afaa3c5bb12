"""Events survive the store, and a form that is not known is refused."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest

from app.domain.events import (
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
from app.store.event_codec import event_from, event_text


def an_event(what: Happening) -> OrderEvent:
    return OrderEvent(order_id="order-1", version=3, step=2, what=what)


@pytest.mark.parametrize(
    ("what", "name"),
    [
        *((StatusChanged(status=status), f"order.{status}") for status in Status),
        (StatusChanged(status=Status.COMPLETED, stop_reason=StopReason.EARLY), "order.completed"),
        (SliceCommitted(slice_id="order-1-2"), "slice.committed"),
        (FillBooked(execution_id="exec, 7", slice_id="order-1-2"), "fill.booked"),
        (FillBooked(execution_id="x", slice_id="order-1-2", warnings=(FillWarning.BELOW_LOT,)), "fill.booked"),
        (
            OverFilled(execution_id="x", slice_id="order-1-2", amount=Decimal("0.1"), over_filled=Decimal(2)),
            "order.over_filled",
        ),
        (SliceClosed(slice_id="order-1-2", given_back=Decimal("1e-12")), "slice.closed"),
    ],
)
def test_an_event_comes_back_equal_and_carries_its_name(what: Happening, name: str) -> None:
    text = event_text(an_event(what))

    assert event_from(text) == an_event(what)
    assert json.loads(text)["event"] == name


def test_a_fill_that_an_older_release_booked_has_no_warnings() -> None:
    what = FillBooked(execution_id="x", slice_id="order-1-2")
    value = json.loads(event_text(an_event(what)))

    del value["warnings"]

    assert event_from(json.dumps(value)) == an_event(what)


@pytest.mark.parametrize("change", [{"v": 2}, {"event": "order.teleported", "status": "teleported"}, {"event": "tea"}])
def test_an_event_of_another_release_is_refused(change: dict[str, object]) -> None:
    text = json.dumps(json.loads(event_text(an_event(StatusChanged(status=Status.WORKING)))) | change)

    with pytest.raises(ValueError, match=r"form|is not a valid|named"):
        event_from(text)
