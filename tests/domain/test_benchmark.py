"""The prices that an order is held against, and what slippage means."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.bar import Bar, aggregate, fill_gap
from app.domain.benchmark import BenchmarkSums, slippage_bps
from app.domain.order import Benchmark
from tests.builders import a_bar, at, bars


def sums_over(seen: list[Bar]) -> BenchmarkSums:
    sums = BenchmarkSums()
    for bar in seen:
        sums = sums.add(bar)
    return sums


def test_there_is_no_benchmark_before_the_first_window_has_closed() -> None:
    assert BenchmarkSums().price(Benchmark.VWAP) is None
    assert BenchmarkSums().price(Benchmark.TWAP) is None


def test_twap_is_the_plain_mean_of_the_bars_prices() -> None:
    sums = sums_over([a_bar(0, price=100, volume=Decimal(1)), a_bar(1, price=104, volume=Decimal(3))])

    assert sums.price(Benchmark.TWAP) == 102


def test_vwap_weighs_the_bars_prices_by_volume() -> None:
    sums = sums_over([a_bar(0, price=100, volume=Decimal(1)), a_bar(1, price=104, volume=Decimal(3))])

    assert sums.price(Benchmark.VWAP) == 103


def test_vwap_is_twap_while_nothing_has_traded() -> None:
    sums = sums_over([a_bar(0, price=100, volume=Decimal(0)), a_bar(1, price=104, volume=Decimal(0))])

    assert sums.price(Benchmark.VWAP) == sums.price(Benchmark.TWAP) == 102


@given(st.integers(1, 12), st.integers(0, 1000))
def test_both_benchmarks_lie_within_the_range_that_was_traded(count: int, seed: int) -> None:
    seen = bars(count, seed=seed)
    sums = sums_over(seen)

    for benchmark in Benchmark:
        price = sums.price(benchmark)

        assert price is not None
        assert min(bar.low for bar in seen) <= price <= max(bar.high for bar in seen)


def test_a_benchmark_over_a_window_that_was_not_seen_is_partial_and_leaves_it_out() -> None:
    seen = sums_over([a_bar(0, price="100"), a_bar(2, price="110")])

    with_gap = sums_over([a_bar(0, price="100")]).expect(Decimal(400), Decimal(10**6)).add(a_bar(2, price="110"))

    assert (seen.partial, with_gap.partial) == (False, True)
    assert [with_gap.price(each) for each in Benchmark] == [seen.price(each) for each in Benchmark]


def test_a_decision_sees_what_was_expected_of_windows_that_were_not_seen() -> None:
    sums = sums_over([a_bar(0, price="100", volume=Decimal(10))]).expect(Decimal(130), Decimal(20))

    assert sums.with_expected.volume_sum == Decimal(30)
    assert sums.with_expected.price(Benchmark.VWAP) == Decimal(120)
    assert sums.with_expected.price(Benchmark.TWAP) == Decimal(115)


def test_no_benchmark_knows_a_market_that_nobody_saw() -> None:
    assert BenchmarkSums().expect(Decimal(100), Decimal(10)).price(Benchmark.VWAP) is None


def test_a_window_that_was_seen_in_part_makes_the_benchmark_partial() -> None:
    real = a_bar(0)

    assert sums_over([aggregate([real, fill_gap(real, at(1), at(2))])]).partial


@pytest.mark.parametrize(("sign", "cost"), [(1, 100), (-1, -100)])
def test_paying_above_the_benchmark_costs_a_buyer_and_earns_for_a_seller(sign: int, cost: int) -> None:
    assert slippage_bps(sign, Decimal(101), Decimal(100)) == cost


def test_slippage_of_arrays_is_the_slippage_of_each_element() -> None:
    achieved, benchmark = np.array([101.0, 99.5]), np.array([100.0, 100.0])

    slippage = slippage_bps(np.array([1, -1]), achieved, benchmark)

    assert slippage == pytest.approx([100.0, 50.0])
