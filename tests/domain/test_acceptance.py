"""What is accepted at the door, and the room that an order then has in each step."""

from __future__ import annotations

from decimal import Decimal

import pytest

from app.domain.acceptance import require_fitting
from app.domain.errors import InvalidInput
from app.domain.lifecycle import Status
from app.domain.order import Limits, Side, SizeMode
from app.domain.state import room
from app.domain.transitions import accept
from tests.builders import PRICE, START, an_instrument, an_order, an_order_state


def test_an_accepted_order_waits_for_its_first_window_untouched() -> None:
    state = accept(an_order(size=Decimal(10)), an_instrument(lot_size=Decimal("0.01")), START, Decimal(99))

    assert state.status is Status.ACCEPTED
    assert (state.step, state.total, state.leaves, state.filled) == (0, 1000, 10, 0)
    assert state.next_open == START
    assert state.arrival_price == 99
    assert state.avg_price is None
    assert state.slippage_bps is None


def test_a_notional_order_counts_in_notional_steps() -> None:
    order = an_order(size=Decimal("1000.50"), size_mode=SizeMode.NOTIONAL)

    state = an_order_state(order, an_instrument(notional_step=Decimal("0.50")))

    assert (state.total, state.lot) == (2001, Decimal("0.50"))


def test_an_order_that_is_not_whole_lots_is_refused() -> None:
    with pytest.raises(InvalidInput) as refused:
        an_order_state(an_order(size=Decimal("0.015")), an_instrument(lot_size=Decimal("0.01")))

    assert refused.value.code == "not_whole_lots"


def test_an_order_worth_just_the_minimum_is_accepted_and_one_below_refused() -> None:
    instrument = an_instrument(min_notional=Decimal(1000))

    assert an_order_state(an_order(size=Decimal(10)), instrument).status is Status.ACCEPTED
    with pytest.raises(InvalidInput) as refused:
        an_order_state(an_order(size=Decimal("9.99")), instrument)
    assert refused.value.code == "below_min_notional"


@pytest.mark.parametrize(
    ("price", "tick", "nearest"),
    [
        ("150.0137", "0.05", "150 or 150.05"),
        ("150.3", "0.25", "150.25 or 150.5"),
        ("0.000000015", "1e-8", "0.00000001 or 0.00000002"),
        ("0.03", "0.05", "0.05"),
        ("999999999999999.999999999999", "0.05", "999999999999999.95 or 1000000000000000"),
        ("7", "2", "6 or 8"),
    ],
)
def test_a_limit_price_between_two_ticks_is_refused_with_the_prices_beside_it(
    price: str, tick: str, nearest: str
) -> None:
    order = an_order(limits=Limits(limit_price=Decimal(price)))

    with pytest.raises(InvalidInput, match=rf"send {nearest}$") as refused:
        require_fitting(order, an_instrument(tick_size=Decimal(tick)), PRICE, Decimal(50))

    assert (refused.value.code, refused.value.pointer) == ("off_tick", "#/limits/limit_price")


@pytest.mark.parametrize(
    ("price", "tick"), [("150.05", "0.05"), ("150.250", "0.25"), ("0.00000002", "1e-8"), ("1e15", "1e-18"), ("8", "2")]
)
def test_a_limit_price_on_the_tick_is_taken_however_it_is_written(price: str, tick: str) -> None:
    order = an_order(limits=Limits(limit_price=Decimal(price)))

    require_fitting(order, an_instrument(tick_size=Decimal(tick)), PRICE, Decimal(50))


@pytest.mark.parametrize(
    ("size_mode", "size", "limit"),
    [(SizeMode.QUANTITY, "60000.01", "60000"), (SizeMode.NOTIONAL, "6000000.01", "6000000")],
)
def test_a_size_beyond_what_the_market_could_trade_is_refused_with_the_limit(
    size_mode: SizeMode, size: str, limit: str
) -> None:
    """100 times 12 steps of 50 at 100."""
    order = an_order(size=Decimal(size), size_mode=size_mode)

    with pytest.raises(InvalidInput, match=rf"is {size}; it must be at most {limit},") as refused:
        require_fitting(order, an_instrument(), PRICE, Decimal(50))

    assert (refused.value.code, refused.value.pointer) == ("size_implausible", f"#/{size_mode}")
    require_fitting(an_order(size=Decimal(limit), size_mode=size_mode), an_instrument(), PRICE, Decimal(50))


def test_a_feed_without_volumes_makes_no_size_implausible() -> None:
    require_fitting(an_order(size=Decimal("1e12")), an_instrument(), PRICE, Decimal(0))


@pytest.mark.parametrize("size_mode", SizeMode)
def test_an_instruments_own_maximum_is_the_limit_of_its_orders_instead(size_mode: SizeMode) -> None:
    instrument = an_instrument(max_order_notional=Decimal(10**7))
    most = Decimal(10**5) if size_mode is SizeMode.QUANTITY else Decimal(10**7)

    require_fitting(an_order(size=most, size_mode=size_mode), instrument, PRICE, Decimal(50))
    with pytest.raises(InvalidInput, match=r"worth 1000000[01].*; the instrument allows at most 10000000$") as refused:
        require_fitting(an_order(size=most + Decimal("0.01"), size_mode=size_mode), instrument, PRICE, Decimal(50))

    assert (refused.value.code, refused.value.pointer) == ("above_max_order_notional", f"#/{size_mode}")


def test_an_order_that_its_slice_cap_cannot_finish_is_refused() -> None:
    order = an_order(max_steps=3, limits=Limits(max_slice_fraction=Decimal("0.3")))

    with pytest.raises(InvalidInput) as refused:
        an_order_state(order)

    assert refused.value.code == "slice_cap_infeasible"


@pytest.mark.parametrize(("side", "blocked_at"), [(Side.BUY, 101), (Side.SELL, 99)])
def test_the_limit_price_blocks_only_beyond_itself(side: Side, blocked_at: int) -> None:
    state = an_order_state(an_order(side=side, limits=Limits(limit_price=Decimal(100))))

    assert room(state, Decimal(blocked_at), None).price_blocked
    assert not room(state, Decimal(100), None).price_blocked


def test_a_participation_limit_is_a_share_of_the_expected_volume() -> None:
    limits = Limits(max_participation_rate=Decimal("0.1"))
    by_quantity = an_order_state(an_order(limits=limits))
    by_notional = an_order_state(an_order(size=Decimal(1000), size_mode=SizeMode.NOTIONAL, limits=limits))

    assert room(by_quantity, Decimal(100), Decimal(7)).market_cap == 70  # 0.7 in lots of 0.01
    assert room(by_notional, Decimal(100), Decimal(7)).market_cap == 7000  # 70.00 in steps of 0.01


def test_a_participation_limit_permits_nothing_while_the_volume_is_unknown() -> None:
    limited = an_order_state(an_order(limits=Limits(max_participation_rate=Decimal("0.1"))))

    assert room(limited, PRICE, None).market_cap == 0
    assert room(an_order_state(), PRICE, None).market_cap is None


def test_the_smallest_slice_is_the_instruments_minimum_in_whole_lots_rounded_up() -> None:
    instrument = an_instrument(min_notional=Decimal("5.01"), lot_size=Decimal("0.01"))

    assert room(an_order_state(instrument=instrument), Decimal(100), None).min_slice == 6
    by_notional = an_order(size=Decimal(1000), size_mode=SizeMode.NOTIONAL)
    assert room(an_order_state(by_notional, instrument), Decimal(100), None).min_slice == 501
