"""On a random walk the best mean is known: the optimal stopping baseline must reach it, through the whole backtest."""

from __future__ import annotations

from decimal import Decimal

import pytest

from app.backtest.run_series import run_series
from app.backtest.setup import Setup
from app.bars.series import Series
from app.decision.policies.registry import baseline
from app.domain.order import Benchmark, SizeMode
from tests.market import a_walk, scenarios_of

SIGMA_BPS = 20.0
BARS = 36_000

pytestmark = pytest.mark.measures


@pytest.fixture(scope="module")
def series(tmp_path_factory: pytest.TempPathFactory) -> Series:
    return a_walk(tmp_path_factory.mktemp("walk"), bars=BARS, seed=11, sigma=SIGMA_BPS / 1e4)


def gains(series: Series, min_steps: int, cap: str = "1") -> tuple[float, float]:
    """Mean and standard deviation of the gain against TWAP, in sigmas of one bar."""
    setup = Setup(
        min_steps=(min_steps,),
        max_steps=12,
        every=12,
        risk_aversion=0.0,
        scenarios=scenarios_of(Benchmark.TWAP, SizeMode.QUANTITY),
        max_slice_fraction=Decimal(cap),
    )
    slippage = run_series(series, baseline("optimal_stopping"), setup).slippage_bps / SIGMA_BPS
    return -float(slippage.mean()), float(slippage.std())


@pytest.mark.parametrize(("min_steps", "best", "deviation"), [(1, 0.367, 0.20), (6, 0.292, 0.15), (9, 0.160, 0.08)])
def test_the_best_mean_is_reached_with_little_spread(
    series: Series, min_steps: int, best: float, deviation: float
) -> None:
    mean, spread = gains(series, min_steps)

    assert mean == pytest.approx(best, rel=0.03)
    assert spread == pytest.approx(deviation, abs=0.02)


@pytest.mark.parametrize(("cap", "best"), [("0.25", 0.352), ("0.2", 0.326), ("0.1667", 0.292)])
def test_under_a_slice_cap_the_best_mean_is_that_of_the_later_start(series: Series, cap: str, best: float) -> None:
    mean, _ = gains(series, 1, cap)

    assert mean == pytest.approx(best, rel=0.06)


def test_a_forced_end_leaves_nothing_to_gain(series: Series) -> None:
    mean, spread = gains(series, 12)

    assert mean == pytest.approx(0.0, abs=1e-5)
    assert spread == pytest.approx(0.0, abs=1e-4)
