"""A quote reads between the orders that were measured, and takes the nearest beyond them."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.decision.quotes.calibration import Calibration, MarketCalibration
from app.decision.quotes.gains import between
from app.domain.order import Benchmark
from app.domain.quote import Gains, Tails
from tests.decision.quotes.calibrations import a_calibration, a_table


def market_of(calibration: Calibration, bar_seconds: int = 900) -> MarketCalibration:
    found = calibration.nearest(bar_seconds, Benchmark.VWAP)
    assert found is not None
    return found


def mean_of(
    market: MarketCalibration, steps: tuple[int, int], risk_aversion: float = 1.0, cap: float | None = None
) -> float:
    max_steps, min_steps = steps
    gains = market.gains(max_steps=max_steps, min_steps=min_steps, risk_aversion=risk_aversion, slice_cap_multiple=cap)
    assert gains.quantile(0.5) == pytest.approx(gains.mean)
    return gains.mean


@pytest.mark.parametrize(
    ("steps", "mean"),
    [
        pytest.param((24, 12), 2.0, id="a measured horizon"),
        pytest.param((24, 18), 1.0, id="between two earliest ends"),
        pytest.param((12, 12), 0.0, id="between two lengths, tracking"),
        pytest.param((96, 48), 2.0, id="longer than all"),
        pytest.param((3, 3), 0.0, id="shorter than all"),
    ],
)
def test_gains_lie_on_straight_lines_between_measured_horizons(steps: tuple[int, int], mean: float) -> None:
    assert mean_of(market_of(a_calibration()), steps) == pytest.approx(mean)


def test_lengths_are_read_between_in_logs() -> None:
    """12 is halfway from 6 to 24."""
    market = market_of(a_calibration(a_table(rows={(6, 6): 0.0, (24, 24): 1.0})))

    assert mean_of(market, (12, 12)) == pytest.approx(0.5)


def test_a_slice_cap_counts_by_the_share_of_the_horizon_that_it_takes_to_finish() -> None:
    free, capped = a_table(rows={(24, 24): 1.0}), a_table(rows={(24, 24): 0.0}, slice_cap_multiple=2.0)
    market = market_of(a_calibration(free, capped))

    assert [mean_of(market, (24, 24), cap=cap) for cap in (None, 8.0, 4.0, 2.0, 1.0)] == [1.0, 0.75, 0.5, 0.0, 0.0]


def test_a_risk_aversion_between_two_is_read_in_logs_of_one_more() -> None:
    neutral, averse = a_table(rows={(24, 24): 1.0}, risk_aversion=0.0), a_table(rows={(24, 24): 0.0}, risk_aversion=3.0)
    market = market_of(a_calibration(neutral, averse))

    assert mean_of(market, (24, 24), risk_aversion=1.0) == pytest.approx(0.5)
    assert mean_of(market, (24, 24), risk_aversion=9.0) == pytest.approx(0.0)


@pytest.mark.parametrize(
    ("bar_seconds", "market"), [(900, "quarter"), (300, "quarter"), (3600, "hour"), (86_400, "day")]
)
def test_the_market_with_the_nearest_length_of_bars_stands_for_an_order(bar_seconds: int, market: str) -> None:
    lengths = {"quarter": 900, "hour": 3600, "day": 86_400}
    calibration = a_calibration(*(a_table(market=name, bar_seconds=length) for name, length in lengths.items()))

    assert market_of(calibration, bar_seconds).first.market == market


def test_of_two_markets_with_such_bars_the_one_with_more_orders_counts() -> None:
    small, large = a_table(market="small", rows={(24, 24): 1.0}), a_table(market="large")

    assert market_of(a_calibration(small, large)).first.market == "large"


def test_nothing_is_nearest_where_the_benchmark_was_not_measured() -> None:
    assert a_calibration(a_table(benchmark=Benchmark.TWAP)).nearest(900, Benchmark.VWAP) is None


def test_quantiles_that_fall_or_are_too_few_are_no_distribution() -> None:
    for quantiles in ((0.0,), tuple(-float(place) for place in range(9))):
        with pytest.raises(ValueError, match="quantiles"):
            Gains(mean=0.0, std=math.inf, quantiles=quantiles)


@given(share=st.floats(0.0, 1.0), place=st.sampled_from([0.0, 0.15, 0.3, 0.7]))
def test_quantiles_between_two_distributions_never_fall(share: float, place: float) -> None:
    """Not even by a rounding, which would refuse the quote."""
    steep = Gains(mean=0.0, std=0.1, quantiles=(-0.31, -0.1, -0.1, 0.0, 0.0, 0.0, 0.1, 0.1, 0.31))
    flat = Gains(mean=0.0, std=0.001, quantiles=(-0.004, -0.001, -0.001, 0.0, 0.0, 0.0, 0.001, 0.001, 0.004))
    points = [(place, steep), (place + 0.1, flat)]

    read = between(points, place + 0.1 * share)

    assert list(read.quantiles) == sorted(read.quantiles)


def test_each_tail_is_as_much_farther_from_the_median_as_is_said() -> None:
    gains = Gains(mean=0.3, std=0.5, quantiles=(-1.0, -0.5, -0.4, 0.0, 0.2, 0.4, 0.8, 1.2, 2.0))

    moved = gains.with_tails(Tails(below=1.5, above=2.0))

    assert (moved.mean, moved.std) == (0.3, pytest.approx(0.5 * 3.125**0.5))
    assert (moved.quantile(0.05), moved.quantile(0.5), moved.quantile(0.95)) == pytest.approx((-0.85, 0.2, 2.2))
