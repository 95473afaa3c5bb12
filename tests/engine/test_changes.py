"""A change tells what happened to its order, in order and with what belongs to it."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

from app.domain.events import (
    FillBooked,
    FillBusted,
    FillCorrected,
    OrderBehind,
    OrderOnTrack,
    OverFilled,
    SliceClosed,
    SliceCommitted,
    SliceEnded,
    SliceOffered,
    SliceWithheld,
    StatusChanged,
)
from app.domain.fills import Fill
from app.domain.lifecycle import Status, StatusReason, StopReason
from app.domain.order import Fills
from app.domain.reports import apply_fill, close_slice, revise_fill
from app.domain.state import OrderState
from app.domain.transitions import cancel, close_window, pause, resume, take
from app.engine.changes import Change, change
from tests.builders import PRICE, START, a_bar, a_decided, a_fill, a_projection, a_window, an_order, an_order_state, at


def whats(made: Change) -> list[object]:
    return [event.what for event in made.events]


def booked(fill: Fill) -> FillBooked:
    return FillBooked(execution_id=fill.execution_id, slice_id=fill.slice_id, quantity=fill.quantity, price=fill.price)


def with_slice(state: OrderState) -> OrderState:
    """The order with one slice for all of it, which the model has made the last."""
    projection = a_projection(1000, stopping=True, final=True, stop_reason=StopReason.MODEL)
    return take(state, projection, a_window(), a_decided(), PRICE)


def test_a_new_order_with_its_first_slice_is_accepted_works_and_then_tells_the_slice() -> None:
    made = change(None, with_slice(an_order_state()))

    assert whats(made) == [
        StatusChanged(status=Status.ACCEPTED, reason=StatusReason.OMS),
        StatusChanged(status=Status.WORKING, stop_reason=StopReason.MODEL, reason=StatusReason.MODEL),
        SliceCommitted(slice_id=f"{made.after.order_id}-1"),
    ]
    assert {(event.order_id, event.version, event.step) for event in made.events} == {(made.after.order_id, 1, 1)}


def test_a_fill_is_told_after_the_status_that_it_leads_to() -> None:
    before = with_slice(an_order_state(an_order(fills=Fills.REPORTED)))
    fill = a_fill(before, quantity=Decimal(10))

    assert whats(change(before, apply_fill(before, fill), fill)) == [
        StatusChanged(status=Status.COMPLETED, stop_reason=StopReason.MODEL, reason=StatusReason.FILLS),
        booked(fill),
    ]


def test_what_a_fill_has_too_much_is_told_after_it() -> None:
    before = with_slice(an_order_state(an_order(fills=Fills.REPORTED)))
    fill = a_fill(before, quantity=Decimal(12))

    *_, told, over_filled = whats(change(before, apply_fill(before, fill), fill))

    names: dict[str, Any] = {"execution_id": fill.execution_id, "slice_id": fill.slice_id}
    assert told == booked(fill)
    assert over_filled == OverFilled(**names, amount=Decimal(2), over_filled=Decimal(2))


def test_a_bust_and_a_correction_are_told_as_such() -> None:
    before = with_slice(an_order_state(an_order(fills=Fills.REPORTED)))
    fill = a_fill(before, quantity=Decimal(12))
    booked = apply_fill(before, fill)
    less, none = replace(fill, quantity=Decimal(9), original=fill), replace(fill, busted=True)

    corrected = change(booked, revise_fill(booked, fill, less, START), less)
    busted = change(booked, revise_fill(booked, fill, none, START), none)

    names: dict[str, Any] = {"execution_id": fill.execution_id, "slice_id": fill.slice_id}
    assert whats(corrected)[-1] == FillCorrected(**names, quantity=Decimal(9), price=fill.price)
    assert whats(busted) == [
        StatusChanged(status=Status.WORKING, stop_reason=StopReason.MODEL, reason=StatusReason.BUST),
        FillBusted(**names),
    ]


def test_a_slice_that_is_given_back_is_told_with_what_is_left_of_it() -> None:
    before = with_slice(an_order_state(an_order(fills=Fills.REPORTED)))
    in_part = apply_fill(before, a_fill(before, quantity=Decimal(4)))

    assert whats(change(in_part, close_slice(in_part, 1))) == [
        SliceClosed(slice_id=f"{before.order_id}-1", given_back=Decimal(6))
    ]


def test_a_fill_that_leaves_the_status_is_told_alone() -> None:
    before = with_slice(an_order_state(an_order(fills=Fills.REPORTED)))
    fill = a_fill(before, quantity=Decimal(1))

    assert whats(change(before, apply_fill(before, fill), fill)) == [booked(fill)]


def test_an_order_that_falls_behind_tells_it_once_and_tells_when_it_is_back() -> None:
    state, told = an_order_state(), list[list[object]]()
    for step, out_of_reach in enumerate((0, 3, 2, 0, 1)):
        before = state
        state = take(state, a_projection(1), a_window(step), a_decided(), PRICE, None, Decimal(out_of_reach))
        made = change(before, state)
        state = made.after
        told.append([what for what in whats(made) if isinstance(what, OrderBehind | OrderOnTrack)])

    assert told == [[], [OrderBehind(behind=Decimal(3))], [], [OrderOnTrack()], [OrderBehind(behind=Decimal(1))]]


def test_an_order_that_ends_is_neither_behind_nor_back() -> None:
    before = take(with_slice(an_order_state()), a_projection(0), a_window(1), a_decided(), PRICE, None, Decimal(3))

    assert whats(change(before, cancel(before, START))) == [
        StatusChanged(status=Status.CANCELLED, reason=StatusReason.OMS)
    ]


def test_a_window_that_closes_with_nothing_traded_is_told_so_that_no_version_is_without_an_event() -> None:
    before = cancel(with_slice(an_order_state(an_order(fills=Fills.REPORTED))), START)

    assert whats(change(before, close_window(before, a_bar()))) == [SliceEnded(slice_id=f"{before.order_id}-1")]


def test_a_slice_that_a_pause_takes_back_is_told_and_so_is_that_it_is_offered_again() -> None:
    before = with_slice(an_order_state())
    early = at(-1)
    paused = pause(before, early)

    assert whats(change(before, paused))[-1] == SliceWithheld(slice_id=f"{before.order_id}-1")
    assert whats(change(paused, resume(paused, early)))[-1] == SliceOffered(slice_id=f"{before.order_id}-1")


def test_an_event_tells_how_the_order_stands_after_the_change() -> None:
    before = with_slice(an_order_state(an_order(fills=Fills.REPORTED)))
    fill = a_fill(before, quantity=Decimal(12))

    first, *_ = change(before, apply_fill(before, fill), fill).events

    assert (first.filled_quantity, first.in_flight, first.over_filled) == (Decimal(12), Decimal(0), Decimal(2))
