"""An order's life with reported fills: in flight, partial, late, given back, more than asked for, after a cancel."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from app.domain.errors import Conflict, InvalidInput, NotFound
from app.domain.lifecycle import Status
from app.domain.order import REPORT_DELAY_SECONDS_MAX, Horizon
from app.domain.reports import apply_fill, close_slice, give_back
from app.domain.state import room
from app.domain.transitions import cancel, close_window, give_up
from tests.builders import (
    BAR_SECONDS,
    PRICE,
    START,
    a_bar,
    a_fill,
    an_order_state,
    at,
)
from tests.domain.reporting import a_reported, asked, filled

A_SECOND = timedelta(seconds=1)


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


def test_every_slice_stays_in_flight_whatever_slices_follow_it() -> None:
    state = asked(asked(filled(asked(a_reported(), 400), "1"), 0), 200)

    assert state.in_flight == 5
    assert room(state, PRICE, None).leaves == 400


@pytest.mark.parametrize(
    ("changes", "seconds"),
    [
        ({}, BAR_SECONDS),
        ({"horizon": Horizon(min_steps=1, max_steps=3, step_seconds=3600)}, 3600),
        ({"report_delay_seconds": 0}, 0),
        ({"report_delay_seconds": 7}, 7),
    ],
)
def test_a_slice_is_given_back_once_the_time_for_its_reports_has_passed(changes: dict[str, Any], seconds: int) -> None:
    """One step after the window's end, where the order names no delay."""
    state = filled(asked(a_reported(**changes), 400), "1")
    last_chance = at(1) + timedelta(seconds=seconds)

    assert give_back(state, last_chance) is state

    given_back = give_back(state, last_chance + A_SECOND)
    assert (given_back.in_flight, given_back.filled) == (0, 1)
    assert room(given_back, PRICE, None).leaves == 900


@pytest.mark.parametrize("seconds", [-1, REPORT_DELAY_SECONDS_MAX + 1])
def test_a_delay_of_reports_is_bounded(seconds: int) -> None:
    with pytest.raises(InvalidInput) as refused:
        a_reported(report_delay_seconds=seconds)

    assert refused.value.code == "out_of_range"


def test_a_slice_that_the_oms_closes_is_given_back_and_twice_is_once() -> None:
    state = asked(filled(asked(a_reported(), 400), "1"), 200)

    closed = close_slice(state, 1)

    assert (closed.in_flight, closed.filled) == (2, 1)
    assert room(closed, PRICE, None).leaves == 700
    assert close_slice(closed, 1) is closed


@pytest.mark.parametrize("step", [-1, 0, 2])
def test_a_slice_that_never_was_cannot_be_closed(step: int) -> None:
    with pytest.raises(NotFound) as refused:
        close_slice(asked(a_reported(), 400), step)

    assert refused.value.code == "unknown_step"


def test_a_slice_of_nothing_and_one_that_is_made_up_await_no_reports() -> None:
    state = asked(filled(asked(a_reported(), 400), "4"), 0)

    assert state.reports_due == ()


def test_a_late_report_of_an_earlier_slice_leaves_nothing_to_ask_for_twice() -> None:
    state = asked(asked(asked(a_reported(), 500), 0), 500)

    state = filled(state, "5", step=1)

    assert (state.leaves, state.in_flight, state.over_filled) == (5, 5, 0)
    assert room(state, PRICE, None).leaves == 0


@pytest.mark.parametrize("slice_id", ["2", "0", "-1", "01", "1 ", "¹", "", "9" * 5000])
def test_a_report_on_a_slice_that_never_was_is_refused(slice_id: str) -> None:
    state = asked(a_reported(), 400)

    with pytest.raises(InvalidInput) as refused:
        apply_fill(state, a_fill(state, slice_id=f"{state.order_id}-{slice_id}"))

    assert refused.value.code == "unknown_slice"


def test_an_order_with_assumed_fills_takes_no_reports() -> None:
    state = asked(an_order_state(), 400)

    with pytest.raises(Conflict) as refused:
        filled(state, "1")
    with pytest.raises(Conflict) as closing_refused:
        close_slice(state, 1)

    assert refused.value.code == closing_refused.value.code == "fills_assumed"


def test_a_report_after_a_cancel_moves_the_quantities_and_not_the_status() -> None:
    cancelled = cancel(asked(a_reported(), 400), START)
    assert (cancelled.in_flight, cancelled.awaits_bars) == (4, True)

    state = filled(cancelled, "4")

    assert (state.status, state.filled, state.leaves, state.over_filled) == (Status.CANCELLED, 4, 6, 0)


def test_a_cancelled_order_awaits_bars_until_nothing_of_it_is_in_flight() -> None:
    cancelled = close_window(cancel(asked(a_reported(), 400), START), a_bar(0))
    assert cancelled.awaits_bars

    given_back = give_back(cancelled, at(3))

    assert (given_back.in_flight, given_back.awaits_bars, given_back.status) == (0, False, Status.CANCELLED)


def test_an_order_filled_before_its_window_closes_is_completed_and_its_benchmark_covers_the_window() -> None:
    state = filled(asked(a_reported(), 1000), "10")
    assert state.status is Status.COMPLETED
    assert state.awaits_bars

    state = close_window(state, a_bar(0, price=104))

    assert (state.sums.steps, state.status, state.awaits_bars) == (1, Status.COMPLETED, False)


def test_after_max_steps_an_order_waits_until_nothing_is_in_flight() -> None:
    state = close_window(asked(a_reported(max_steps=1), 1000), a_bar(0))
    assert give_up(state) is state
    assert state.status is Status.WORKING

    assert filled(state, "10").status is Status.COMPLETED
    assert filled(state, "9").status is Status.WORKING
    assert close_slice(filled(state, "9"), 1).status is Status.EXPIRED
    assert give_up(give_back(state, at(3))).status is Status.EXPIRED


def test_a_late_report_after_expiry_moves_the_quantities_and_not_the_status() -> None:
    expired = close_slice(close_window(asked(a_reported(max_steps=1), 1000), a_bar(0)), 1)

    state = filled(expired, "10")

    assert (state.status, state.leaves, state.over_filled) == (Status.EXPIRED, 0, 10)


def test_a_rest_under_one_lot_completes_an_order() -> None:
    assert filled(asked(a_reported(), 1000), "9.995").status is Status.COMPLETED


def test_a_fill_of_nothing_or_without_an_offset_cannot_be_built() -> None:
    state = asked(a_reported(), 400)

    for changes in (
        {"quantity": Decimal(0)},
        {"price": Decimal("NaN")},
        {"executed_at": state.next_open.replace(tzinfo=None)},
    ):
        with pytest.raises(InvalidInput):
            a_fill(state, **changes)
