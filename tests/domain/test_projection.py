"""The projection by example: each limit on its own, and the small orders that others get wrong."""

from __future__ import annotations

import math
from decimal import Decimal

import pytest

from app.domain.errors import InvalidInput
from app.domain.lifecycle import StopReason
from app.domain.projection import Bound, project, slice_cap_lots
from tests.builders import a_room


def test_a_proposal_within_all_limits_is_taken_as_it_is() -> None:
    projection = project(a_room(total=1000), 0.125, 0.0)

    assert projection.lots == 125
    assert projection.bound_by is None
    assert not projection.final


def test_a_proposal_of_nan_trades_nothing_that_the_limits_do_not_force() -> None:
    projection = project(a_room(), math.nan, math.nan)

    assert projection.lots == 0
    assert projection.bound_by is None


def test_a_negative_proposal_trades_nothing() -> None:
    assert project(a_room(), -0.5, 0.0).lots == 0


def test_an_infinite_proposal_asks_for_all_that_is_left() -> None:
    projection = project(a_room(leaves=700), math.inf, 0.0)

    assert projection.lots == 700
    assert projection.stop_reason is StopReason.EARLY


def test_a_proposal_beyond_what_is_left_is_bound_by_it() -> None:
    projection = project(a_room(leaves=100), 0.5, 0.0)

    assert (projection.lots, projection.bound_by) == (100, Bound.LEAVES)


def test_a_proposal_beyond_the_slice_cap_is_bound_by_it() -> None:
    projection = project(a_room(slice_cap=200), 0.5, 0.0)

    assert (projection.lots, projection.bound_by) == (200, Bound.SLICE_CAP)


def test_a_proposal_beyond_the_participation_limit_is_bound_by_it() -> None:
    projection = project(a_room(market_cap=30), 0.5, 0.0)

    assert (projection.lots, projection.bound_by) == (30, Bound.PARTICIPATION)


def test_nothing_trades_beyond_the_limit_price() -> None:
    projection = project(a_room(price_blocked=True), 0.5, 0.0)

    assert (projection.lots, projection.bound_by) == (0, Bound.LIMIT_PRICE)


@pytest.mark.parametrize("step", [3, 12])
def test_a_paused_order_trades_nothing_and_decides_no_stop(step: int) -> None:
    projection = project(a_room(step=step, paused=True), 1.0, 1.0)

    assert (projection.lots, projection.bound_by, projection.stopping) == (0, Bound.PAUSED, False)


def test_an_order_that_was_stopping_before_its_pause_goes_on_stopping() -> None:
    assert project(a_room(step=3, paused=True, stopping=True), 0.0, 0.0).stopping


def test_before_min_steps_at_least_the_minimum_slice_is_kept() -> None:
    projection = project(a_room(min_steps=6, min_slice=10), 1.0, 0.0)

    assert (projection.lots, projection.bound_by) == (990, Bound.MIN_STEPS)


def test_a_pace_too_slow_for_the_slice_cap_is_hurried() -> None:
    """900 left, 3 steps after this one of at most 250: 150 must go now."""
    projection = project(a_room(step=9, leaves=900, slice_cap=250), 0.0, 0.0)

    assert (projection.lots, projection.bound_by) == (150, Bound.MAX_STEPS)


def test_at_max_steps_the_rest_is_traded() -> None:
    projection = project(a_room(step=12, leaves=321), 0.0, 0.0)

    assert (projection.lots, projection.bound_by) == (321, Bound.MAX_STEPS)
    assert projection.final
    assert projection.stop_reason is StopReason.MAX_STEPS


def test_at_max_steps_a_blocked_order_still_ends() -> None:
    projection = project(a_room(step=12, leaves=321, price_blocked=True), 1.0, 0.0)

    assert (projection.lots, projection.final) == (0, True)


def test_the_model_stops_an_order_by_a_probability_above_a_half() -> None:
    projection = project(a_room(step=6, min_steps=6, leaves=400), 0.01, 0.51)

    assert (projection.lots, projection.final) == (400, True)
    assert projection.stop_reason is StopReason.MODEL


def test_a_probability_of_exactly_a_half_goes_on() -> None:
    assert not project(a_room(), 0.1, 0.5).stopping


def test_the_model_cannot_stop_an_order_before_min_steps() -> None:
    projection = project(a_room(step=5, min_steps=6, leaves=400), 0.01, 1.0)

    assert projection.lots == 10
    assert not projection.stopping


def test_stopping_starts_early_enough_to_end_at_min_steps_under_the_slice_cap() -> None:
    """300 left under a cap of 100 take three steps, the third of which is min_steps."""
    projection = project(a_room(step=4, min_steps=6, leaves=300, slice_cap=100), 0.01, 1.0)

    assert (projection.lots, projection.stopping, projection.final) == (100, True, False)


