"""Orders, limits, horizons and instruments: what cannot be built, and what follows from an order alone."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest

from app.domain.errors import InvalidInput, LemError
from app.domain.numbers import lots_within, whole_lots
from app.domain.order import (
    SCENARIOS,
    Benchmark,
    Horizon,
    HorizonInTime,
    Limits,
    Scenario,
    Side,
    SizeMode,
    order_id_of,
)
from tests.builders import an_instrument, an_order, at

NAIVE = datetime(2025, 1, 6)  # noqa: DTZ001 - the naive time is the point


def refusal(build: Callable[[], object]) -> LemError:
    with pytest.raises(LemError) as refused:
        build()
    return refused.value


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"size": Decimal(0)}, "not_positive"),
        ({"size": Decimal(-1)}, "not_positive"),
        ({"size": Decimal("NaN")}, "not_finite"),
        ({"size": Decimal("1e19")}, "out_of_range"),
        ({"client_order_id": ""}, "bad_client_order_id"),
        ({"client_order_id": "x" * 129}, "bad_client_order_id"),
        ({"start_time": NAIVE}, "naive_time"),
        ({"risk_aversion": Decimal(-1)}, "negative"),
        ({"risk_aversion": Decimal("NaN")}, "not_finite"),
    ],
)
def test_an_impossible_order_cannot_be_built(changes: dict[str, Any], code: str) -> None:
    assert refusal(lambda: an_order(**changes)).code == code


def test_a_client_order_id_of_128_characters_is_taken() -> None:
    assert an_order(client_order_id="x" * 128).client_order_id == "x" * 128


@pytest.mark.parametrize(
    ("build", "code"),
    [
        (lambda: Horizon(min_steps=0, max_steps=12), "bad_horizon"),
        (lambda: Horizon(min_steps=7, max_steps=6), "horizon_inverted"),
        (lambda: Horizon(min_steps=1, max_steps=6, step_seconds=0), "bad_horizon"),
        (lambda: HorizonInTime(earliest_end=at(2), latest_end=at(1)), "horizon_inverted"),
        (lambda: HorizonInTime(earliest_end=NAIVE, latest_end=at(1)), "naive_time"),
        (lambda: HorizonInTime(earliest_end=at(1), latest_end=NAIVE), "naive_time"),
        (lambda: HorizonInTime(earliest_end=at(1), latest_end=at(2), step_seconds=0), "bad_horizon"),
        (lambda: Limits(max_slice_fraction=Decimal(0)), "not_positive"),
        (lambda: Limits(max_slice_fraction=Decimal("1.01")), "above_one"),
        (lambda: Limits(max_participation_rate=Decimal(2)), "above_one"),
        (lambda: Limits(max_participation_rate=Decimal("NaN")), "not_finite"),
        (lambda: Limits(limit_price=Decimal(0)), "not_positive"),
        (lambda: an_instrument(symbol="no spaces"), "bad_symbol"),
        (lambda: an_instrument(symbol=""), "bad_symbol"),
        (lambda: an_instrument(symbol="x" * 65), "bad_symbol"),
        (lambda: an_instrument(bar_seconds=0), "bad_bar_seconds"),
        (lambda: an_instrument(bar_seconds=86_401), "bad_bar_seconds"),
        (lambda: an_instrument(lot_size=Decimal(0)), "not_positive"),
        (lambda: an_instrument(tick_size=Decimal(-1)), "not_positive"),
        (lambda: an_instrument(notional_step=Decimal(0)), "not_positive"),
        (lambda: an_instrument(min_notional=Decimal(-1)), "negative"),
        (lambda: an_instrument(max_order_notional=Decimal(0)), "not_positive"),
    ],
)
def test_impossible_horizons_limits_and_instruments_cannot_be_built(build: Callable[[], object], code: str) -> None:
    assert refusal(build).code == code


def test_a_refusal_says_what_is_wrong_and_with_what() -> None:
    refused = refusal(lambda: Horizon(min_steps=7, max_steps=6))

    assert isinstance(refused, InvalidInput)
    assert refused.detail == str(refused) == "min_steps 7 is above max_steps 6"


def test_rates_of_one_and_equal_steps_are_the_edge_and_taken() -> None:
    limits = Limits(max_slice_fraction=Decimal(1), max_participation_rate=Decimal(1))

    assert limits.max_slice_fraction == 1
    assert Horizon(min_steps=12, max_steps=12).min_steps == 12


def test_our_order_id_follows_from_theirs() -> None:
    assert order_id_of("oms-1") == order_id_of("oms-1")
    assert order_id_of("oms-1") != order_id_of("oms-2")


def test_there_are_eight_scenarios_and_their_order_is_fixed() -> None:
    """The index is a column of the model's tensors: a released bundle relies on it."""
    first, last = SCENARIOS[0], SCENARIOS[7]

    assert [scenario.index for scenario in SCENARIOS] == list(range(8))
    assert first == Scenario(Side.BUY, Benchmark.VWAP, SizeMode.QUANTITY)
    assert last == Scenario(Side.SELL, Benchmark.TWAP, SizeMode.NOTIONAL)


def test_an_order_knows_its_scenario() -> None:
    order = an_order(side=Side.SELL, benchmark=Benchmark.TWAP, size_mode=SizeMode.NOTIONAL)

    assert order.scenario.index == 7


def test_the_sign_is_one_for_a_buy_and_minus_one_for_a_sell() -> None:
    assert (Side.BUY.sign, Side.SELL.sign) == (1, -1)


def test_whole_lots_are_counted_exactly() -> None:
    assert whole_lots("quantity", Decimal("0.3"), Decimal("0.1")) == 3
    assert whole_lots("quantity", Decimal("1e10"), Decimal("1e-8")) == 10**18


@pytest.mark.parametrize(
    ("size", "lot", "code"),
    [
        ("0.35", "0.1", "not_whole_lots"),
        ("1.0000000000000000000000000000000001", "0.01", "not_whole_lots"),
        ("1e10", "1e-9", "too_many_lots"),
    ],
)
def test_a_size_that_lots_cannot_make_exactly_is_refused(size: str, lot: str, code: str) -> None:
    assert refusal(lambda: whole_lots("quantity", Decimal(size), Decimal(lot))).code == code


def test_lots_within_a_size_are_rounded_down() -> None:
    assert lots_within(Decimal("0.39"), Decimal("0.1")) == 3


def test_the_index_of_a_scenario_is_its_place_among_all() -> None:
    assert [scenario.index for scenario in SCENARIOS] == list(range(8))
