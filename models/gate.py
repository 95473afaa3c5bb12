"""The release gate: what speaks against a bundle, before it takes the place of another.

Golden cases, checksums and interfaces are checked by loading it. Here are its size, its causality, and whether it is
worse than the bundle it replaces on the bars that choose, beyond what chance explains.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, time
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from app.backtest.gaps import segments
from app.backtest.reader import read_series
from app.backtest.run import Outcome, run_series
from app.backtest.series import Series, aggregated
from app.backtest.setup import Setup
from app.backtest.simulate import Walk, simulate_bars, simulated_series
from app.inference.bundle import LemPolicy
from models.evaluation.bootstrap import DayBlocks
from models.files import bar_files
from models.plan import MarketPlan

SIZE_MAX = 5_000_000
HORIZON, MIN_STEPS = 12, (1, 6, 12)
STARTS_MAX, STARTS_PER_FILE_MIN = 600, 20
"""Order starts per market that are compared, spread evenly over its files; each is one order per scenario and entry of
`MIN_STEPS`."""
RESAMPLES = 2_000
DAY_SECONDS = 86_400
BARS_AFTER = 60
TOLERANCE = 1e-6


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
        reasons += [reason for name, market in markets.items() if (reason := worse(policy, replaced, name, market))]
    return reasons


def looks_ahead(policy: LemPolicy) -> bool:
    """Whether other bars from one on change a decision that was taken before it closed."""
    first = policy.history_min + BARS_AFTER
    before, other = (_walk(seed, first + BARS_AFTER) for seed in (0, 1))
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


def worse(policy: LemPolicy, replaced: LemPolicy, name: str, market: MarketPlan) -> str | None:
    """The reason why the new bundle is worse on the market's validation bars; None where it is not, beyond noise.

    Compared is the utility of the same orders, paired, at the default risk aversion; the interval is that of a
    bootstrap over blocks of days.
    """
    differences, days = [], []
    files = bar_files([market.path])
    starts = max(STARTS_PER_FILE_MIN, STARTS_MAX // len(files))
    for file in files:
        for series in segments(read_series(file)):
            steps = aggregated(series, market.step_seconds) if market.step_seconds else series
            ours, theirs = (_outcome(steps, each, market, starts) for each in (policy, replaced))
            common = np.isin(ours.start, theirs.start), np.isin(theirs.start, ours.start)
            differences.append(_utility(ours, policy)[common[0]] - _utility(theirs, policy)[common[1]])
            days.append(steps.open_time[ours.start[common[0]]] // DAY_SECONDS)
    difference = np.concatenate(differences)
    if not len(difference):
        return None
    blocks = DayBlocks(np.concatenate(days), horizon_days=1, resamples=RESAMPLES, seed=0)
    low, high = blocks.interval(difference)
    if not high < 0.0:
        return None
    return f"worse on {name}: utility {difference.mean():+.4f} sigma, 95 % interval {low:+.4f} to {high:+.4f}"


def _outcome(series: Series, policy: LemPolicy, market: MarketPlan, starts: int) -> Outcome:
    start, end = (int(datetime.combine(day, time(), UTC).timestamp()) for day in market.validation_span)
    inside = int(((series.open_time >= start) & (series.open_time < end)).sum())
    horizon = _horizon(policy)
    setup = Setup(
        min_steps=tuple(sorted({min(steps, horizon) for steps in MIN_STEPS})),
        max_steps=horizon,
        every=max(1, inside // starts) | 1,  # odd: all times of day come in turn
        risk_aversion=policy.risk_aversion,
        start=start,
        end=end,
    )
    return run_series(series, policy, setup)


def _utility(outcome: Outcome, policy: LemPolicy) -> NDArray[np.float64]:
    """[B] in units of volatility; what training maximises. Frozen prices have no unit, and count for nothing."""
    unit = np.where(outcome.sigma > 0.0, outcome.sigma, np.inf) * 1e4
    gain = -outcome.slippage_bps / unit
    utility: NDArray[np.float64] = gain - policy.risk_aversion * (np.sqrt(1.0 + gain**2) - 1.0)
    return utility


def _decided(series: Series, policy: LemPolicy) -> Outcome:
    horizon = _horizon(policy)
    setup = Setup(min_steps=(1, horizon), max_steps=horizon, every=5, risk_aversion=policy.risk_aversion)
    return run_series(series, policy, setup, trace=True)


def _walk(seed: int, bars: int) -> Series:
    walk = Walk()
    return simulated_series("WALK", simulate_bars(np.random.default_rng(seed), walk, 1, bars), 0, walk.bar_seconds)


def _horizon(policy: LemPolicy) -> int:
    return min(HORIZON, policy.max_steps)
