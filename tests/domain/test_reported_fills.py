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
from tests.builders import PRICE, a_bar, a_decided, a_fill, a_projection, a_window, a_working, an_instrument, an_order


def a_reported(**changes: Any) -> OrderState:
    return a_working(an_order(fills=Fills.REPORTED, **changes))


def asked(working: OrderState, lots: int) -> OrderState:
    """The window before has closed, and the next step asks for `lots`."""
    closed = close_window(working, a_bar(working.step)) if working.current else working
    return take(closed, a_projection(lots), a_window(working.step), a_decided(), PRICE)


def filled(working: OrderState, quantity: str, *, step: int | None = None, price: Decimal | int = PRICE) -> OrderState:
    slice_id = f"{working.order.order_id}-{step or working.step}"
    return apply_fill(working, a_fill(working, quantity=Decimal(quantity), price=Decimal(price), slice_id=slice_id))


def test_a_closed_window_fills_nothing_by_itself() -> None:
    working = close_window(asked(a_reported(), 400), a_bar(0))

    assert (working.filled, working.leaves, working.status) == (0, 10, Status.WORKING)
    assert working.sums.steps == 1


def test_a_report_is_booked_at_its_own_price() -> None:
    working = filled(filled(asked(a_reported(), 400), "1", price=99), "3", price=103)

    assert (working.filled_quantity, working.filled_notional, working.avg_price) == (4, 408, 102)
    assert working.leaves == 6


def test_what_nobody_has_reported_yet_is_in_flight_and_not_asked_for_again() -> None:
    working = filled(asked(a_reported(), 400), "1")

    assert working.in_flight == 3
    assert room(working, PRICE, None).leaves == 600


def test_what_is_still_unreported_one_step_later_is_asked_for_again() -> None:
    """An unfilled child's quantity is not lost."""
    working = asked(asked(a_reported(), 400), 0)

    assert room(working, PRICE, None).leaves == 1000


def test_a_late_report_of_an_earlier_slice_leaves_nothing_to_ask_for_twice() -> None:
    working = asked(asked(asked(a_reported(), 500), 0), 500)

    working = filled(working, "5", step=1)

    assert (working.leaves, working.in_flight) == (5, 5)
    assert room(working, PRICE, None).leaves == 0


def test_leaves_are_never_negative_when_late_reports_overfill_the_order() -> None:
    working = filled(filled(asked(asked(asked(a_reported(), 600), 0), 1000), "10"), "6", step=1)

    assert (working.filled, working.leaves, working.status) == (16, 0, Status.COMPLETED)


def test_a_report_beyond_its_slice_is_refused_and_changes_nothing() -> None:
    working = filled(asked(a_reported(), 400), "3")

    with pytest.raises(Conflict) as refused:
        filled(working, "1.01")

    assert refused.value.code == "fill_exceeds_slice"
    assert working.filled == 3


def test_a_report_on_a_slice_that_never_was_is_refused() -> None:
    working = asked(a_reported(), 400)

    with pytest.raises(InvalidInput) as refused:
        filled(working, "1", step=2)

    assert refused.value.code == "unknown_slice"


def test_an_order_with_assumed_fills_takes_no_reports() -> None:
    working = asked(a_working(), 400)

    with pytest.raises(Conflict) as refused:
        filled(working, "1")

    assert refused.value.code == "fills_assumed"


def test_a_report_after_a_cancel_moves_the_quantities_and_not_the_status() -> None:
    working = filled(cancel(asked(a_reported(), 400)), "4")

    assert (working.status, working.filled, working.leaves) == (Status.CANCELLED, 4, 6)


def test_an_order_filled_before_its_window_closes_is_completed_and_its_benchmark_covers_the_window() -> None:
    working = filled(asked(a_reported(), 1000), "10")
    assert working.status is Status.COMPLETED
    assert working.awaits_bars

    working = close_window(working, a_bar(0, price=104))

    assert (working.sums.steps, working.status, working.awaits_bars) == (1, Status.COMPLETED, False)


def test_after_max_steps_an_order_waits_for_reports_until_it_is_given_up() -> None:
    working = close_window(asked(a_reported(max_steps=1), 1000), a_bar(0))
    assert working.status is Status.WORKING

    assert give_up(working).status is Status.EXPIRED
    assert filled(working, "10").status is Status.COMPLETED


def test_a_late_report_after_expiry_moves_the_quantities_and_not_the_status() -> None:
    expired = give_up(close_window(asked(a_reported(max_steps=1), 1000), a_bar(0)))

    working = filled(expired, "10")

    assert (working.status, working.leaves) == (Status.EXPIRED, 0)


def test_a_rest_under_one_lot_completes_an_order() -> None:
    assert filled(asked(a_reported(), 1000), "9.995").status is Status.COMPLETED


def a_notional_slice_of_150() -> OrderState:
    """A share at 100 that trades in whole ones."""
    order = an_order(fills=Fills.REPORTED, size=Decimal(1000), size_mode=SizeMode.NOTIONAL)
    return asked(a_working(order, an_instrument(lot_size=Decimal(1))), 15_000)


def test_a_notional_slice_may_be_exceeded_by_the_lot_that_rounds_it_up() -> None:
    working = filled(a_notional_slice_of_150(), "2")

    assert (working.filled, working.leaves, working.in_flight) == (200, 800, 0)


@pytest.mark.parametrize("reports", [["3"], ["2", "1"]])
def test_a_notional_slice_takes_no_lot_beyond_that(reports: list[str]) -> None:
    working = a_notional_slice_of_150()
    for quantity in reports[:-1]:
        working = filled(working, quantity)

    with pytest.raises(Conflict) as refused:
        filled(working, reports[-1])

    assert refused.value.code == "fill_exceeds_slice"


def test_a_fill_of_nothing_or_without_an_offset_cannot_be_built() -> None:
    working = asked(a_reported(), 400)

    for changes in (
        {"quantity": Decimal(0)},
        {"price": Decimal("NaN")},
        {"executed_at": working.next_open.replace(tzinfo=None)},
    ):
        with pytest.raises(InvalidInput):
            a_fill(working, **changes)
