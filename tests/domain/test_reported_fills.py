"""An order's life with reported fills: in flight, partial, late, beyond the slice, after a cancel."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from app.domain.errors import Conflict, InvalidInput
from app.domain.lifecycle import Status
from app.domain.order import Fills, SizeMode
from app.domain.state import OrderState, room
from app.domain.transitions import apply_fill, cancel, close_window, give_up, take
from tests.builders import (
    PRICE,
    a_bar,
    a_decided,
    a_fill,
    a_projection,
    a_window,
    an_instrument,
    an_order,
    an_order_state,
)


def a_reported(**changes: Any) -> OrderState:
    return an_order_state(an_order(fills=Fills.REPORTED, **changes))


def asked(state: OrderState, lots: int) -> OrderState:
    """The window before has closed, and the next step asks for `lots`."""
    closed = close_window(state, a_bar(state.step)) if state.current else state
    return take(closed, a_projection(lots), a_window(state.step), a_decided(), PRICE)


def filled(state: OrderState, quantity: str, *, step: int | None = None, price: Decimal | int = PRICE) -> OrderState:
    slice_id = f"{state.order_id}-{step or state.step}"
    return apply_fill(state, a_fill(state, quantity=Decimal(quantity), price=Decimal(price), slice_id=slice_id))


def test_a_closed_window_fills_nothing_by_itself() -> None:
    state = close_window(asked(a_reported(), 400), a_bar(0))

    assert (state.filled, state.leaves, state.status) == (0, 10, Status.WORKING)
    assert state.sums.steps == 1


def test_a_report_is_booked_at_its_own_price() -> None:
    state = filled(filled(asked(a_reported(), 400), "1", price=99), "3", price=103)

    assert (state.filled_quantity, state.filled_notional, state.avg_price) == (4, 408, 102)
    assert state.leaves == 6


def test_what_nobody_has_reported_yet_is_in_flight_and_not_asked_for_again() -> None:
    state = filled(asked(a_reported(), 400), "1")

    assert state.in_flight == 3
    assert room(state, PRICE, None).leaves == 600


def test_what_is_still_unreported_one_step_later_is_asked_for_again() -> None:
    """An unfilled child's quantity is not lost."""
    state = asked(asked(a_reported(), 400), 0)

    assert room(state, PRICE, None).leaves == 1000


def test_a_late_report_of_an_earlier_slice_leaves_nothing_to_ask_for_twice() -> None:
    state = asked(asked(asked(a_reported(), 500), 0), 500)

    state = filled(state, "5", step=1)

    assert (state.leaves, state.in_flight) == (5, 5)
    assert room(state, PRICE, None).leaves == 0


def test_leaves_are_never_negative_when_late_reports_overfill_the_order() -> None:
    state = filled(filled(asked(asked(asked(a_reported(), 600), 0), 1000), "10"), "6", step=1)

    assert (state.filled, state.leaves, state.status) == (16, 0, Status.COMPLETED)


def test_a_report_beyond_its_slice_is_refused_and_changes_nothing() -> None:
    state = filled(asked(a_reported(), 400), "3")

    with pytest.raises(Conflict) as refused:
        filled(state, "1.01")

    assert refused.value.code == "fill_exceeds_slice"
    assert state.filled == 3


def test_a_report_on_a_slice_that_never_was_is_refused() -> None:
    state = asked(a_reported(), 400)

    with pytest.raises(InvalidInput) as refused:
        filled(state, "1", step=2)

    assert refused.value.code == "unknown_slice"


def test_an_order_with_assumed_fills_takes_no_reports() -> None:
    state = asked(an_order_state(), 400)

    with pytest.raises(Conflict) as refused:
        filled(state, "1")

    assert refused.value.code == "fills_assumed"


def test_a_report_after_a_cancel_moves_the_quantities_and_not_the_status() -> None:
    state = filled(cancel(asked(a_reported(), 400)), "4")

    assert (state.status, state.filled, state.leaves) == (Status.CANCELLED, 4, 6)


def test_an_order_filled_before_its_window_closes_is_completed_and_its_benchmark_covers_the_window() -> None:
    state = filled(asked(a_reported(), 1000), "10")
    assert state.status is Status.COMPLETED
    assert state.awaits_bars

    state = close_window(state, a_bar(0, price=104))

    assert (state.sums.steps, state.status, state.awaits_bars) == (1, Status.COMPLETED, False)


def test_after_max_steps_an_order_waits_for_reports_until_it_is_given_up() -> None:
    state = close_window(asked(a_reported(max_steps=1), 1000), a_bar(0))
    assert state.status is Status.WORKING

    assert give_up(state).status is Status.EXPIRED
    assert filled(state, "10").status is Status.COMPLETED


def test_a_late_report_after_expiry_moves_the_quantities_and_not_the_status() -> None:
    expired = give_up(close_window(asked(a_reported(max_steps=1), 1000), a_bar(0)))

    state = filled(expired, "10")

    assert (state.status, state.leaves) == (Status.EXPIRED, 0)


def test_a_rest_under_one_lot_completes_an_order() -> None:
    assert filled(asked(a_reported(), 1000), "9.995").status is Status.COMPLETED


def a_notional_slice_of_150() -> OrderState:
    """A share at 100 that trades in whole ones."""
    order = an_order(fills=Fills.REPORTED, size=Decimal(1000), size_mode=SizeMode.NOTIONAL)
    return asked(an_order_state(order, an_instrument(lot_size=Decimal(1))), 15_000)


def test_a_notional_slice_may_be_exceeded_by_the_lot_that_rounds_it_up() -> None:
    state = filled(a_notional_slice_of_150(), "2")

    assert (state.filled, state.leaves, state.in_flight) == (200, 800, 0)


@pytest.mark.parametrize("reports", [["3"], ["2", "1"]])
def test_a_notional_slice_takes_no_lot_beyond_that(reports: list[str]) -> None:
    state = a_notional_slice_of_150()
    for quantity in reports[:-1]:
        state = filled(state, quantity)

    with pytest.raises(Conflict) as refused:
        filled(state, reports[-1])

    assert refused.value.code == "fill_exceeds_slice"


def test_a_fill_of_nothing_or_without_an_offset_cannot_be_built() -> None:
    state = asked(a_reported(), 400)

    for changes in (
        {"quantity": Decimal(0)},
        {"price": Decimal("NaN")},
        {"executed_at": state.next_open.replace(tzinfo=None)},
    ):
        with pytest.raises(InvalidInput):
            a_fill(state, **changes)
