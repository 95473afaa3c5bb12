"""Bars: what is refused, what a bar's price is, and what is made of several."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.bar import aggregate, fill_gap
from app.domain.errors import InvalidInput
from tests.builders import START, a_bar, at, bars

PRICES = st.decimals(min_value=1, max_value=1000, places=2)
VOLUMES = st.decimals(min_value=0, max_value=1000, places=2)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"low": Decimal(-1)}, "not_positive"),
        ({"open": Decimal(0)}, "not_positive"),
        ({"close": Decimal("NaN")}, "not_finite"),
        ({"high": Decimal("Infinity")}, "not_finite"),
        ({"high": Decimal("1e999999")}, "out_of_range"),
        ({"low": Decimal("1e-400")}, "out_of_range"),
        ({"volume": Decimal(-1)}, "negative"),
        ({"volume": Decimal("sNaN")}, "not_finite"),
        ({"notional": Decimal(-1)}, "negative"),
        ({"trades": -1}, "negative"),
        ({"high": Decimal(99), "low": Decimal(101)}, "high_below_low"),
        ({"open": Decimal(101)}, "price_outside_range"),
        ({"close": Decimal(99)}, "price_outside_range"),
        ({"close_time": START}, "bar_times_inverted"),
        ({"open_time": datetime(2025, 1, 6)}, "naive_time"),  # noqa: DTZ001 - the naive time is the point
    ],
)
def test_an_impossible_bar_cannot_be_built(changes: dict[str, Any], code: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        a_bar(**changes)

    assert refused.value.code == code


def test_the_price_of_a_bar_is_its_vwap() -> None:
    bar = a_bar(low=Decimal(90), high=Decimal(110), volume=Decimal(4), notional=Decimal(412))

    assert bar.price == Decimal(103)


@pytest.mark.parametrize(
    "changes",
    [
        {"notional": None},
        {"notional": Decimal(0), "volume": Decimal(0)},
        {"notional": Decimal(9_000_000)},
        {"notional": Decimal(1)},
    ],
)
def test_without_a_believable_notional_the_price_is_the_mean_of_high_low_and_close(changes: dict[str, Any]) -> None:
    bar = a_bar(low=Decimal(90), high=Decimal(120), **changes)

    assert bar.price == (Decimal(90) + Decimal(120) + Decimal(100)) / 3


def test_an_aggregate_spans_its_bars() -> None:
    parts = bars(4)

    whole = aggregate(parts)

    assert (whole.open_time, whole.close_time) == (at(0), at(4))
    assert (whole.open, whole.close) == (parts[0].open, parts[-1].close)
    assert (whole.low, whole.high) == (min(bar.low for bar in parts), max(bar.high for bar in parts))
    assert whole.volume == sum(bar.volume for bar in parts)
    assert whole.trades == sum(bar.trades or 0 for bar in parts)


@given(st.lists(st.tuples(PRICES, VOLUMES), min_size=1, max_size=6))
def test_an_aggregate_keeps_the_vwap_of_its_bars(traded: list[tuple[Decimal, Decimal]]) -> None:
    parts = [a_bar(step, price=price, volume=volume) for step, (price, volume) in enumerate(traded)]
    volume = sum(volume for _, volume in traded)

    whole = aggregate(parts)

    if volume:
        assert float(whole.price) == pytest.approx(float(sum(price * size for price, size in traded) / volume))
    assert whole.low <= whole.price <= whole.high


def test_an_aggregate_counts_trades_where_any_bar_knows_them() -> None:
    assert aggregate([a_bar(0, trades=3), a_bar(1)]).trades == 3
    assert aggregate([a_bar(0), a_bar(1)]).trades is None


def test_an_aggregate_is_synthetic_only_where_all_of_it_is() -> None:
    real = a_bar(0)
    made = fill_gap(real, at(1), at(2))

    assert not aggregate([real, made]).synthetic
    assert aggregate([made]).synthetic


def test_a_gap_is_filled_with_a_marked_bar_of_the_last_close_and_no_volume() -> None:
    last = bars(1)[0]

    made = fill_gap(last, at(1), at(2))

    assert made.synthetic
    assert (made.open_time, made.close_time) == (at(1), at(2))
    assert made.open == made.high == made.low == made.close == made.price == last.close
    assert made.volume == 0
    assert made.trades is None
