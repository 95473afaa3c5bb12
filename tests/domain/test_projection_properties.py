"""What the projection promises for every order and every proposal, NaN and infinities included.

Each property walks a whole order, every slice being filled, and looks at each step's room and what was made of it.
"""

from __future__ import annotations

import math
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from app.domain.lifecycle import StopReason
from app.domain.projection import FRACTION_ROUNDING, Bound, Projection, Room, project, slice_cap_lots
from tests.builders import a_room

Walk = list[tuple[Room, Projection]]

TOTALS = st.one_of(st.integers(1, 30), st.integers(1, 10**18))
"""A strategy that is made anew for every example takes longer than what is drawn of it."""
NO_CAP, NOT_BLOCKED, SOMETIMES_BLOCKED = st.none(), st.just(value=False), st.booleans()
MODEL_OUTPUTS = st.one_of(
    st.floats(min_value=0, max_value=1),
    st.floats(),
    st.sampled_from([math.nan, math.inf, -math.inf, 1e300, 1e-300]),
)


@st.composite
def rooms(draw: st.DrawFn) -> Room:
    """Step 1 of any order that its slice cap can finish, with any minimum slice."""
    max_steps = draw(st.integers(1, 16))
    total = draw(TOTALS)
    least_cap = -(-total // max_steps)
    return a_room(
        min_steps=draw(st.integers(1, max_steps)),
        max_steps=max_steps,
        total=total,
        slice_cap=draw(st.sampled_from([total, least_cap]) | st.integers(least_cap, total)),
        min_slice=draw(st.integers(0, 5) | st.integers(0, 2 * total)),
    )


ROOMS = rooms()


@st.composite
def walks(draw: st.DrawFn) -> Walk:
    """An order that only its own size, cap and horizon limit."""
    return _walk(draw, draw(ROOMS), NO_CAP, NOT_BLOCKED)


@st.composite
def hindered_walks(draw: st.DrawFn) -> Walk:
    """An order that participation limits and a limit price may keep from finishing."""
    room = draw(ROOMS)
    return _walk(draw, room, NO_CAP | st.integers(0, room.total), SOMETIMES_BLOCKED)


def _walk(
    draw: st.DrawFn, room: Room, market_caps: st.SearchStrategy[int | None], blocked: st.SearchStrategy[bool]
) -> Walk:
    walk: Walk = []
    for step in range(1, room.max_steps + 1):
        room = replace(room, step=step, market_cap=draw(market_caps), price_blocked=draw(blocked))
        projection = project(room, draw(MODEL_OUTPUTS), draw(MODEL_OUTPUTS))
        walk.append((room, projection))
        room = replace(room, leaves=room.leaves - projection.lots, stopping=projection.stopping)
        if room.leaves == 0:
            break
    return walk


@st.composite
def walks_that_avoid_steps(draw: st.DrawFn) -> Walk:
    """An order that may trade in some of its steps, at least in one, and is told how many are left."""
    room = draw(ROOMS)
    usable = draw(st.sets(st.integers(1, room.max_steps), min_size=1))
    cap = max(room.slice_cap, -(-room.total // len(usable)))
    room = replace(room, slice_cap=cap, min_steps=min(room.min_steps, max(usable)))
    walk: Walk = []
    for step in range(1, room.max_steps + 1):
        avoided = None if step in usable else Bound.AVOID_OPEN
        room = replace(room, step=step, avoided=avoided, usable_after=sum(each > step for each in usable))
        projection = project(room, draw(MODEL_OUTPUTS), draw(MODEL_OUTPUTS))
        walk.append((room, projection))
        room = replace(room, leaves=room.leaves - projection.lots, stopping=projection.stopping)
        if room.leaves == 0:
            break
    return walk


@given(walks_that_avoid_steps())
def test_an_order_that_avoids_steps_is_done_in_the_others(walk: Walk) -> None:
    assert sum(projection.lots for _, projection in walk) == walk[0][0].total
    assert all(projection.lots == 0 for room, projection in walk if room.avoided)
    assert all(projection.bound_by is room.avoided for room, projection in walk if room.avoided)


@st.composite
def walks_that_must_be_done(draw: st.DrawFn) -> Walk:
    """An order whose participation limit gives way."""
    room = draw(ROOMS)
    return _walk(draw, replace(room, completing=True), st.integers(0, room.total), NOT_BLOCKED)


@given(walks_that_must_be_done())
def test_an_order_that_must_be_done_is_done_whatever_the_market_trades(walk: Walk) -> None:
    assert sum(projection.lots for _, projection in walk) == walk[0][0].total
    assert all(projection.lots <= each.slice_cap for each, projection in walk)


@given(walks())
def test_slices_add_up_to_the_order_exactly(walk: Walk) -> None:
    assert sum(projection.lots for _, projection in walk) == walk[0][0].total


@given(st.integers(1, 50) | st.integers(1, 10**18), st.integers(1, 96), st.integers(0, 10**12))
def test_every_slice_cap_that_its_steps_make_up_to_the_order_finishes_it_within_a_lot(
    total: int, max_steps: int, more: int
) -> None:
    least = Decimal(10**12 // max_steps)  # 1/max_steps in the 12 decimals of the interface, cut
    fraction = min(least + more, Decimal(10**12)) / 10**12

    cap = slice_cap_lots(total, fraction, max_steps)

    assert cap * max_steps >= total
    assert cap < Fraction(fraction + FRACTION_ROUNDING) * total + 1


@given(hindered_walks())
def test_no_slice_is_negative_or_above_any_cap(walk: Walk) -> None:
    for room, projection in walk:
        market_cap = room.leaves if room.market_cap is None else room.market_cap
        price_cap = 0 if room.price_blocked else room.leaves

        assert 0 <= projection.lots <= min(room.leaves, room.slice_cap, market_cap, price_cap)


@given(hindered_walks())
def test_no_order_finishes_before_min_steps(walk: Walk) -> None:
    for room, projection in walk:
        finishes = projection.lots == room.leaves

        assert room.step >= room.min_steps or not (finishes or projection.final)


@given(walks())
def test_what_is_left_can_always_be_done_under_the_slice_cap(walk: Walk) -> None:
    for room, projection in walk:
        steps_after = room.max_steps - room.step

        assert room.leaves - projection.lots <= steps_after * room.slice_cap


@given(hindered_walks())
def test_the_final_slice_is_marked_once_and_comes_last(walk: Walk) -> None:
    assert [projection.final for _, projection in walk] == [False] * (len(walk) - 1) + [True]


@given(hindered_walks())
def test_a_reason_for_stopping_is_given_exactly_with_the_final_slice(walk: Walk) -> None:
    for room, projection in walk:
        assert (projection.stop_reason is not None) == projection.final
        assert (projection.stop_reason is StopReason.MAX_STEPS) == (room.step == room.max_steps)


@given(walks())
def test_once_stopping_an_order_ends_as_soon_as_the_slice_cap_lets_it(walk: Walk) -> None:
    stopped = [(room, projection) for room, projection in walk if projection.stopping]
    if stopped:
        room, _ = stopped[0]
        steps_needed = -(-room.leaves // room.slice_cap)

        assert len(stopped) in (steps_needed, steps_needed + 1)  # one more where a rest under the minimum is avoided
        assert stopped[-1] == walk[-1]


@given(hindered_walks())
def test_a_slice_under_the_minimum_comes_only_last_or_where_a_limit_forces_it(walk: Walk) -> None:
    for room, projection in walk:
        worthwhile = min(room.min_slice, room.slice_cap, room.leaves)
        forced = room.leaves - (room.max_steps - room.step) * room.slice_cap > 0

        assert projection.lots == 0 or projection.lots >= worthwhile or room.step == room.max_steps or forced


@given(rooms(), st.data())
def test_any_room_at_all_gives_a_slice_within_it(room: Room, data: st.DataObject) -> None:
    """Late fills, fills in flight and moving prices bring an order into rooms that no walk reaches."""
    anywhere = replace(
        room,
        step=data.draw(st.integers(1, room.max_steps)),
        leaves=data.draw(st.just(0) | st.integers(0, room.total)),
        market_cap=data.draw(st.none() | st.integers(0, room.total)),
        stopping=data.draw(st.booleans()),
        price_blocked=data.draw(st.booleans()),
    )

    projection = project(anywhere, data.draw(MODEL_OUTPUTS), data.draw(MODEL_OUTPUTS))

    assert 0 <= projection.lots <= min(anywhere.leaves, anywhere.slice_cap)
    assert anywhere.step >= anywhere.min_steps or not 0 < anywhere.leaves == projection.lots
