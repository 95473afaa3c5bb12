"""What an order may earn and cost, before it is sent."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from lem_client.slices import Window
from lem_client.words import Benchmark, QuoteBasis, QuoteWarning, Side


@dataclass(frozen=True, slots=True, kw_only=True)
class Costs:
    """Half the spread in basis points (None: one tick), and the factor of the square-root law of impact (None: 1)."""

    half_spread_bps: Decimal | None = None
    impact: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Gain:
    """A distribution; positive where the order does better than its benchmark. Its unit is its owner's."""

    mean: Decimal
    std: Decimal
    p5: Decimal
    p50: Decimal
    p95: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """Positive is a cost. `impact_bps` is None where the feed has no volume."""

    half_spread_bps: Decimal
    impact_bps: Decimal | None
    total_bps: Decimal
    total_notional: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class End:
    """A step, which may lie between two where it is a mean, and when its window ends."""

    step: Decimal
    time: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Participation:
    """Fractions of the market's volume: until the order ends, and in its busiest slice."""

    mean: Decimal
    busiest_slice: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class QuotedStep:
    """The mean `fraction` of the order that the step trades, the chance that the order ends with it, and that it has
    ended by then."""

    step: int
    window: Window
    fraction: Decimal
    end_probability: Decimal
    ended_by_probability: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class CalibratedOn:
    """The market whose orders were measured: how many, on bars of which length, from when to when."""

    market: str
    bar_seconds: int
    orders: int
    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class RestsOn:
    """Where the figures of a quote come from; `as_of` is the close of the newest bar."""

    basis: QuoteBasis
    calibrated_on: CalibratedOn | None
    model: str
    risk_aversion: Decimal
    volatility_bps: Decimal
    volatility_bars: int
    history_bars: int
    continuations: int
    as_of: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Quote:
    """Gains are against the order's benchmark, in basis points and in quote currency, before costs. `net_gain_bps` is
    the mean gain less the costs."""

    instrument: str
    side: Side
    benchmark: Benchmark
    quantity: Decimal
    notional: Decimal
    last_price: Decimal
    gain_bps: Gain
    gain_notional: Gain
    pace_and_stop_gain_bps: Decimal
    convexity_gain_bps: Decimal
    cost: Cost
    net_gain_bps: Decimal
    earliest_end: End
    expected_end: End
    latest_end: End
    filled_fraction: Decimal
    participation: Participation | None
    steps: tuple[QuotedStep, ...]
    rests_on: RestsOn
    warnings: tuple[QuoteWarning, ...]
