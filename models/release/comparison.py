"""Two bundles on the same orders: for each kind of order that users send, by how much one does better.

The orders are on the validation bars together with their mirror images, so that a rising half year does not flatter a
bundle that bets on it, and on a random walk, where there is nothing to bet on.

Shapes: B orders.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, time
from decimal import Decimal

import numpy as np
from numpy.typing import NDArray

from app.backtest.bootstrap import horizon_days
from app.backtest.observing import observe_series
from app.backtest.run_series import Outcome, run_series
from app.backtest.setup import Setup
from app.bars.bar_files import bar_files
from app.bars.series import Series, Vector
from app.bars.stretches import stretches
from app.bars.walks import Walk, simulate_bars, simulated_series
from app.bundles.bundle import LemPolicy
from app.domain.costs import Costs
from app.domain.durations import DAY_SECONDS
from models.objective.objective import RISK_AVERSIONS
from models.objective.utility import utility
from models.settings.train_plan import TrainMarket
from models.tapes.mirror import mirrored
from models.tapes.spacing import bars_per_day, over_the_day

HORIZONS = (12, 96)
"""A usual order and a long one, where both bundles can decide it."""
STARTS_MAX, STARTS_PER_FILE_MIN = 600, 20
"""Order starts per market that are compared, spread evenly over its files; each is one order per scenario and
min_steps."""
LARGE, PACE_MAX = 0.01, Decimal("2.4")
WALK_BARS, WALK_SEED = 12_000, 2

Bundles = tuple[LemPolicy, LemPolicy]
"""The bundle in question, and the bundle that it is compared with."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """`day` [B] of each order that both bundles can take, in days since the epoch, and for each kind of order how much
    more utility the first bundle has, `better` [B], in units of volatility. An order runs over `horizon_days` at most;
    in `failed` decisions the first bundle failed or answered with NaN."""

    day: NDArray[np.int64]
    horizon_days: int
    better: dict[str, Vector]
    failed: int


def horizons_of(bundles: tuple[LemPolicy, ...]) -> tuple[int, ...]:
    """The lengths of the orders that all of the bundles decide."""
    known = min(bundle.max_steps for bundle in bundles)
    return tuple(sorted({min(horizon, known) for horizon in HORIZONS}))


def on_validation(bundles: Bundles, market: TrainMarket, horizon: int) -> Comparison:
    """The comparison on the market's validation bars. Raises InvalidInput where they cannot be read."""
    parts = []
    files = bar_files([market.path])
    starts = max(STARTS_PER_FILE_MIN, STARTS_MAX // len(files))
    for file in files:
        for series in stretches(file, market.step_seconds):
            setup = _inside(series, orders_of(bundles, horizon, every=1), market, starts)
            parts += [_both_ways(*(_compared(side, bundles, setup) for side in (series, mirrored(series))))]
    return Comparison(
        day=np.concatenate([part.day for part in parts]),
        horizon_days=max(part.horizon_days for part in parts),
        better={kind: np.concatenate([part.better[kind] for part in parts]) for kind in parts[0].better},
        failed=sum(part.failed for part in parts),
    )


def on_walk(bundles: Bundles, horizon: int) -> Comparison:
    """The comparison on a random walk, on which nothing can be forecast."""
    return _compared(a_walk(Walk(), WALK_SEED, WALK_BARS), bundles, orders_of(bundles, horizon, every=horizon))


def orders_of(bundles: tuple[LemPolicy, ...], horizon: int, *, every: int) -> Setup:
    """Orders at the default risk aversion of the first, that may end at once, from the middle on or at their end."""
    min_steps = tuple(sorted({1, max(1, horizon // 2), horizon}))
    return Setup(min_steps=min_steps, max_steps=horizon, every=every, risk_aversion=bundles[0].risk_aversion)


def a_walk(walk: Walk, seed: int, bars: int) -> Series:
    return simulated_series("WALK", simulate_bars(np.random.default_rng(seed), walk, 1, bars), 0, walk.bar_seconds)


def _kinds(setup: Setup) -> dict[str, Setup]:
    """The kinds of orders that are compared, each with what it is called."""
    neutral = replace(setup, risk_aversion=0.0)
    cap = min(Decimal(1), PACE_MAX / setup.max_steps)
    return {
        "orders": setup,
        "orders without risk aversion": neutral,
        f"orders of at most {PACE_MAX} times an even pace": replace(setup, max_slice_fraction=cap),
        "such orders without risk aversion": replace(neutral, max_slice_fraction=cap),
        "orders at `tracking`": replace(setup, risk_aversion=RISK_AVERSIONS.tracking),
        f"orders of {LARGE:.0%} of the volume after costs": replace(setup, order_share=LARGE, costs=Costs(impact=1.0)),
    }


def _compared(series: Series, bundles: Bundles, setup: Setup) -> Comparison:
    observed = [observe_series(series, each, setup) for each in bundles]
    better, failed = {}, 0
    for kind, orders in _kinds(setup).items():
        ours, theirs = (
            run_series(series, each, orders, observed=seen) for each, seen in zip(bundles, observed, strict=True)
        )
        shared = np.isin(ours.start, theirs.start), np.isin(theirs.start, ours.start)
        better[kind] = _utility(ours, orders)[shared[0]] - _utility(theirs, orders)[shared[1]]
        day, failed = series.open_time[ours.start[shared[0]]] // DAY_SECONDS, failed + ours.fallbacks
    days = horizon_days(setup.max_steps, series.bar_seconds)
    return Comparison(day=day, horizon_days=days, better=better, failed=failed)


def _both_ways(side: Comparison, image: Comparison) -> Comparison:
    """The mean of an order and the same one on the mirror image."""
    better = {kind: (side.better[kind] + image.better[kind]) / 2.0 for kind in side.better}
    return replace(side, better=better, failed=side.failed + image.failed)


def _inside(series: Series, setup: Setup, market: TrainMarket, starts: int) -> Setup:
    """About so many starts, at all times of day, of orders that end before the validation bars do."""
    start, end = (int(datetime.combine(day, time(), UTC).timestamp()) for day in market.validation_span)
    first, last = np.searchsorted(series.open_time, [start, end]) - [0, setup.max_steps - 1]
    every = over_the_day(max(1, int(last - first) // starts), bars_per_day(series.open_time))
    return replace(setup, every=every, start=start, end=int(series.open_time[np.clip(last, 0, len(series) - 1)]))


def _utility(outcome: Outcome, setup: Setup) -> Vector:
    """[B] in units of volatility; what training maximises. Frozen prices have no unit, and count for nothing."""
    unit = np.where(outcome.sigma > 0.0, outcome.sigma, np.inf) * 1e4
    gain = -outcome.slippage_bps / unit
    worth: Vector = utility(gain, setup.risk_aversion, np.sqrt)
    return worth
