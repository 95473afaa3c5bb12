"""Which orders are measured: their lengths, earliest ends, slice caps and risk aversions."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_UP, Decimal

from app.backtest.setup import Setup
from app.bundles.bundle import LemPolicy
from app.domain.order import Benchmark, Scenario, Side, SizeMode

SHORTEST, LENGTH_RATIO = 2, 4
"""Lengths are the longest one, each time a quarter of it, and the shortest that leaves anything to decide. In units of
sigma * sqrt(N) long ones hardly differ; the shortest do, since they have few moments to stop at."""
EARLIEST_SHARES = (0.0, 0.4, 0.7, 1.0)
"""M / N; at least one step. What stopping is worth bends downwards in it: straight lines between these miss little."""
CAP_MULTIPLES = (None, 2.0)
"""Slice caps as multiples of an even slice."""
CAP_DIGITS = Decimal("1e-12")
SCENARIOS = tuple(Scenario(side, benchmark, SizeMode.QUANTITY) for side in Side for benchmark in Benchmark)
"""Quantities alone: what a fixed notional adds is known, and a quote adds it. Both sides, so that a rise of the market
makes no quote."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderKind:
    """Orders that are alike in all but their start and side."""

    benchmark: Benchmark
    risk_aversion: float
    slice_cap_multiple: float | None
    max_steps: int
    min_steps: int


def lengths(max_steps: int) -> list[int]:
    """Rising; of a model that decides at most so many steps."""
    found = {max_steps, min(max_steps, SHORTEST)}
    while (max_steps := max_steps // LENGTH_RATIO) > SHORTEST:
        found.add(max_steps)
    return sorted(found)


def earliest_ends(max_steps: int, shares: tuple[float, ...] = EARLIEST_SHARES) -> tuple[int, ...]:
    return tuple(sorted({max(1, round(share * max_steps)) for share in shares}))


def setups(policy: LemPolicy, max_steps: int) -> list[tuple[float | None, Setup]]:
    """Every slice cap that binds with every risk aversion, for orders of `max_steps`. Starts are for the caller to
    set."""
    named = policy.card.risk_aversions
    return [
        (
            multiple,
            Setup(
                min_steps=earliest_ends(max_steps, _shares(multiple)),
                max_steps=max_steps,
                every=1,
                risk_aversion=risk_aversion,
                scenarios=SCENARIOS,
                max_slice_fraction=slice_cap(multiple, max_steps),
            ),
        )
        for multiple in CAP_MULTIPLES
        if multiple is None or multiple < max_steps  # a larger slice than the order is no cap
        for risk_aversion in (named.neutral, named.default, named.tracking)
    ]


def usual_setups(policy: LemPolicy, max_steps: int) -> list[tuple[float | None, Setup]]:
    """Those without a slice cap at the default risk aversion."""
    default = policy.card.risk_aversions.default
    return [
        (multiple, setup)
        for multiple, setup in setups(policy, max_steps)
        if multiple is None and setup.risk_aversion == default
    ]


def _shares(multiple: float | None) -> tuple[float, ...]:
    """M / N under that cap: no order ends before the slices that it allows have made the whole."""
    least = 0.0 if multiple is None else 1.0 / multiple
    return tuple(max(share, least) for share in EARLIEST_SHARES)


def slice_cap(multiple: float | None, max_steps: int) -> Decimal:
    if multiple is None:
        return Decimal(1)
    return (Decimal(multiple) / max_steps).quantize(CAP_DIGITS, rounding=ROUND_UP)
