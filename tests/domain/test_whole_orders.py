"""Whole orders from acceptance to their end, over random sizes, limits, bars and model outputs."""

from __future__ import annotations

from decimal import ROUND_CEILING, Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.bar import Bar
from app.domain.lifecycle import Status
from app.domain.order import SCENARIOS, Fills, Limits, Order, Scenario
from app.domain.projection import project
from app.domain.reports import apply_fill
from app.domain.state import OrderState, room
from app.domain.transitions import close_window, take
from tests.builders import a_decided, a_fill, a_window, an_instrument, an_order, an_order_state, bars

PROPOSALS = st.lists(st.tuples(st.floats(), st.floats()), min_size=12, max_size=12)
LOTS = st.sampled_from([Decimal(1), Decimal("0.01"), Decimal("0.00025"), Decimal("0.3"), Decimal(1000)])


@st.composite
def orders(draw: st.DrawFn, scenario: Scenario, lot: Decimal) -> Order:
    """Any order of whole lots over at most 12 steps that its slice cap can finish."""
    max_steps = draw(st.integers(1, 12))
    total = draw(st.integers(1, 20) | st.integers(21, 10**12))
    fair_share = (Decimal(-(-total // max_steps)) / total).quantize(Decimal("1e-15"), ROUND_CEILING)
    return an_order(
        side=scenario.side,
        benchmark=scenario.benchmark,
        size_mode=scenario.size_mode,
        size=total * lot,
        min_steps=draw(st.integers(1, max_steps)),
        max_steps=max_steps,
        limits=Limits(max_slice_fraction=draw(st.sampled_from([None, fair_share, Decimal(1)]))),
    )


@st.composite
def accepted(draw: st.DrawFn) -> OrderState:
    lot = draw(LOTS)
    instrument = an_instrument(lot_size=lot, notional_step=lot)
    return an_order_state(draw(orders(draw(st.sampled_from(SCENARIOS)), lot)), instrument)


def next_slice(state: OrderState, last: Bar, proposal: tuple[float, float]) -> OrderState:
    projection = project(room(state, last.close, None), *proposal)
    return take(state, projection, a_window(state.step), a_decided(), last.close)


@given(accepted(), PROPOSALS, st.integers(0, 100))
def test_an_order_is_filled_exactly_between_its_min_and_its_max_steps(
    state: OrderState, proposals: list[tuple[float, float]], seed: int
) -> None:
    before, *seen = bars(13, first=-1, seed=seed)

    last = before
    for bar, proposal in zip(seen, proposals, strict=True):
        if not state.status.live:
            break
        state = close_window(next_slice(state, last, proposal), bar)
        last = bar

    horizon = state.order.horizon
    assert state.status is Status.COMPLETED
    assert horizon.min_steps <= state.step <= horizon.max_steps
    assert sum(state.asked) == state.total
    assert state.filled == state.order.size
    assert state.leaves == 0


@settings(max_examples=30)
@given(st.sampled_from([None, Decimal(100), Decimal("99.9")]), PROPOSALS, st.integers(0, 100))
def test_no_slice_follows_a_final_one_though_the_limit_price_keeps_slices_from_being_filled(
    limit_price: Decimal | None, proposals: list[tuple[float, float]], seed: int
) -> None:
    state = an_order_state(an_order(limits=Limits(limit_price=limit_price)))
    last, *seen = bars(13, first=-1, seed=seed)
    finals = []

    for bar, proposal in zip(seen, proposals, strict=True):
        if not state.status.live:
            break
        asking = next_slice(state, last, proposal)
        finals.append(asking.current is not None and asking.current.final)
        state, last = close_window(asking, bar), bar

    assert finals == [False] * (len(finals) - 1) + [True] or (not any(finals) and state.status is Status.COMPLETED)
    assert any(finals) or limit_price is not None


@given(PROPOSALS, st.lists(st.integers(0, 100), min_size=12, max_size=12))
def test_slices_reported_in_part_never_overfill_an_order_and_lose_nothing_of_it(
    proposals: list[tuple[float, float]], percents: list[int]
) -> None:
    """Each report comes while its slice's window is open; what it leaves out is asked for again."""
    state = an_order_state(an_order(fills=Fills.REPORTED))
    before, *seen = bars(13, first=-1)

    for bar, proposal, percent in zip(seen, proposals, percents, strict=True):
        if not state.status.live:
            break
        state = close_window(reported(next_slice(state, before, proposal), percent), bar)

    assert 0 <= state.filled <= state.order.size
    assert state.filled + state.leaves == state.order.size
    assert state.filled == sum(state.executed)


def reported(state: OrderState, percent: int) -> OrderState:
    """`percent` of the newest slice is traded."""
    part = state.asked[-1] * state.lot * percent / 100
    return apply_fill(state, a_fill(state, quantity=part)) if part else state
