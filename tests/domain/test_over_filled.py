"""Reports of more than is in flight are booked, and what is beyond it is over-filled."""

from __future__ import annotations

from decimal import Decimal

import pytest

from app.domain.lifecycle import Status
from app.domain.order import Fills, SizeMode
from app.domain.reports import close_slice
from app.domain.state import OrderState, room
from tests.builders import (
    PRICE,
    an_instrument,
    an_order,
    an_order_state,
)
from tests.domain.reporting import a_reported, asked, filled


def test_a_report_beyond_its_slice_is_booked_and_marks_the_order() -> None:
    state = filled(filled(asked(a_reported(), 400), "3"), "1.5")

    assert (state.filled, state.leaves, state.in_flight) == (Decimal("4.5"), Decimal("5.5"), 0)
    assert state.over_filled == Decimal("0.5")
    assert room(state, PRICE, None).leaves == 550


def test_a_report_on_a_slice_that_was_given_back_is_booked_and_what_follows_shrinks() -> None:
    state = asked(close_slice(asked(a_reported(), 400), 1), 500)

    state = filled(state, "4", step=1)

    assert (state.filled, state.in_flight, state.over_filled) == (4, 5, 4)
    assert room(state, PRICE, None).leaves == 100


def test_leaves_are_never_negative_when_late_reports_overfill_the_order() -> None:
    state = asked(close_slice(asked(a_reported(), 600), 1), 1000)

    state = filled(filled(state, "10"), "6", step=1)

    assert (state.filled, state.leaves, state.status) == (16, 0, Status.COMPLETED)
    assert state.over_filled == 6


def test_a_report_of_far_too_much_completes_the_order_and_says_by_how_much() -> None:
    order = an_order(fills=Fills.REPORTED, size=Decimal(2500), size_mode=SizeMode.NOTIONAL)

    state = filled(asked(an_order_state(order), 50_000), "10000")

    assert (state.status, state.leaves, state.filled) == (Status.COMPLETED, 0, 1_000_000)
    assert state.over_filled == 1_000_000 - 500


def a_notional_slice(lots: int = 15_000) -> OrderState:
    """Of an order of 1000 for a share at 100 that trades in whole ones: a slice of 150, or other cents."""
    order = an_order(fills=Fills.REPORTED, size=Decimal(1000), size_mode=SizeMode.NOTIONAL)
    return asked(an_order_state(order, an_instrument(lot_size=Decimal(1))), lots)


def test_the_lot_that_rounds_a_notional_slice_up_is_not_over_filled() -> None:
    state = filled(a_notional_slice(), "2")

    assert (state.filled, state.leaves, state.in_flight, state.over_filled) == (200, 800, 0, 0)


@pytest.mark.parametrize(("reports", "over_filled"), [(["3"], 150), (["2", "1"], 100)])
def test_a_lot_beyond_that_is_over_filled(reports: list[str], over_filled: int) -> None:
    state = a_notional_slice()
    for quantity in reports:
        state = filled(state, quantity)

    assert state.over_filled == over_filled


def test_what_a_lot_rounds_up_beyond_the_whole_order_is_over_filled() -> None:
    state = filled(a_notional_slice(100_000), "10", price=Decimal("109.99"))

    assert (state.status, state.filled, state.over_filled) == (Status.COMPLETED, Decimal("1099.9"), Decimal("99.9"))
