"""What an order cost, from its state and the bars of its windows."""

from __future__ import annotations

from decimal import Decimal
from itertools import pairwise

import pytest

from app.domain.analysis import Analysis, analyse
from app.domain.bar import Bar, fill_gap
from app.domain.benchmark import slippage_bps
from app.domain.order import Benchmark, Side, SizeMode
from app.domain.state import OrderState
from app.domain.transitions import cancel, close_window, take
from tests.builders import a_bar, a_decided, a_projection, a_window, an_order, an_order_state, at

PRICES = [Decimal(price) for price in ("100", "102", "99", "98", "97", "103")]
MARKET = [a_bar(step, price=price) for step, price in enumerate(PRICES)]
AFTER = [a_bar(6 + step, price=110) for step in range(30)]


def traded(state: OrderState, lots: list[int], market: list[Bar]) -> OrderState:
    """Slices of so many lots, each with the bar of its window closed."""
    for step, (size, bar) in enumerate(zip(lots, market, strict=False)):
        state = take(state, a_projection(size), a_window(step), a_decided(), Decimal(100))
        state = close_window(state, bar)
    return state


def stopped_early(*, side: Side = Side.BUY, mode: SizeMode = SizeMode.QUANTITY) -> OrderState:
    """10 of 10 after four of six steps, four tenths in the third of them; all against TWAP."""
    size = Decimal(10) if mode is SizeMode.QUANTITY else Decimal(1_000)
    order = an_order(side=side, size=size, size_mode=mode, benchmark=Benchmark.TWAP, max_steps=6)
    state = an_order_state(order)
    return traded(state, [int(state.total * share) for share in (0.2, 0.2, 0.4)] + [state.total // 5], MARKET)


@pytest.mark.parametrize("side", Side)
def test_the_stop_earned_the_slippage_against_all_windows_less_that_against_its_own(side: Side) -> None:
    state = stopped_early(side=side)

    found = analyse(state, MARKET, AFTER, AFTER[-1])

    own, whole = sum(PRICES[:4]) / Decimal(4), sum(PRICES) / Decimal(6)
    paid = (100 * 2 + 102 * 2 + 99 * 4 + 98 * 2) / Decimal(10)
    assert found.to_end.twap == own
    assert found.to_max_steps.twap == whole
    assert found.stop_earned_bps == slippage_bps(side.sign, paid, whole) - slippage_bps(side.sign, paid, own)
    assert (found.to_end.steps, found.to_max_steps.steps) == (4, 6)
    assert found.final


@pytest.mark.parametrize("mode", SizeMode)
@pytest.mark.parametrize("side", Side)
def test_stop_pace_and_convexity_add_up_to_the_gain(side: Side, mode: SizeMode) -> None:
    state = stopped_early(side=side, mode=mode)

    parts = analyse(state, MARKET, AFTER, AFTER[-1]).gain

    assert parts is not None
    assert state.slippage_bps is not None
    assert float(parts.stop_bps + parts.pace_bps + parts.convexity_bps) == pytest.approx(-float(state.slippage_bps))
    assert (parts.convexity_bps == 0) == (mode is SizeMode.QUANTITY)
    assert parts.convexity_bps * side.sign >= 0


def test_an_even_pace_that_is_never_stopped_earns_nothing() -> None:
    order = an_order(size=Decimal(6), benchmark=Benchmark.TWAP, max_steps=6)
    state = traded(an_order_state(order), [100] * 6, MARKET)

    parts = analyse(state, MARKET, AFTER, AFTER[-1]).gain

    assert parts is not None
    assert [float(each) for each in (parts.stop_bps, parts.pace_bps, parts.convexity_bps)] == pytest.approx([0, 0, 0])


def test_what_is_not_filled_counts_at_the_last_price_in_the_shortfall_alone() -> None:
    state = cancel(traded(an_order_state(an_order(max_steps=6)), [250], MARKET), at(1))

    found = analyse(state, MARKET, AFTER, AFTER[-1])

    assert found.arrival_bps == 0  # a quarter was bought at the arrival price
    assert found.last_price == 100
    assert found.shortfall_bps == 0
    later = analyse(traded(an_order_state(an_order(max_steps=6)), [250, 0], MARKET), MARKET[:2], [], MARKET[1])
    assert later.shortfall_bps == Decimal("0.75") * 200  # three quarters would cost 2 % more now


def test_participation_names_the_busiest_step() -> None:
    found = analyse(stopped_early(), MARKET, AFTER, AFTER[-1]).participation

    assert found is not None
    assert (found.overall, found.busiest, found.busiest_step) == (Decimal(10) / 200, Decimal(4) / 50, 3)


@pytest.mark.parametrize("side", Side)
def test_a_price_that_goes_back_after_the_last_window_is_a_positive_reversion(side: Side) -> None:
    fallen = [a_bar(4 + step, price="88.2") for step in range(30)]

    found = analyse(stopped_early(side=side), MARKET[:4], fallen, fallen[-1])

    assert found.reversion_bps == dict.fromkeys((1, 5, 30), side.sign * Decimal(1_000))


def test_bars_that_are_still_to_come_leave_their_figures_open() -> None:
    found = analyse(stopped_early(), MARKET[:5], MARKET[4:5], MARKET[4])

    assert found.stop_earned_bps is None
    assert found.to_max_steps.steps == 5
    assert found.reversion_bps == {1: slippage_bps(-1, Decimal(97), Decimal(98)), 5: None, 30: None}
    assert not found.final


def test_a_window_that_nobody_saw_makes_the_benchmark_partial_and_leaves_the_parts_out() -> None:
    unseen = fill_gap(MARKET[1], at(2), at(3))
    market = [*MARKET[:2], unseen, MARKET[3]]
    state = traded(an_order_state(an_order(max_steps=4)), [200, 200, 400, 200], market)

    found = analyse(state, market, AFTER, AFTER[-1])

    assert found.partial
    assert found.gain is None
    assert found.to_end.steps == 4
    assert state.unpriced == 4
    assert found.participation is not None
    assert found.participation.overall == Decimal(6) / 150


def test_where_nothing_is_recorded_of_the_last_window_no_reversion_is_claimed() -> None:
    found = analyse(stopped_early(), [*MARKET[:3], None], AFTER, AFTER[-1])

    assert set(found.reversion_bps.values()) == {None}


def test_a_bar_missing_after_the_stop_makes_the_longer_window_partial_alone() -> None:
    found = analyse(stopped_early(), [*MARKET[:5], None], AFTER, AFTER[-1])

    assert (found.to_end.partial, found.to_max_steps.partial) == (False, True)
    assert found.to_max_steps.twap == sum(PRICES[:5]) / Decimal(5)


def test_before_the_first_window_closes_nothing_is_claimed() -> None:
    state = take(an_order_state(), a_projection(100), a_window(), a_decided(), Decimal(100))

    found = analyse(state, [], [], a_bar(-1, price=101))

    assert found.last_price == 101
    assert found.to_end.vwap is None
    assert [found.arrival_bps, found.gain, found.participation, found.stop_earned_bps] == [None] * 4
    assert found.shortfall_bps == 100  # all of it at the price now
    assert set(found.reversion_bps.values()) == {None}


def test_figures_of_a_live_order_are_those_of_its_closed_windows() -> None:
    states: list[Analysis] = []
    state = an_order_state(an_order(benchmark=Benchmark.TWAP, max_steps=6))
    for step, bar in enumerate(MARKET[:3]):
        state = take(state, a_projection(100), a_window(step), a_decided(), Decimal(100))
        state = close_window(state, bar)
        states.append(analyse(state, MARKET[: step + 1], [], bar))

    assert [each.to_end.twap for each in states] == [100, 101, Decimal(301) / 3]
    assert all(earlier.to_end.steps < later.to_end.steps for earlier, later in pairwise(states))
    assert not any(each.final for each in states)
