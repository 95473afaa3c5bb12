"""The release gate: what speaks against a bundle, before it takes the place of another.

Golden cases, checksums and interfaces are checked by loading it. Here are its size, its causality, and whether it is
worse than the bundle it replaces, beyond what chance explains: for each kind of order that users send, on the bars that
choose, together with their mirror images, lest a rising half year flatter who bets on it, and on a random walk, where
there is nothing to bet on.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, time
from decimal import Decimal
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from app.backtest.gaps import segments
from app.backtest.observing import observe_series
from app.backtest.reader import read_series
from app.backtest.run import Outcome, run_series
from app.backtest.series import Series, Vector, aggregated
from app.backtest.setup import Setup
from app.backtest.simulate import Walk, simulate_bars, simulated_series
from app.domain.costs import Costs
from app.inference.bundle import LemPolicy
from models.evaluation.bootstrap import DayBlocks
from models.files import bar_files
from models.mirror import mirrored
from models.plan import MarketPlan

SIZE_MAX = 5_000_000
HORIZON, MIN_STEPS = 12, (1, 6, 12)
STARTS_MAX, STARTS_PER_FILE_MIN = 600, 20
"""Order starts per market that are compared, spread evenly over its files; each is one order per scenario and entry of
`MIN_STEPS`."""
RESAMPLES, COVERAGE = 2_000, 99.0
"""Some thirty comparisons decide together: at 95 % chance alone would stop every other bundle that is as good."""
NEGLIGIBLE = 1e-4
"""In sigma: what is less is a rounding, however sure."""
LARGE, PACE_MAX = 0.01, Decimal("2.4")
DAY_SECONDS = 86_400
BARS_AFTER = 60
WALK_BARS, WALK_SEED = 12_000, 2
TOLERANCE = 1e-6

Days = NDArray[np.int64]


def reasons_against(
    directory: Path, policy: LemPolicy, replaced: LemPolicy | None, markets: dict[str, MarketPlan]
) -> list[str]:
    """What speaks against releasing the bundle in `directory`, in the place of `replaced` where there is one. `markets`
    are those it was chosen on. Raises InvalidInput where their bars cannot be read: then nothing can be compared."""
    reasons = []
    size = sum(file.stat().st_size for file in directory.iterdir())
    if size > SIZE_MAX:
        reasons.append(f"size: {size:,} bytes are more than {SIZE_MAX:,}")
    if looks_ahead(policy):
        reasons.append("causality: later bars change what was decided before them")
    if replaced is not None:
        for name, market in markets.items():
            reasons += worse(policy, replaced, name, market)
        reasons += worse_on_walks(policy, replaced)
    return reasons


def looks_ahead(policy: LemPolicy) -> bool:
    """Whether other bars from one on change a decision that was taken before it closed."""
    first = policy.history_min + BARS_AFTER
    # On a plain walk nothing is foreseen, so nothing would leak through that.
    market = Walk(volume_per_move=1.0)
    before, other = (_walk(market, seed, first + BARS_AFTER) for seed in (0, 1))
    later = np.arange(len(before)) >= first
    columns = ("open", "high", "low", "close", "volume", "notional")
    changed = {name: np.where(later, getattr(other, name), getattr(before, name)) for name in columns}
    ours, theirs = (_decided(series, policy) for series in (before, replace(before, **changed)))
    early = ours.start[:, None] - 1 + np.arange(_horizon(policy)) < first
    if ours.trace is None or theirs.trace is None or not early.any():
        raise AssertionError("there is nothing to compare")
    pairs = (
        (ours.trace.allocation, theirs.trace.allocation),
        (ours.trace.stop_probability, theirs.trace.stop_probability),
    )
    return not all(np.allclose(one[early], two[early], rtol=0.0, atol=TOLERANCE, equal_nan=True) for one, two in pairs)


def worse(policy: LemPolicy, replaced: LemPolicy, name: str, market: MarketPlan) -> list[str]:
    """The reasons why the new bundle is worse on the market's validation bars, beyond noise.

    Compared is the utility of the same orders, paired.
    """
    parts = []
    files = bar_files([market.path])
    starts = max(STARTS_PER_FILE_MIN, STARTS_MAX // len(files))
    for file in files:
        for series in segments(read_series(file)):
            steps = aggregated(series, market.step_seconds) if market.step_seconds else series
            setup = _setup(steps, policy, market, starts)
            (days, ours), (_, images) = (_compared(side, policy, replaced, setup) for side in (steps, mirrored(steps)))
            parts.append((days, {kind: (ours[kind] + images[kind]) / 2.0 for kind in ours}))
    days = np.concatenate([of_part for of_part, _ in parts])
    differences = {kind: np.concatenate([part[kind] for _, part in parts]) for kind in parts[0][1]}
    return list(_reasons(name, days, differences))


def worse_on_walks(policy: LemPolicy, replaced: LemPolicy) -> list[str]:
    """The reasons why the new bundle is worse where nothing can be known."""
    series = _walk(Walk(), WALK_SEED, WALK_BARS)
    setup = _orders(policy, every=HORIZON)
    return list(_reasons("a random walk", *_compared(series, policy, replaced, setup)))


def _kinds(setup: Setup) -> dict[str, Setup]:
    """The kinds of orders that are compared, each with what it is called."""
    neutral = replace(setup, risk_aversion=0.0)
    cap = PACE_MAX / setup.max_steps
    return {
        "orders": setup,
        "orders without risk aversion": neutral,
        f"orders of at most {PACE_MAX} times an even pace": replace(setup, max_slice_fraction=cap),
        "such orders without risk aversion": replace(neutral, max_slice_fraction=cap),
        f"orders of {LARGE:.0%} of the volume after costs": replace(setup, order_share=LARGE, costs=Costs(impact=1.0)),
    }


def _compared(series: Series, policy: LemPolicy, replaced: LemPolicy, setup: Setup) -> tuple[Days, dict[str, Vector]]:
    """The day of each order that both can take, and for each kind how much more utility ours has: [B], [B]."""
    observed = [observe_series(series, each, setup) for each in (policy, replaced)]
    differences = {}
    for kind, orders in _kinds(setup).items():
        ours, theirs = (
            run_series(series, each, orders, observed=seen)
            for each, seen in zip((policy, replaced), observed, strict=True)
        )
        common = np.isin(ours.start, theirs.start), np.isin(theirs.start, ours.start)
        differences[kind] = _utility(ours, orders)[common[0]] - _utility(theirs, orders)[common[1]]
        days = series.open_time[ours.start[common[0]]] // DAY_SECONDS
    return days, differences


def _reasons(name: str, days: Days, differences: dict[str, Vector]) -> Iterator[str]:
    """Where a difference is negative beyond chance, by a bootstrap over blocks of days."""
    blocks = DayBlocks(days, horizon_days=1, resamples=RESAMPLES, seed=0)
    for kind, difference in differences.items():
        low, high = blocks.interval(difference, COVERAGE)
        if high < -NEGLIGIBLE:  # never where there are too few orders to tell
            yield (
                f"worse on {name}, {kind}: utility {difference.mean():+.4f} sigma, {COVERAGE:g} % interval {low:+.4f} "
                f"to {high:+.4f}"
            )


def _setup(series: Series, policy: LemPolicy, market: MarketPlan, starts: int) -> Setup:
    start, end = (int(datetime.combine(day, time(), UTC).timestamp()) for day in market.validation_span)
    inside = int(((series.open_time >= start) & (series.open_time < end)).sum())
    every = max(1, inside // starts) | 1  # odd: all times of day come in turn
    return replace(_orders(policy, every=every), start=start, end=end)


def _orders(policy: LemPolicy, *, every: int) -> Setup:
    horizon = _horizon(policy)
    min_steps = tuple(sorted({min(steps, horizon) for steps in MIN_STEPS}))
    return Setup(min_steps=min_steps, max_steps=horizon, every=every, risk_aversion=policy.risk_aversion)


def _utility(outcome: Outcome, setup: Setup) -> Vector:
    """[B] in units of volatility; what training maximises. Frozen prices have no unit, and count for nothing."""
    unit = np.where(outcome.sigma > 0.0, outcome.sigma, np.inf) * 1e4
    gain = -outcome.slippage_bps / unit
    utility: Vector = gain - setup.risk_aversion * (np.sqrt(1.0 + gain**2) - 1.0)
    return utility


def _decided(series: Series, policy: LemPolicy) -> Outcome:
    horizon = _horizon(policy)
    setup = Setup(min_steps=(1, horizon), max_steps=horizon, every=5, risk_aversion=policy.risk_aversion)
    return run_series(series, policy, setup, trace=True)


def _walk(walk: Walk, seed: int, bars: int) -> Series:
    return simulated_series("WALK", simulate_bars(np.random.default_rng(seed), walk, 1, bars), 0, walk.bar_seconds)


def _horizon(policy: LemPolicy) -> int:
    return min(HORIZON, policy.max_steps)
