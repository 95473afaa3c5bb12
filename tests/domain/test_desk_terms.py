"""How an order is worked: finished at a price, completed in spite of a limit, kept out of the open and the close."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from app.domain.acceptance import require_fitting
from app.domain.errors import InvalidInput
from app.domain.lifecycle import Status, StopReason
from app.domain.order import Limits, Side
from app.domain.order_words import Completion, RiskAversion, RiskAversions
from app.domain.projection import Bound, last_steps, project
from app.domain.state import OrderState, at_finish_price, room
from app.domain.steps_ahead import StepsAhead
from app.domain.transitions import accept, close_window, take
from tests.builders import (
    PRICE,
    START,
    a_bar,
    a_decided,
    a_projection,
    a_room,
    a_window,
    an_instrument,
    an_order,
    an_order_state,
)

OPEN, CLOSE = Bound.AVOID_OPEN, Bound.AVOID_CLOSE


def test_at_the_finish_price_all_that_is_left_is_asked_for_at_once() -> None:
    projection = project(a_room(step=3, leaves=700, at_finish_price=True), 0.01, 0.0)

    assert (projection.lots, projection.final, projection.stopping) == (700, True, False)
    assert projection.stop_reason is StopReason.FINISH_PRICE


def test_the_finish_price_holds_within_the_other_limits() -> None:
    capped = project(a_room(step=3, leaves=700, slice_cap=200, at_finish_price=True), 0.01, 0.0)
    thin = project(a_room(step=3, leaves=700, market_cap=30, at_finish_price=True), 0.01, 0.0)

    assert (capped.lots, capped.bound_by, capped.stop_reason) == (200, Bound.SLICE_CAP, None)
    assert (thin.lots, thin.bound_by) == (30, Bound.PARTICIPATION)


def test_the_finish_price_ends_no_order_before_min_steps_and_none_that_is_paused() -> None:
    early = project(a_room(step=3, min_steps=6, at_finish_price=True), 0.01, 0.0)
    paused = project(a_room(step=6, min_steps=6, at_finish_price=True, paused=True), 0.01, 0.0)

    assert (early.lots, early.stop_reason) == (10, None)
    assert (paused.lots, paused.bound_by) == (0, Bound.PAUSED)


def test_a_market_that_leaves_the_finish_price_leaves_the_order_to_its_pace() -> None:
    there = project(a_room(step=3, slice_cap=200, at_finish_price=True), 0.01, 0.0)
    away = project(a_room(step=4, leaves=1000 - there.lots, slice_cap=200, stopping=there.stopping), 0.01, 0.0)

    assert (there.lots, away.lots) == (200, 10)


@pytest.mark.parametrize(
    ("side", "price", "there"),
    [(Side.BUY, 99, True), (Side.BUY, 98, True), (Side.BUY, 100, False), (Side.SELL, 99, True), (Side.SELL, 98, False)],
)
def test_a_buy_finishes_at_or_below_its_price_and_a_sell_at_or_above(side: Side, price: int, there: bool) -> None:
    order = an_order(side=side, limits=Limits(finish_price=Decimal(99)))

    assert at_finish_price(order, Decimal(price)) is there
    assert not at_finish_price(an_order(side=side), Decimal(price))


def test_an_order_tells_that_it_was_finished_at_its_price_after_its_last_window_too() -> None:
    projection = a_projection(1000, final=True, stop_reason=StopReason.FINISH_PRICE)

    state = take(an_order_state(), projection, a_window(), a_decided(), PRICE)
    ended = close_window(state, a_bar())

    assert (state.stop_reason, ended.status, ended.stop_reason) == ("finish_price", "completed", "finish_price")


def test_a_step_that_is_avoided_has_a_slice_of_nothing_and_says_why() -> None:
    for proposal in (0.0, 0.5):
        projection = project(a_room(step=3, avoided=OPEN, usable_after=8), proposal, 1.0)

        assert (projection.lots, projection.bound_by, projection.final) == (0, OPEN, False)


def test_the_last_step_that_may_trade_takes_the_rest() -> None:
    projection = project(a_room(step=10, leaves=321, usable_after=0), 0.0, 0.0)

    assert (projection.lots, projection.bound_by, projection.final) == (321, Bound.MAX_STEPS, True)
    assert projection.stop_reason is StopReason.MAX_STEPS


def test_a_pace_is_hurried_by_the_steps_that_may_trade_and_not_by_those_that_are_left() -> None:
    projection = project(a_room(step=6, leaves=900, slice_cap=250, usable_after=3), 0.0, 0.0)

    assert (projection.lots, projection.bound_by) == (150, Bound.MAX_STEPS)


def test_an_order_may_end_with_the_last_step_that_may_trade_though_min_steps_is_later() -> None:
    state = an_order_state(an_order(min_steps=4, max_steps=4, limits=Limits(avoid_close_minutes=10)))
    for step in range(2):
        state = take(state, a_projection(100), a_window(step), a_decided(), PRICE)

    last = room(state, PRICE, None, StepsAhead(3, (None, CLOSE)))

    assert (last.min_steps, last.usable_after, last.avoided) == (3, 0, None)
    assert project(last, 0.0, 0.0).final


def test_the_slice_cap_of_an_order_that_avoids_steps_is_counted_over_the_others() -> None:
    order = an_order(max_steps=4, limits=Limits(max_slice_fraction=Decimal("0.25"), avoid_open_minutes=5))

    assert accept(order, an_instrument(), START, PRICE, 4).slice_cap == 250
    with pytest.raises(InvalidInput, match=r"at least 1/3") as refused:
        accept(order, an_instrument(), START, PRICE, 3)
    assert refused.value.code == "slice_cap_infeasible"


def test_steps_ahead_tell_which_may_trade() -> None:
    steps = StepsAhead(3, (OPEN, None, None, CLOSE, None, CLOSE))

    assert [steps.at(step) for step in (3, 4, 8)] == [OPEN, None, CLOSE]
    assert [steps.usable_after(step) for step in (2, 3, 4, 7, 8)] == [3, 3, 2, 0, 0]
    assert (steps.usable, steps.last_usable) == (3, 7)
    assert StepsAhead(3, (OPEN, CLOSE)).last_usable == 2


def test_the_participation_limit_of_an_order_that_must_be_done_gives_way_in_its_last_steps() -> None:
    """12 steps have two last ones."""
    always: dict[str, Any] = {"leaves": 600, "market_cap": 100, "completing": True}

    before = project(a_room(step=10, **always), 1.0, 0.0)
    last_but_one = project(a_room(step=11, **always), 0.0, 0.0)
    last = project(a_room(step=12, **always), 0.0, 0.0)

    assert (before.lots, before.bound_by) == (100, Bound.PARTICIPATION)
    assert (last_but_one.lots, last_but_one.bound_by) == (300, Bound.MAX_STEPS)
    assert (last.lots, last.final) == (600, True)
    assert project(a_room(step=12, leaves=600, market_cap=100), 0.0, 0.0).lots == 100


def test_the_participation_limit_holds_in_the_last_steps_where_the_order_can_be_done_within_it() -> None:
    projection = project(a_room(step=11, leaves=150, market_cap=100, completing=True), 1.0, 0.0)

    assert (projection.lots, projection.bound_by) == (100, Bound.PARTICIPATION)


def test_the_participation_limit_gives_way_earlier_where_the_slice_cap_leaves_no_room_for_later() -> None:
    projection = project(a_room(step=4, leaves=900, slice_cap=100, market_cap=10, completing=True), 0.0, 0.0)

    assert projection.lots == 100


def test_no_other_limit_gives_way() -> None:
    blocked = project(a_room(step=12, leaves=600, market_cap=100, completing=True, price_blocked=True), 1.0, 0.0)

    assert (blocked.lots, blocked.bound_by) == (0, Bound.LIMIT_PRICE)


@pytest.mark.parametrize(("max_steps", "last"), [(1, 1), (10, 1), (11, 2), (96, 10)])
def test_a_tenth_of_the_steps_are_the_last_ones(max_steps: int, last: int) -> None:
    assert last_steps(max_steps) == last


def asked_for_all(completion: Completion, step: int, max_steps: int = 12) -> OrderState:
    """An order of 10 whose slice of `step` asks for all of it, at most a tenth of the market's volume."""
    limits = Limits(max_participation_rate=Decimal("0.1"))
    state = an_order_state(an_order(max_steps=max_steps, limits=limits, completion=completion))
    for before in range(step - 1):
        state = close_window(take(state, a_projection(0), a_window(before), a_decided(), PRICE), a_bar(before))
    return take(state, a_projection(1000), a_window(step - 1), a_decided(), PRICE)


