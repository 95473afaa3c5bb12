"""What the shipped bundle achieves, through the code of `lem backtest`. Gains are minus slippage: positive is good."""

from __future__ import annotations

from decimal import Decimal
from functools import cache
from itertools import product

import numpy as np
import pytest
from numpy.typing import NDArray

from app.backtest.observing import Observed, observe_series
from app.backtest.run_series import Outcome, run_series
from app.backtest.setup import Setup
from app.bars.gaps import segments
from app.bars.reader import read_series
from app.bars.series import Series
from app.bars.walks import Walk, simulate_bars, simulated_series
from app.bundles.bundle import LemPolicy, load_bundle
from app.bundles.shipped import SHIPPED_BUNDLE
from app.decision.policies.registry import baseline
from app.decision.policy import Policy
from app.domain.order import Benchmark
from tests.market import REAL_BARS, scenarios_of

OPTIMUM = {1: 0.367, 6: 0.292, 9: 0.160, 11: 0.055}
"""The best mean gain on a random walk in units of sigma, by dynamic programming, for at most 12 steps."""
SIGMA_BPS = 20.0
WALK_BARS = 18_000
FIRST_OF_2025 = 1_735_689_600
NOVEMBER_2025 = 1_761_955_200
SOME_FEAR = 1.0
"""A risk aversion at which TWAP orders hardly bet."""
PAIRS = sorted((REAL_BARS / "crypto_15m").glob("*.parquet"))

needs_real_bars = pytest.mark.skipif(not PAIRS, reason="the real bars are not beside the checkout")
pytestmark = pytest.mark.measures


@cache
def lem() -> LemPolicy:
    return load_bundle(SHIPPED_BUNDLE)


def a_walk() -> Series:
    walk = Walk(sigma=SIGMA_BPS / 1e4)
    bars = simulate_bars(np.random.default_rng(2025), walk, 1, WALK_BARS)
    return simulated_series("WALK", bars, 0, walk.bar_seconds)


def walk_gains(outcome: Outcome, min_steps: int) -> NDArray[np.float64]:
    """In units of sigma."""
    gain: NDArray[np.float64] = -outcome.slippage_bps[outcome.min_steps == min_steps]
    return gain / SIGMA_BPS


def chosen(policy: str) -> Policy:
    return lem() if policy == "lem" else baseline(policy)


def walk_orders(risk_aversion: float, slice_cap: str) -> Setup:
    return Setup(
        min_steps=tuple(OPTIMUM),
        scenarios=scenarios_of(Benchmark.TWAP),
        max_steps=12,
        every=12,
        risk_aversion=risk_aversion,
        max_slice_fraction=Decimal(slice_cap),
        start=lem().history_min * Walk().bar_seconds,  # the same orders for every policy
    )


@cache
def observed_walk(policy: str) -> tuple[Series, Observed]:
    series = a_walk()
    return series, observe_series(series, chosen(policy), walk_orders(0.0, "1"))


@cache
def on_the_walk(risk_aversion: float, policy: str = "lem", slice_cap: str = "1") -> Outcome:
    series, read = observed_walk(policy)
    return run_series(series, chosen(policy), walk_orders(risk_aversion, slice_cap), observed=read)


def orders(benchmark: Benchmark, min_steps: int, risk_aversion: float) -> Setup:
    """2025, the same orders for every policy."""
    return Setup(
        min_steps=(min_steps,),
        scenarios=scenarios_of(benchmark),
        max_steps=12,
        every=49,  # takes every time of day in turn
        risk_aversion=risk_aversion,
        start=FIRST_OF_2025,
        end=NOVEMBER_2025,
    )


@cache
def observed(policy: str) -> tuple[tuple[Series, Observed], ...]:
    """What a policy reads of all pairs, once for all orders."""
    parts = [part for path in PAIRS for part in segments(read_series(path))]
    any_orders = orders(Benchmark.VWAP, 12, 0.0)
    return tuple((part, observe_series(part, chosen(policy), any_orders)) for part in parts)


@cache
def outcomes(policy: str, benchmark: Benchmark, min_steps: int, risk_aversion: float) -> tuple[Outcome, ...]:
    setup = orders(benchmark, min_steps, risk_aversion)
    return tuple(run_series(part, chosen(policy), setup, observed=read) for part, read in observed(policy))


def pooled(
    policy: str, benchmark: Benchmark, min_steps: int, risk_aversion: float | None = None
) -> NDArray[np.float64]:
    """The gains of one policy's orders; without a risk aversion at the default."""
    fear = lem().risk_aversion if risk_aversion is None else risk_aversion
    return np.concatenate([-outcome.slippage_bps for outcome in outcomes(policy, benchmark, min_steps, fear)])