def test_a_stopping_order_goes_on_stopping_whatever_the_model_says_later() -> None:
    projection = project(a_room(step=7, leaves=80, stopping=True), 0.0, 0.0)

    assert (projection.lots, projection.stop_reason) == (80, StopReason.MODEL)


def test_a_slice_under_the_minimum_waits_for_the_next_one() -> None:
    projection = project(a_room(min_slice=50), 0.049, 0.0)

    assert (projection.lots, projection.bound_by) == (0, Bound.MIN_SLICE)


def test_a_slice_just_at_the_minimum_is_sent() -> None:
    assert project(a_room(min_slice=50), 0.05, 0.0).lots == 50


def test_a_forced_slice_under_the_minimum_is_rounded_up_to_it() -> None:
    projection = project(a_room(step=11, total=200, leaves=105, slice_cap=100, min_slice=10), 0.0, 0.0)

    assert (projection.lots, projection.bound_by) == (10, Bound.MIN_SLICE)


def test_a_slice_that_would_leave_a_rest_under_the_minimum_leaves_the_minimum() -> None:
    projection = project(a_room(min_slice=50), 0.97, 0.0)

    assert (projection.lots, projection.bound_by) == (950, Bound.MIN_SLICE)


def test_less_than_two_minimum_slices_are_traded_at_once_rather_than_split() -> None:
    projection = project(a_room(leaves=90, min_slice=50), 0.06, 0.0)

    assert (projection.lots, projection.bound_by) == (0, Bound.MIN_SLICE)
    assert project(a_room(step=12, leaves=90, min_slice=50), 0.06, 0.0).lots == 90


def test_the_last_slice_takes_a_remainder_under_the_minimum() -> None:
    projection = project(a_room(step=12, leaves=3, min_slice=50), 0.0, 0.0)

    assert (projection.lots, projection.final) == (3, True)


@pytest.mark.parametrize("min_steps", [1, 6, 12])
def test_a_one_lot_order_trades_in_one_slice_at_or_after_min_steps(min_steps: int) -> None:
    slices = [
        project(a_room(total=1, step=step, min_steps=min_steps), 1.0, 0.0).lots for step in range(1, min_steps + 1)
    ]

    assert slices == [0] * (min_steps - 1) + [1]


def test_nothing_is_asked_for_while_all_that_is_left_is_in_flight() -> None:
    projection = project(a_room(step=4, min_steps=12, leaves=0), 0.5, 1.0)

    assert (projection.lots, projection.final) == (0, False)


def test_no_slice_cap_means_the_whole_order() -> None:
    assert slice_cap_lots(1000, None, 12) == 1000


def test_the_slice_cap_is_rounded_down_to_whole_lots() -> None:
    assert slice_cap_lots(1001, Decimal("0.25"), 12) == 250


def test_a_slice_cap_that_can_never_finish_the_order_is_refused() -> None:
    with pytest.raises(InvalidInput, match="cannot finish") as refused:
        slice_cap_lots(1000, Decimal("0.08"), 12)

    assert refused.value.code == "slice_cap_infeasible"


@pytest.mark.parametrize("total", [1200, 10_000, 1_000, 25_000, 10**9, 10**18, 7])
@pytest.mark.parametrize(("fraction", "steps"), [("0.083333333333", 12), ("0.142857142857", 7), ("0.333333333333", 3)])
def test_a_slice_cap_of_one_part_in_as_many_steps_finishes_the_order_in_even_slices(
    total: int, fraction: str, steps: int
) -> None:
    """1/12 has no end, and the interface cuts it after 12 decimals."""
    cap = slice_cap_lots(total, Decimal(fraction), steps)

    assert cap == -(-total // steps)


@pytest.mark.parametrize(("total", "fraction"), [(3, "0.25"), (1, "0.5"), (1000, "0.0834"), (1000, "0.083333333334")])
def test_a_slice_cap_that_whole_lots_could_not_keep_to_is_rounded_up_by_less_than_a_lot(
    total: int, fraction: str
) -> None:
    cap = slice_cap_lots(total, Decimal(fraction), 12)

    assert cap * 12 >= total
    assert cap < Decimal(fraction) * total + 1


def test_a_slice_cap_that_is_short_by_more_than_its_rounding_is_refused_with_the_least_that_would_do() -> None:
    with pytest.raises(InvalidInput, match=r"at least 1/12") as refused:
        slice_cap_lots(1200, Decimal("0.083333333331"), 12)

    assert refused.value.pointer == "#/limits/max_slice_fraction"
