"""The release gate: the reasons against a bundle, before it takes the place of another.

Golden cases, checksums and interfaces are checked by loading it. Here are its size, its causality, whether it answers
at all, and whether it is worse than the bundle it replaces, beyond what chance explains (models/release/comparison.py).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np

from app.backtest.bootstrap import DayBlocks
from app.backtest.run_series import Outcome, run_series
from app.bars.series import Series
from app.bars.walks import Walk
from app.bundles.bundle import LemPolicy
from models.release.comparison import Comparison, a_walk, horizons_of, on_validation, on_walk, orders_of
from models.settings.train_plan import TrainMarket

SIZE_MAX = 12_000_000
CHANCE, RESAMPLES = 5.0, 20_000
"""All comparisons decide together: chance alone stops at most so many per cent of the bundles that are as good. Each
comparison has its share (Bonferroni), and the resamples must reach that far into the tail."""
NEGLIGIBLE = 1e-4
"""In sigma: a smaller difference is rounding, however certain it is."""
BARS_AFTER = 60
MARKET_LIKE = Walk(volume_per_move=1.0)
"""On a plain walk the model forecasts nothing, so a forecast that looks ahead would not show."""
TOLERANCE = 1e-6


def reasons_against(
    directory: Path, policy: LemPolicy, replaced: LemPolicy | None, markets: dict[str, TrainMarket]
) -> list[str]:
    """The reasons against releasing the bundle in `directory`, in the place of `replaced` where there is one. `markets`
    are those it was chosen on. Raises InvalidInput where their bars cannot be read: then nothing can be compared."""
    reasons = []
    size = sum(file.stat().st_size for file in directory.iterdir())
    if size > SIZE_MAX:
        reasons.append(f"size: {size:,} bytes are more than {SIZE_MAX:,}")
    reasons += failures("a random walk", _decided(_short_walk(policy, 0), policy).fallbacks)
    if looks_ahead(policy):
        reasons.append("causality: later bars change what was decided before them")
    if replaced is not None:
        reasons += worse(policy, replaced, markets)
    return reasons


def looks_ahead(policy: LemPolicy) -> bool:
    """Whether other bars from one on change a decision that was taken before it closed."""
    first = policy.history_min + BARS_AFTER
    before, other = (_short_walk(policy, seed) for seed in (0, 1))
    later = np.arange(len(before)) >= first
    columns = ("open", "high", "low", "close", "volume", "notional")
    changed = {name: np.where(later, getattr(other, name), getattr(before, name)) for name in columns}
    ours, theirs = (_decided(series, policy) for series in (before, replace(before, **changed)))
    early = ours.start[:, None] - 1 + np.arange(ours.trace.allocation.shape[1] if ours.trace else 0) < first
    if ours.trace is None or theirs.trace is None or not early.any():
        raise AssertionError("there is nothing to compare")
    pairs = (
        (ours.trace.allocation, theirs.trace.allocation),
        (ours.trace.stop_probability, theirs.trace.stop_probability),
    )
    return not all(np.allclose(one[early], two[early], rtol=0.0, atol=TOLERANCE, equal_nan=True) for one, two in pairs)


def worse(policy: LemPolicy, replaced: LemPolicy, markets: dict[str, TrainMarket]) -> list[str]:
    """The reasons why the new bundle fails or is worse, beyond noise: on the markets' validation bars, and on a random
    walk. Compared is the utility of the same orders, paired. Raises InvalidInput where bars cannot be read."""
    bundles = policy, replaced
    compared: dict[str, Comparison] = {}
    for horizon in horizons_of(bundles):
        of_length = {name: on_validation(bundles, market, horizon) for name, market in markets.items()}
        of_length["a random walk"] = on_walk(bundles, horizon)
        compared |= {f"{name}, {horizon} steps": found for name, found in of_length.items() if len(found.day)}
    failed = [reason for name, found in compared.items() for reason in failures(name, found.failed)]
    return failed + beyond_chance(compared)


def failures(name: str, failed: int) -> Iterator[str]:
    """The reason against a bundle of which decisions failed, if any. In the service the volume curve would stand in for
    it, so that no result would show the failure."""
    if failed:
        yield f"failures on {name}: {failed:,} decisions failed or were NaN"


def beyond_chance(compared: dict[str, Comparison]) -> list[str]:
    """Where a difference is negative beyond chance, by a bootstrap over blocks of days; nowhere with too few orders."""
    coverage = 100.0 - 2.0 * CHANCE / sum(len(found.better) for found in compared.values())
    reasons = []
    for name, found in compared.items():
        blocks = DayBlocks(found.day, horizon_days=found.horizon_days, resamples=RESAMPLES, seed=0)
        for kind, better in found.better.items():
            low, high = blocks.interval(better, coverage)
            if high < -NEGLIGIBLE:
                reasons.append(
                    f"worse on {name}, {kind}: utility {better.mean():+.4f} sigma, {coverage:.2f} % interval "
                    f"{low:+.4f} to {high:+.4f}"
                )
    return reasons


def _short_walk(policy: LemPolicy, seed: int) -> Series:
    return a_walk(MARKET_LIKE, seed, policy.history_min + 2 * BARS_AFTER)


def _decided(series: Series, policy: LemPolicy) -> Outcome:
    setup = orders_of((policy,), horizons_of((policy,))[0], every=5)
    return run_series(series, policy, replace(setup, min_steps=(1, setup.max_steps)), trace=True)
