"""Events survive the store, and a form that is not known is refused."""

from __future__ import annotations

import json
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from app.domain.events import (
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
from app.store.event_codec import event_from, event_text, known_event
from tests.store import former_texts


def an_event(what: Happening) -> OrderEvent:
    return OrderEvent(order_id="order-1", version=3, step=2, what=what)


EVERY = [
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
]
NEWER = [
    *((StatusChanged(status=Status.EXPIRED, reason=reason), "order.expired") for reason in StatusReason),
    (StatusChanged(status=Status.REPLACED, reason=StatusReason.OMS, replaced_by="order-2"), "order.replaced"),
    (StatusChanged(status=Status.WORKING, reason=StatusReason.OMS, replaces="order-0"), "order.working"),
    (SliceFilled(slice_id="order-1-2"), "slice.filled"),
    (SliceFilled(slice_id="order-1-1"), "slice.filled"),
    (SliceEnded(slice_id="order-1-2"), "slice.ended"),
    (SliceWithheld(slice_id="order-1-1"), "slice.withheld"),
    (SliceOffered(slice_id="order-1-2"), "slice.offered"),
    (FillBooked(execution_id="x", slice_id="order-1-2", quantity=Decimal(3), price=Decimal("0.5")), "fill.booked"),
    (FillBusted(execution_id="x", slice_id="order-1-2"), "fill.busted"),
    (
        FillCorrected(execution_id="x", slice_id="order-1-2", quantity=Decimal("1e-12"), price=Decimal(100)),
        "fill.corrected",
    ),
    (OrderBehind(behind=Decimal("0.10")), "order.behind"),
    (OrderOnTrack(), "order.on_track"),
]
"""Which no release knew that wrote names."""


@pytest.mark.parametrize(("what", "name"), EVERY + NEWER)
def test_an_event_comes_back_equal_and_carries_its_name(what: Happening, name: str) -> None:
    text = event_text(an_event(what))

    assert event_from(text) == an_event(what)
    assert json.loads(text)[:2] == [2, name.replace("slice.committed", "slice")]


@pytest.mark.parametrize(("what", "_"), EVERY + NEWER)
def test_an_event_tells_what_was_filled_by_then(what: Happening, _: str) -> None:
    event = replace(an_event(what), filled_quantity=Decimal("1e-12"), filled_notional=Decimal("7.50"))

    assert event_from(event_text(event)) == event


@pytest.mark.parametrize(("what", "_"), EVERY + NEWER)
@pytest.mark.parametrize("over_filled", ["0", "0.25"])
def test_an_event_tells_how_the_order_stood_by_then(what: Happening, _: str, over_filled: str) -> None:
    amounts: dict[str, Any] = dict.fromkeys(("filled_quantity", "filled_notional", "in_flight"), Decimal("7.50"))
    event = replace(an_event(what), **amounts, behind=Decimal(0), over_filled=Decimal(over_filled), unpriced=Decimal(0))

    assert event_from(event_text(event)) == event


@pytest.mark.parametrize("order_id", ["00000000-0000-5000-8000-0000000000ff", "F" * 36, "order-1"])
def test_an_order_keeps_its_id_however_it_is_written(order_id: str) -> None:
    event = replace(an_event(OrderOnTrack()), order_id=order_id)

    assert event_from(event_text(event)) == event


def test_an_id_is_written_short_and_an_event_with_the_whole_one_is_read_too() -> None:
    order_id = "93c929b4-2271-5141-bce8-febf6922fcea"
    event = replace(an_event(OrderOnTrack()), order_id=order_id)

    assert order_id not in event_text(event)
    assert event_from(f'[2,"order.on_track","{order_id}",{event.version},{event.step}]') == event


def test_a_slice_that_an_earlier_release_has_committed_is_read_under_its_long_name() -> None:
    event = an_event(SliceCommitted(slice_id="order-1-2"))

    assert event_from('[2,"slice.committed","order-1",3,2]') == event


@pytest.mark.parametrize(("what", "name"), EVERY)
def test_an_event_of_a_release_that_wrote_names_comes_back_equal(what: Happening, name: str) -> None:
    text = former_texts.event_text(an_event(what))

    assert event_from(text) == an_event(what)
    assert f'"event":"{name}"' in text


def test_a_fill_that_an_older_release_booked_has_no_warnings() -> None:
    what = FillBooked(execution_id="x", slice_id="order-1-2")
    value = json.loads(former_texts.event_text(an_event(what)))

    del value["warnings"]

    assert event_from(json.dumps(value)) == an_event(what)


@pytest.mark.parametrize("change", [{"v": 2}, {"event": "order.teleported", "status": "teleported"}, {"event": "tea"}])
def test_a_named_event_of_another_release_is_refused(change: dict[str, object]) -> None:
    text = json.dumps(json.loads(former_texts.event_text(an_event(StatusChanged(status=Status.WORKING)))) | change)

    with pytest.raises(ValueError, match=r"form|is not a valid|named"):
        event_from(text)


@pytest.mark.parametrize("change", [("[2,", "[3,"), ("order.working", "order.teleported"), ("order.working", "tea")])
def test_an_event_of_another_release_is_refused(change: tuple[str, str]) -> None:
    text = event_text(an_event(StatusChanged(status=Status.WORKING))).replace(*change)

    with pytest.raises(ValueError, match=r"form|is not a valid|named"):
        event_from(text)


def test_a_reader_of_the_stream_skips_what_it_does_not_know() -> None:
    known = [an_event(SliceCommitted(slice_id=f"order-1-{step}")) for step in (1, 2)]
    text = event_text(known[0])
    unknown = [
        *(text.replace("[2,", form) for form in ("[0,", "[3,", "[null,")),
        *("", "[]", "[2]", '[2,7,"order-1",3,2]', "7", "garbage", '{"v":1}', '{"v":1,"event":7}'),
        text.replace('"slice"', '"order.teleported"'),
    ]

    read = [known_event(line) for line in (text, *unknown, event_text(known[1]))]

    assert [event for event in read if event] == known
