"""What a fixed notional earns by being fixed is known on a random walk."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from app.backtest.run_series import run_series
from app.backtest.setup import Setup
from app.bars.walks import Walk, simulate_bars, simulated_series
from app.decision.policies.twap import Twap
from app.decision.quotes.convexity import convexity
from app.domain.order import Benchmark, Scenario, Side, SizeMode

STEPS, SIGMA, ORDERS = 12, 0.02, 400


def even_orders(side: Side) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The gains of orders that fix a quantity, and of those that fix a notional, on the same bars of a walk."""
    walk = Walk(sigma=SIGMA)
    bars = simulate_bars(np.random.default_rng(3), walk, 1, ORDERS * STEPS)
    scenarios = tuple(Scenario(side, Benchmark.TWAP, size_mode) for size_mode in SizeMode)
    setup = Setup(scenarios=scenarios, min_steps=(STEPS,), max_steps=STEPS, every=STEPS, risk_aversion=0.0)
    outcome = run_series(simulated_series("WALK", bars, 0, walk.bar_seconds), Twap(), setup)
    by_quantity, by_notional = (outcome.scenario == scenario.index for scenario in scenarios)
    return -outcome.slippage_bps[by_quantity], -outcome.slippage_bps[by_notional]


def test_an_even_pace_gives_sigma_squared_times_the_other_steps_over_six() -> None:
    assert convexity(np.ones(STEPS), SIGMA) == pytest.approx(SIGMA**2 * (STEPS - 1) / 6)


def test_an_even_pace_of_42_of_63_days_at_21_percent_a_year_earns_about_12_bps() -> None:
    """Where an order of 22 to 63 days ends in the mean; over all 63 days the pace would earn 18."""
    daily = 0.21 / np.sqrt(252)

    assert 1e4 * convexity(np.ones(42), daily) == pytest.approx(12.0, abs=0.1)
    assert 1e4 * convexity(np.ones(63), daily) == pytest.approx(18.1, abs=0.1)


@pytest.mark.parametrize("side", Side)
def test_orders_of_a_fixed_notional_on_a_walk_earn_or_lose_the_convexity(side: Side) -> None:
    fixed_quantity, fixed_notional = even_orders(side)

    expected = side.sign * 1e4 * convexity(np.ones(STEPS), SIGMA)
    error = (fixed_notional - fixed_quantity).std() / np.sqrt(len(fixed_notional))
    assert (fixed_notional - fixed_quantity).mean() == pytest.approx(expected, abs=3 * error)


def test_an_uneven_pace_has_the_variance_of_the_prices_that_it_pays() -> None:
    shares = np.array([3.0, 0.0, 1.0, 4.0, 2.0])
    average = np.random.default_rng(0).standard_normal((40_000, 5)) / np.sqrt(12.0)
    moves = np.random.default_rng(1).standard_normal((40_000, 5))
    closes = np.cumsum(moves, axis=1)
    logs = SIGMA * (closes - moves / 2.0 + average)

    weights = shares / shares.sum()
    variance = (logs**2 @ weights) - (logs @ weights) ** 2
    assert convexity(shares, SIGMA) == pytest.approx(variance.mean(), rel=0.02)


def test_one_slice_and_no_slice_have_no_convexity() -> None:
    assert convexity(np.array([[0, 1], [0, 0], [0, 0]]), SIGMA).tolist() == [0.0, 0.0]