@pytest.mark.parametrize(
    ("completion", "step", "filled"),
    [
        (Completion.ALWAYS, 12, 10),
        (Completion.ALWAYS, 11, 10),
        (Completion.ALWAYS, 10, 1),
        (Completion.WITHIN_LIMITS, 12, 1),
    ],
)
def test_assumed_fills_of_the_last_steps_count_in_full_where_the_order_must_be_done(
    completion: Completion, step: int, filled: int
) -> None:
    state = asked_for_all(completion, step)

    after = close_window(state, a_bar(step - 1, volume=Decimal(10)))

    assert after.filled == filled


def test_assumed_fills_keep_an_order_that_must_be_done_within_reach_of_its_slice_cap() -> None:
    limits = Limits(max_participation_rate=Decimal("0.1"), max_slice_fraction=Decimal("0.25"))
    order = an_order(max_steps=4, limits=limits, completion=Completion.ALWAYS)
    state = take(an_order_state(order), a_projection(250), a_window(), a_decided(), PRICE)

    after = close_window(state, a_bar(volume=Decimal(10)))

    assert after.filled == Decimal("2.5")


def test_what_is_behind_counts_while_the_order_lives() -> None:
    state = take(an_order_state(), a_projection(100), a_window(), a_decided(), PRICE, None, Decimal(3))

    assert state.behind == 3
    assert take(state, a_projection(0), a_window(1), a_decided(), PRICE).behind == 3
    assert replace(state, status=Status.EXPIRED).behind == 0


def test_a_name_of_a_risk_aversion_is_the_number_that_the_model_says() -> None:
    known = RiskAversions(neutral=0.0, default=0.3, tracking=6.0)

    assert [known.of(each) for each in (*RiskAversion, None, Decimal("1.5"))] == [0.0, 0.3, 6.0, 0.3, 1.5]


@pytest.mark.parametrize(
    ("limits", "code"),
    [
        ({"finish_price": Decimal(0)}, "not_positive"),
        ({"avoid_open_minutes": -1}, "out_of_range"),
        ({"avoid_close_minutes": 1_441}, "out_of_range"),
    ],
)
def test_terms_that_mean_nothing_are_refused_with_a_pointer_to_them(limits: dict[str, Any], code: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        Limits(**limits)

    assert (refused.value.code, refused.value.pointer) == (code, f"#/limits/{next(iter(limits))}")


def test_a_finish_price_between_two_ticks_is_refused() -> None:
    with pytest.raises(InvalidInput, match="finish_price") as refused:
        require_fitting(an_order(limits=Limits(finish_price=Decimal("99.995"))), an_instrument(), PRICE, Decimal(0))

    assert (refused.value.code, refused.value.pointer) == ("off_tick", "#/limits/finish_price")