def spread(gain: NDArray[np.float64]) -> float:
    """P95 - P5."""
    low, high = np.percentile(gain, [5, 95])
    return float(high - low)


@pytest.mark.parametrize("min_steps", OPTIMUM)
def test_on_a_random_walk_the_gain_is_near_the_optimum_and_the_spread_small(min_steps: int) -> None:
    gain = walk_gains(on_the_walk(lem().risk_aversion), min_steps)

    error = gain.std() / np.sqrt(WALK_BARS / 12)  # the four orders of one start are one path
    assert gain.mean() >= 0.97 * OPTIMUM[min_steps] - 2.0 * error
    assert gain.std() < 0.25


@pytest.mark.parametrize("min_steps", OPTIMUM)
def test_a_neutral_order_reaches_the_optimum_of_a_random_walk(min_steps: int) -> None:
    gain = walk_gains(on_the_walk(lem().card.risk_aversions.neutral), min_steps)

    error = gain.std() / np.sqrt(WALK_BARS / 12)
    assert gain.mean() >= 0.99 * OPTIMUM[min_steps] - 2.0 * error


@pytest.mark.parametrize("min_steps", OPTIMUM)
def test_a_neutral_order_under_a_slice_cap_earns_most_of_what_the_rule_made_for_walks_does(min_steps: int) -> None:
    """That rule ends an order only where one slice can, and so has the optimum under a cap."""
    neutral = lem().card.risk_aversions.neutral
    ours, theirs = (
        walk_gains(on_the_walk(neutral, policy, "0.2"), min_steps) for policy in ("lem", "optimal_stopping")
    )

    error = (ours - theirs).std() / np.sqrt(WALK_BARS / 12)
    assert ours.mean() >= 0.97 * theirs.mean() - 2.0 * error


@needs_real_bars
@pytest.mark.parametrize("min_steps", [1, 6, 9])
def test_on_unseen_bars_it_earns_what_blind_stopping_earns_and_more_against_vwap(min_steps: int) -> None:
    against_twap = pooled("lem", Benchmark.TWAP, min_steps) - pooled("optimal_stopping", Benchmark.TWAP, min_steps)
    against_vwap = pooled("lem", Benchmark.VWAP, min_steps) - pooled("optimal_stopping", Benchmark.VWAP, min_steps)

    assert against_twap.mean() >= 0.0
    assert against_vwap.mean() > 0.0


@needs_real_bars
def test_a_forced_horizon_tracks_vwap_closer_than_an_even_pace() -> None:
    ours, even = (pooled(policy, Benchmark.VWAP, 12) for policy in ("lem", "twap"))

    assert spread(ours) < spread(even)


@needs_real_bars
def test_at_no_more_spread_a_vwap_order_earns_more_than_the_strongest_rule_without_a_model() -> None:
    ours = pooled("lem", Benchmark.VWAP, 6)
    rule = pooled("volume_aware_stopping", Benchmark.VWAP, 6)

    assert spread(ours) <= spread(rule)
    assert (ours - rule).mean() > 0.0


@needs_real_bars
def test_at_hardly_more_spread_a_twap_order_earns_more_than_blind_stopping() -> None:
    """`lem evaluate` shows 0.20 bps more at a spread that is 2 % wider; the sample here is smaller."""
    ours = pooled("lem", Benchmark.TWAP, 6, risk_aversion=SOME_FEAR)
    rule = pooled("optimal_stopping", Benchmark.TWAP, 6)

    assert spread(ours) <= 1.05 * spread(rule)
    assert (ours - rule).mean() > 0.0


@needs_real_bars
def test_orders_that_track_stay_close_to_their_benchmark() -> None:
    """The least that must stay of what `lem evaluate` shows: 0.79, 0.71 and 0.79 of an even pace's."""
    ours = pooled("lem", Benchmark.VWAP, 12, risk_aversion=lem().card.risk_aversions.tracking)
    even = pooled("twap", Benchmark.VWAP, 12)

    assert np.abs(ours).mean() < 0.82 * np.abs(even).mean()
    assert spread(ours) < 0.75 * spread(even)
    assert ours.std() < 0.87 * even.std()
    twap = pooled("lem", Benchmark.TWAP, 12, risk_aversion=lem().card.risk_aversions.tracking)
    assert np.abs(twap).mean() < 0.5


@needs_real_bars
def test_it_decides_all_of_these_orders_itself() -> None:
    for benchmark, min_steps in product(Benchmark, (1, 6, 9, 12)):
        made = outcomes("lem", benchmark, min_steps, lem().risk_aversion)

        assert sum(outcome.fallbacks for outcome in made) == 0
