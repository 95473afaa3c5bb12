"""What a schedule says at an order's start is what comes of such orders, in the mean over many of them."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pytest
from numpy.typing import NDArray

from app.backtest.run_series import Outcome, run_series
from app.backtest.setup import TOTAL_LOTS, Setup
from app.bars.series import Series, raw_rows, raw_windows
from app.bars.stretches import stretches
from app.bars.walks import Walk, simulate_bars, simulated_series
from app.bundles.bundle import LemPolicy, load_bundle
from app.bundles.shipped import SHIPPED_BUNDLE
from app.decision.chain import BarWindow, PolicyChain
from app.decision.foresight import foresee
from app.domain.order import Benchmark, Scenario, Side, SizeMode
from tests.builders import a_bar, an_instrument, an_order, an_order_state
from tests.market import REAL_BARS

pytestmark = pytest.mark.measures

Vector = NDArray[np.float64]
LOT = Decimal("1e-14")
FROM = 600
"""Bars before the first order: a lookback, and some."""


@pytest.fixture(scope="module")
def shipped() -> LemPolicy:
    return load_bundle(SHIPPED_BUNDLE)


def a_walk(bar_seconds: int, bars: int) -> Series:
    walk = Walk(bar_seconds=bar_seconds, daily_swing=0.4)
    return simulated_series("WALK", simulate_bars(np.random.default_rng(1), walk, 1, bars), 0, bar_seconds)


def run_orders(series: Series, policy: LemPolicy, side: Side, benchmark: Benchmark, steps: tuple[int, int]) -> Outcome:
    scenario = Scenario(side, benchmark, SizeMode.QUANTITY)
    setup = Setup(
        scenarios=(scenario,),
        min_steps=(steps[0],),
        max_steps=steps[1],
        every=steps[1],
        risk_aversion=policy.risk_aversion,
        start=int(series.open_time[FROM]),
    )
    return run_series(series, policy, setup, trace=True)


def foreseen(
    series: Series, policy: LemPolicy, start: int, side: Side, benchmark: Benchmark, steps: tuple[int, int]
) -> tuple[Vector, Vector]:
    """Shares and end probabilities by step, as of the bar before the order's first."""
    price, chain = Decimal(repr(float(series.close[start - 1]))), PolicyChain(policy)
    bars = raw_windows(raw_rows(series.part(start - policy.lookback, start)), policy.lookback, np.array([-1]))
    window = BarWindow(bars=bars, newest=a_bar(price=price))
    size = Decimal(round(float(series.volume[start - 96 : start].mean()) * 1e-6 * steps[1] / float(LOT))) * LOT
    order = an_order(size=size, side=side, benchmark=benchmark, min_steps=steps[0], max_steps=steps[1])
    state = an_order_state(order, an_instrument(lot_size=LOT), last_price=price)
    ahead = foresee(chain.read(window), window, state, 0, chain.risk_aversions)
    missing = (0, steps[1] - len(ahead.lots))
    return np.pad(ahead.lots / state.total, missing), np.pad(ahead.end_probability, missing)


def compare(
    series: Series, policy: LemPolicy, side: Side, benchmark: Benchmark, steps: tuple[int, int]
) -> tuple[Vector, Vector, Vector, Vector]:
    """Shares foreseen and executed, then the distribution of the last step foreseen and seen, [N] each."""
    outcome = run_orders(series, policy, side, benchmark, steps)
    assert outcome.trace is not None
    each = [foreseen(series, policy, start, side, benchmark, steps) for start in outcome.start.tolist()]
    ended = np.bincount(outcome.steps_used, minlength=steps[1] + 1)[1:] / len(outcome.start)
    return (
        np.mean([shares for shares, _ in each], axis=0),
        outcome.trace.lots.mean(axis=0) / TOTAL_LOTS,
        np.mean([ends for _, ends in each], axis=0),
        ended,
    )


@pytest.mark.parametrize(
    ("bar_seconds", "benchmark", "steps"),
    [(300, Benchmark.VWAP, (24, 24)), (900, Benchmark.TWAP, (12, 12)), (900, Benchmark.VWAP, (6, 12))],
)
def test_the_shares_that_a_schedule_projects_are_those_that_are_executed(
    shipped: LemPolicy, bar_seconds: int, benchmark: Benchmark, steps: tuple[int, int]
) -> None:
    """Late steps are reached by few orders: there the bound is on the share of the order."""
    series = a_walk(bar_seconds, FROM + 150 * steps[1])

    projected, executed, _, _ = compare(series, shipped, Side.BUY, benchmark, steps)

    assert np.all(np.abs(projected - executed) <= np.maximum(0.25 * executed, 0.01))
    assert projected.sum() == pytest.approx(1.0)


@pytest.mark.parametrize(("side", "benchmark"), [(Side.BUY, Benchmark.VWAP), (Side.SELL, Benchmark.TWAP)])
def test_orders_end_as_often_at_a_step_as_their_schedules_say(
    shipped: LemPolicy, side: Side, benchmark: Benchmark
) -> None:
    series = a_walk(900, FROM + 150 * 12)

    _, _, said, seen = compare(series, shipped, side, benchmark, (1, 12))

    assert said.sum() == pytest.approx(1.0)
    assert np.abs(np.cumsum(said - seen)).max() <= 0.1


def test_orders_on_real_bars_end_as_often_at_a_step_as_their_schedules_say(shipped: LemPolicy) -> None:
    path = REAL_BARS / "crypto_15m" / "BTCUSDT-15m.parquet"
    if not path.exists():
        pytest.skip(f"needs {path.name} beside the checkout")
    [series] = stretches(path, None)

    newest = series.part(len(series) - 3_000, len(series))

    _, _, said, seen = compare(newest, shipped, Side.BUY, Benchmark.VWAP, (6, 12))

    assert np.abs(np.cumsum(said - seen)).max() <= 0.1
