"""An order goes on in the place of another one."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from app.domain.earlier import Earlier
from app.domain.errors import Conflict, InvalidInput
from app.domain.invariants import require_sound
from app.domain.lifecycle import Status, StopReason
from app.domain.order import Fills, Horizon, Limits, Order, order_id_of
from app.domain.replacing import CHAIN_MAX, replaced, succeed, without_unbegun
from app.domain.reports import apply_fill
from app.domain.state import OrderState
from app.domain.transitions import cancel, close_window, pause, take
from tests.builders import PRICE, a_bar, a_decided, a_fill, a_projection, a_window, an_order, an_order_state, at
from tests.domain.reporting import a_reported, asked, filled


def anew(state: OrderState, name: str = "oms-2", **changes: Any) -> Order:
    """The order's mandate under another name."""
    return replace(
        state.order,
        **({"client_order_id": name, "order_id": order_id_of(name), "replaces": state.order_id} | changes),
    )


def in_place(state: OrderState, name: str = "oms-2", **changes: Any) -> OrderState:
    """The order that stands in its place."""
    after = succeed(state, anew(state, name, **changes))
    require_sound(after)
    return after


def test_what_is_filled_and_in_flight_goes_over() -> None:
    state = filled(asked(asked(a_reported(), 200), 300), "1.5", step=1)

    after = in_place(state, size=Decimal(20))

    assert (after.filled, after.in_flight, after.leaves) == (state.filled, state.in_flight, Decimal("18.5"))
    assert (after.step, after.sums, after.arrival_price) == (2, state.sums, state.arrival_price)
    assert (after.total, after.slice_cap, after.status) == (2000, 2000, Status.WORKING)


def test_the_old_order_asks_for_nothing_and_awaits_nothing() -> None:
    state = asked(asked(a_reported(), 200), 300)

    left = replaced(state, "the-new-one")

    require_sound(left)
    assert (left.status, left.replaced_by) == (Status.REPLACED, "the-new-one")
    assert (left.in_flight, left.awaits_bars) == (0, False)


def test_a_slice_keeps_the_name_of_the_order_that_asked_for_it() -> None:
    first = asked(asked(a_reported(), 100), 100)
    second = asked(in_place(first), 100)
    third = asked(in_place(second, "oms-3"), 100)

    assert [third.slice_id_of(step).removesuffix(f"-{step}") for step in range(1, 5)] == [
        *[first.order_id] * 2,
        *(second.order_id, third.order_id),
    ]
    assert [third.step_of(f"{owner.order_id}-{step}") for owner, step in ((first, 2), (second, 3), (third, 4))] == [
        *(2, 3, 4),
    ]
    assert third.step_of(f"{third.order_id}-2") is third.step_of(f"{first.order_id}-3") is None
    assert third.chain_id == second.chain_id == first.order_id


def test_a_report_on_an_earlier_order_s_slice_moves_the_order_that_stands() -> None:
    state = in_place(asked(a_reported(), 200))

    after = apply_fill(state, a_fill(state, slice_id=state.slice_id_of(1), quantity=Decimal(2)))

    require_sound(after)
    assert (after.filled, after.in_flight, after.over_filled) == (2, 0, 0)


def test_a_size_below_what_is_committed_is_refused_with_the_values_and_just_that_is_taken() -> None:
    state = filled(asked(a_reported(), 500), "3")

    with pytest.raises(Conflict, match=r"quantity is 4\.99; it must be at least 5, of which 3 is filled and 2 in"):
        in_place(state, size=Decimal("4.99"))
    assert in_place(state, size=Decimal(5)).unasked == 0


def test_a_size_of_just_what_is_filled_completes_the_order() -> None:
    state = filled(asked(a_reported(), 300), "3")

    assert in_place(state, size=Decimal(3)).status is Status.COMPLETED


def test_what_was_over_filled_has_room_in_the_new_order() -> None:
    state = filled(asked(a_reported(), 100), "4")
    assert state.over_filled == 3

    assert in_place(state, size=Decimal(20)).over_filled == 0


@pytest.mark.parametrize(("max_steps", "least"), [(1, 3), (2, 3)])
def test_a_horizon_without_a_step_for_the_rest_is_refused(max_steps: int, least: int) -> None:
    state = asked(asked(a_reported(), 100), 100)

    with pytest.raises(Conflict, match=f"has had 2 steps, and needs at least {least}"):
        in_place(state, horizon=Horizon(min_steps=1, max_steps=max_steps))


def test_a_horizon_that_ends_with_what_is_in_flight_is_taken_where_nothing_is_left() -> None:
    state = asked(a_reported(), 100)

    after = in_place(state, size=Decimal(1), horizon=Horizon(min_steps=1, max_steps=1))

    assert (after.status, after.at_last_step) == (Status.WORKING, True)


def test_a_slice_cap_that_cannot_make_the_rest_is_refused() -> None:
    state = asked(asked(an_order_state(an_order(max_steps=4)), 0), 0)

    with pytest.raises(InvalidInput, match=r"2 slices of at most 2\.5 cannot make the 10 that is left"):
        in_place(state, limits=Limits(max_slice_fraction=Decimal("0.25")))


def test_earlier_slices_may_be_above_the_new_cap() -> None:
    state = asked(an_order_state(), 900)

    assert in_place(state, limits=Limits(max_slice_fraction=Decimal("0.1"))).slice_cap == 100


def test_a_decision_to_stop_is_made_anew() -> None:
    projection = a_projection(1000, stopping=True, final=True, stop_reason=StopReason.MODEL)
    state = take(an_order_state(), projection, a_window(), a_decided(), PRICE)

    after = in_place(state, size=Decimal(12))

    assert after.current is not None
    assert not after.stopping
    assert not after.current.final
    assert after.stop_reason is None


def test_the_slice_that_runs_keeps_its_limit_price() -> None:
    limits = Limits(limit_price=Decimal(100))
    state = asked(an_order_state(an_order(limits=limits)), 100)

    tighter = in_place(state, limits=Limits(limit_price=Decimal(90)))

    assert close_window(tighter, a_bar(0, price=95)).filled == 1


def test_a_slice_whose_window_has_not_begun_is_decided_anew_unless_it_may_have_been_sent_on() -> None:
    for fills, steps in ((Fills.ASSUMED, 0), (Fills.REPORTED, 1)):
        state = asked(an_order_state(an_order(fills=fills)), 100)

        kept = without_unbegun(state, at(-1))

        assert (kept.step, kept.next_open) == (steps, at(steps))
        assert without_unbegun(state, at(0)) is state


def test_a_paused_order_stays_paused() -> None:
    assert in_place(pause(asked(an_order_state(), 100), at(0))).status is Status.PAUSED


def test_an_order_without_a_slice_is_accepted_as_before() -> None:
    assert in_place(an_order_state()).status is Status.ACCEPTED


def test_an_order_that_has_ended_or_is_replaced_cannot_be_replaced() -> None:
    cancelled, gone = cancel(an_order_state(), at(0)), replaced(an_order_state(), "the-new-one")

    with pytest.raises(Conflict, match="the order is cancelled and cannot be replaced"):
        replaced(cancelled, "another")
    with pytest.raises(Conflict, match="replaced by the-new-one, and cannot be replaced"):
        replaced(gone, "another")


def test_the_orders_that_replace_one_another_are_bounded() -> None:
    chain = tuple(Earlier(order_id=f"order-{number}", last_step=0) for number in range(CHAIN_MAX))

    with pytest.raises(Conflict, match="cancel the order instead"):
        replaced(replace(an_order_state(), earlier=chain), "another")
