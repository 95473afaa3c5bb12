"""The optimal stopping baseline: what it reads from bars, and when it ends an order."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from app.bars.series import raw_rows, raw_windows
from app.decision.market import COLUMNS, Floats, Market
from app.decision.policies.optimal_stopping import OptimalStopping
from app.decision.policies.raw_windows import trailing_sigma
from app.domain.order import Scenario
from tests.market import BUY_TWAP, SELL_TWAP, a_walk, some_rows

SIGMA = 0.002
CLOSE = COLUMNS.index("close")


def a_window(folder: Path, *, bars: int = 97) -> Floats:
    rows = raw_rows(a_walk(folder, bars=bars, seed=4, sigma=SIGMA))
    return raw_windows(rows, 97, np.array([bars - 1]))


def a_market(sigma: float = SIGMA) -> Market:
    return Market(np.array([[sigma]], dtype=np.float32), np.ones((1, 24), dtype=np.float32))


def test_sigma_is_the_volatility_of_the_bars(tmp_path: Path) -> None:
    sigma = trailing_sigma(a_window(tmp_path))

    assert sigma[0] == pytest.approx(SIGMA, rel=0.2)


def test_padding_does_not_count_as_a_move(tmp_path: Path) -> None:
    sigma = trailing_sigma(a_window(tmp_path, bars=40))

    assert sigma[0] == pytest.approx(SIGMA, rel=0.3)


def test_one_wild_bar_does_not_rule_sigma(tmp_path: Path) -> None:
    window = a_window(tmp_path)
    calm = trailing_sigma(window)[0]

    window[0, 50:, CLOSE] *= 1.10

    assert trailing_sigma(window)[0] < 2 * calm


@pytest.mark.parametrize(("scenario", "benchmark"), [(BUY_TWAP, 101.0), (SELL_TWAP, 99.0)])
def test_an_order_far_on_the_right_side_of_its_benchmark_ends(scenario: Scenario, benchmark: float) -> None:
    rows = some_rows(scenario=scenario, step=6, filled_fraction=0.5, benchmark_price=benchmark)

    proposal = OptimalStopping().propose(a_market(), rows)

    assert proposal.stop_probability.tolist() == [1.0]


@pytest.mark.parametrize(("scenario", "benchmark"), [(BUY_TWAP, 99.0), (SELL_TWAP, 101.0)])
def test_an_order_on_the_wrong_side_goes_on_at_the_even_pace(scenario: Scenario, benchmark: float) -> None:
    rows = some_rows(scenario=scenario, step=6, filled_fraction=5 / 12, benchmark_price=benchmark)

    proposal = OptimalStopping().propose(a_market(), rows)

    assert proposal.stop_probability.tolist() == [0.0]
    assert proposal.allocation[0] == pytest.approx(1 / 12, rel=0.1)


def test_buys_and_sells_mirror_each_other() -> None:
    rows = [some_rows(scenario=BUY_TWAP, step=4, benchmark_price=100.1)]
    rows.append(some_rows(scenario=SELL_TWAP, step=4, benchmark_price=99.9))

    buy, sell = (OptimalStopping().propose(a_market(), each) for each in rows)

    assert buy.allocation == pytest.approx(sell.allocation)


def test_min_steps_are_kept() -> None:
    rows = some_rows(8, step=np.arange(1, 9), min_steps=8, benchmark_price=110.0)

    proposal = OptimalStopping().propose(a_market(), rows)

    assert proposal.stop_probability.tolist() == [0.0] * 7 + [1.0]


def test_a_slice_cap_puts_off_the_end_until_one_slice_finishes() -> None:
    rows = some_rows(2, step=6, filled_fraction=[0.7, 0.8], max_slice_fraction=0.25, benchmark_price=110.0)

    proposal = OptimalStopping().propose(a_market(), rows)

    assert proposal.stop_probability.tolist() == [0.0, 1.0]


def test_a_slice_cap_makes_it_hurry_until_one_slice_is_left() -> None:
    rows = some_rows(3, step=[1, 2, 3], filled_fraction=[0.0, 0.25, 0.5], max_slice_fraction=0.25)

    proposal = OptimalStopping().propose(a_market(), rows)

    assert proposal.allocation == pytest.approx([0.25, 0.25, 0.25])


def test_a_market_that_never_moved_is_paced_without_an_end() -> None:
    proposal = OptimalStopping().propose(a_market(sigma=0.0), some_rows(12, step=np.arange(1, 13)))

    assert np.isfinite(proposal.allocation).all()
    assert proposal.stop_probability[:10].tolist() == [0.0] * 10


@pytest.mark.parametrize("max_steps", [96, 3000])
def test_a_long_order_ends_where_it_is_far_ahead_for_its_length(max_steps: int) -> None:
    """A third of sigma sqrt(N) is about where a rule ends orders half way, whatever the horizon."""
    shift = SIGMA * np.sqrt(max_steps) * np.array([0.2, 0.5])
    rows = some_rows(
        2,
        step=max_steps // 2,
        min_steps=max_steps // 4,
        max_steps=max_steps,
        filled_fraction=0.5,
        benchmark_price=100.0 * (1.0 + shift),
    )

    proposal = OptimalStopping().propose(a_market(), rows)

    assert proposal.stop_probability.tolist() == [0.0, 1.0]
    assert 0.05 < proposal.allocation[0] < 0.4


def test_the_first_slice_of_a_very_long_order_is_a_small_one() -> None:
    proposal = OptimalStopping().propose(a_market(), some_rows(min_steps=1000, max_steps=10_000))

    assert 0.0 < proposal.allocation[0] < 0.001
