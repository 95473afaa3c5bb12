"""An order's life with assumed fills: slices, windows that close, late bars, expiry and cancel."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from app.domain.bar import fill_gap
from app.domain.errors import Conflict
from app.domain.lifecycle import Status, StopReason
from app.domain.order import Fills, Limits, Side, SizeMode
from app.domain.state import OrderState, room
from app.domain.transitions import cancel, close_window, give_up, take
from tests.builders import (
    PRICE,
    START,
    a_bar,
    a_decided,
    a_projection,
    a_window,
    an_order,
    an_order_state,
    at,
)


def asked(state: OrderState, lots: int) -> OrderState:
    """The next step asks for `lots`."""
    return take(state, a_projection(lots), a_window(state.step), a_decided(), PRICE)


def done(state: OrderState, lots: int, *, price: Decimal | int = PRICE) -> OrderState:
    """The next step asks for `lots` and its window closes at `price`."""
    return close_window(asked(state, lots), a_bar(state.step, price=price))


def test_a_slice_says_what_to_trade_and_how_it_came_about() -> None:
    order = an_order(size=Decimal(10), limits=Limits(limit_price=Decimal(105)))
    projection = a_projection(250, stop_reason=StopReason.MODEL)

    state = take(an_order_state(order), projection, a_window(0), a_decided(model="abc"), Decimal(80))
    piece = state.current

    assert piece is not None
    assert piece.slice_id == f"{order.order_id}-1"
    assert (piece.quantity, piece.notional) == (Decimal("2.5"), Decimal(200))
    assert (piece.fraction, piece.cumulative_fraction) == (Decimal("0.25"), Decimal("0.25"))
    assert (piece.final, piece.stop_reason, piece.limit_price) == (False, StopReason.MODEL, Decimal(105))
    assert piece.decided.model == "abc"
    assert (state.status, state.step, state.next_open) == (Status.WORKING, 1, at(1))


@pytest.mark.parametrize(
    ("changes", "final"),
    [
        ({}, True),
        ({"max_steps": 1}, True),
        ({"fills": Fills.REPORTED}, False),
        ({"fills": Fills.REPORTED, "max_steps": 1}, True),
        ({"limits": Limits(limit_price=Decimal(105))}, False),
        ({"limits": Limits(limit_price=Decimal(105)), "max_steps": 1}, True),
        ({"limits": Limits(max_participation_rate=Decimal("0.1"))}, False),
        ({"limits": Limits(max_slice_fraction=Decimal(1))}, True),
    ],
)
def test_a_slice_is_final_only_where_no_other_can_follow_it(changes: dict[str, Any], final: bool) -> None:
    """What is asked for last may not be traded, and is then asked for again while steps remain."""
    projection = a_projection(1000, final=True, stop_reason=StopReason.MODEL)

    piece = take(an_order_state(an_order(**changes)), projection, a_window(), a_decided(), PRICE).current

    assert piece is not None
    assert (piece.final, piece.stop_reason) == (final, StopReason.MODEL)


def test_a_notional_slice_is_exact_in_notional_and_estimates_the_quantity() -> None:
    order = an_order(size=Decimal(1000), size_mode=SizeMode.NOTIONAL)

    piece = take(an_order_state(order), a_projection(20_000), a_window(0), a_decided(), Decimal(80)).current

    assert piece is not None
    assert (piece.notional, piece.quantity) == (Decimal(200), Decimal("2.5"))


def test_an_assumed_fill_is_booked_at_the_bars_price_when_the_window_closes() -> None:
    state = done(an_order_state(an_order(size=Decimal(10))), 400, price=102)

    assert state.current is None
    assert (state.filled_quantity, state.filled_notional, state.avg_price) == (4, 408, 102)
    assert (state.leaves, state.executed) == (6, (Decimal(4),))
    assert state.status is Status.WORKING


def test_an_assumed_notional_fill_is_exact_in_notional() -> None:
    order = an_order(size=Decimal(100), size_mode=SizeMode.NOTIONAL)

    state = done(done(an_order_state(order), 3333, price=3), 6667, price=7)

    assert state.status is Status.COMPLETED
    assert (state.filled, state.leaves) == (100, 0)
    assert float(state.filled_quantity) == pytest.approx(33.33 / 3 + 66.67 / 7)


def test_an_order_is_completed_when_its_last_slice_is_filled() -> None:
    state = done(done(an_order_state(), 400), 600)

    assert state.status is Status.COMPLETED
    assert not state.awaits_bars


def test_an_order_with_something_left_after_max_steps_is_expired() -> None:
    state = done(done(an_order_state(an_order(max_steps=2)), 400), 500)

    assert (state.status, state.leaves) == (Status.EXPIRED, 1)


def test_an_assumed_fill_beyond_the_limit_price_does_not_happen() -> None:
    order = an_order(side=Side.SELL, max_steps=1, limits=Limits(limit_price=Decimal(99)))

    state = done(an_order_state(order), 1000, price=98)

    assert (state.filled, state.status) == (0, Status.EXPIRED)


def test_the_room_of_a_step_follows_what_was_done() -> None:
    after = room(done(an_order_state(), 400), PRICE, None)

    assert (after.step, after.total, after.leaves) == (2, 1000, 600)


def test_slippage_is_held_against_the_windows_of_the_order() -> None:
    """Half bought at 100, nothing at 104: the TWAP and, volumes being equal, the VWAP are 102."""
    state = done(done(an_order_state(), 500), 0, price=104)

    assert state.sums.steps == 2
    assert state.slippage_bps is not None
    assert float(state.slippage_bps) == pytest.approx((100 / 102 - 1) * 1e4)


def test_a_benchmark_over_a_filled_gap_is_partial() -> None:
    made = fill_gap(a_bar(0), at(1), at(2))

    assert close_window(asked(an_order_state(), 100), made).sums.partial


def test_a_cancelled_order_keeps_what_was_done_and_has_no_slice_to_trade() -> None:
    cancelled = cancel(asked(done(an_order_state(), 400), 100), at(1))

    assert (cancelled.status, cancelled.current, cancelled.filled) == (Status.CANCELLED, None, 4)


def test_the_slice_that_trades_while_the_order_is_cancelled_is_filled_when_its_bar_closes() -> None:
    cancelled = cancel(asked(done(an_order_state(), 400), 100), at(1))
    assert (cancelled.in_flight, cancelled.awaits_bars) == (1, True)

    state = close_window(cancelled, a_bar(1, price=102))

    assert (state.status, state.filled, state.in_flight) == (Status.CANCELLED, 5, 0)
    assert (state.sums.steps, state.awaits_bars) == (2, False)


def test_a_slice_whose_window_has_not_begun_is_not_traded_once_the_order_is_cancelled() -> None:
    cancelled = cancel(asked(an_order_state(), 400), at(-1))

    assert (cancelled.in_flight, cancelled.awaits_bars) == (0, False)
    assert close_window(cancelled, a_bar(0)) is cancelled


def test_cancelling_twice_is_cancelling_once() -> None:
    cancelled = cancel(an_order_state(), START)

    assert cancel(cancelled, START) is cancelled


def test_an_order_that_has_ended_otherwise_cannot_be_cancelled() -> None:
    completed = done(an_order_state(), 1000)

    with pytest.raises(Conflict) as refused:
        cancel(completed, START)

    assert refused.value.code == "order_ended"


def test_a_bar_changes_nothing_for_an_order_without_an_open_window() -> None:
    state = an_order_state()

    assert close_window(state, a_bar(0)) is state


def test_an_order_is_not_given_up_while_steps_remain_or_a_window_is_open() -> None:
    early = done(an_order_state(an_order(max_steps=2)), 100)
    last_open = asked(early, 100)

    assert give_up(early) is early
    assert give_up(last_open) is last_open


def test_what_a_missing_bar_leaves_open_is_in_flight_and_not_asked_for_again() -> None:
    state = asked(asked(an_order_state(), 300), 200)

    assert [piece.step for piece in state.overdue] == [1]
    assert state.in_flight == 5
    assert room(state, PRICE, None).leaves == 500
    assert state.current is not None
    assert state.current.cumulative_fraction == Decimal("0.5")


def test_a_late_bar_closes_the_oldest_open_window_first() -> None:
    state = asked(asked(an_order_state(), 300), 200)

    state = close_window(state, a_bar(0, price=101))

    assert (state.executed, state.overdue) == ((3, 0), ())
    assert state.current is not None
    assert state.current.step == 2


def test_an_order_with_all_in_flight_at_max_steps_ends_only_when_the_late_bars_are_there() -> None:
    state = asked(asked(an_order_state(an_order(max_steps=2)), 300), 700)

    state = close_window(state, a_bar(0))
    assert state.status is Status.WORKING
    state = close_window(state, a_bar(1))

    assert (state.status, state.leaves) == (Status.COMPLETED, 0)


def test_a_paused_order_is_live_and_an_ended_one_is_not() -> None:
    live = {status for status in Status if replace(an_order_state(), status=status).status.live}

    assert live == {Status.ACCEPTED, Status.WORKING, Status.PAUSED}
