"""A quote as a value: what an order may earn and cost, and what that rests on.

Basis points are floats: a quote is an expectation, and no money moves by it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from itertools import pairwise

LEVELS = (0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99)
"""The probabilities whose quantiles are kept."""


SQRT_2 = math.sqrt(2.0)


@dataclass(frozen=True, slots=True)
class Tails:
    """How many times as far from the median outcomes are, below it and above; at least 0 each."""

    below: float = 1.0
    above: float = 1.0


AS_MEASURED = Tails()


@dataclass(frozen=True, slots=True, kw_only=True)
class Gains:
    """A distribution of gains, positive where the order does better than its benchmark: `mean`, `std`, and the
    `quantiles` at `LEVELS`. The unit is the owner's: basis points, or sigma * sqrt(N)."""

    mean: float
    std: float
    quantiles: tuple[float, ...]

    def __post_init__(self) -> None:
        if len(self.quantiles) != len(LEVELS):
            raise ValueError(f"there are {len(self.quantiles)} quantiles; there must be {len(LEVELS)}")
        if any(later < earlier for earlier, later in pairwise(self.quantiles)):
            raise ValueError("quantiles must not fall")

    def quantile(self, level: float) -> float:
        """That of one of the kept `LEVELS`."""
        return self.quantiles[LEVELS.index(level)]

    def times(self, unit: float) -> Gains:
        """The same in another unit; `unit` is at least 0."""
        return Gains(
            mean=self.mean * unit, std=self.std * unit, quantiles=tuple(each * unit for each in self.quantiles)
        )

    def plus(self, amount: float) -> Gains:
        """Every outcome better by `amount`."""
        return Gains(mean=self.mean + amount, std=self.std, quantiles=tuple(each + amount for each in self.quantiles))

    def with_tails(self, tails: Tails) -> Gains:
        """Every outcome as much farther from the median, or nearer to it, as its tail says; the mean stays."""
        middle = self.quantile(0.5)
        moved = tuple(
            middle + (tails.below if each < middle else tails.above) * (each - middle) for each in self.quantiles
        )
        return Gains(mean=self.mean, std=self.std * math.hypot(tails.below, tails.above) / SQRT_2, quantiles=moved)


class QuoteBasis(StrEnum):
    """Where the gain's distribution comes from. `calibration`: measured orders of this model times the current
    volatility. `random_walk`: simulated continuations of the market, on which nothing can be forecast."""

    CALIBRATION = "calibration"
    RANDOM_WALK = "random_walk"


class QuoteWarning(StrEnum):
    """Why a quote may be less sure than it looks. `not_calibrated`: no orders of this bundle were measured;
    `model_unavailable`: the model cannot read this market now; `bar_length_`, `horizon_`, `risk_aversion_`,
    `slice_cap_`, `participation_` and `limit_price_not_calibrated`: orders like this were not measured;
    `may_not_finish`: the limits may leave some of the order; `no_volume`: the feed tells no volume; `no_volatility`:
    the price has not moved."""

    NOT_CALIBRATED = "not_calibrated"
    MODEL_UNAVAILABLE = "model_unavailable"
    BAR_LENGTH_NOT_CALIBRATED = "bar_length_not_calibrated"
    HORIZON_NOT_CALIBRATED = "horizon_not_calibrated"
    RISK_AVERSION_NOT_CALIBRATED = "risk_aversion_not_calibrated"
    SLICE_CAP_NOT_CALIBRATED = "slice_cap_not_calibrated"
    PARTICIPATION_NOT_CALIBRATED = "participation_not_calibrated"
    LIMIT_PRICE_NOT_CALIBRATED = "limit_price_not_calibrated"
    MAY_NOT_FINISH = "may_not_finish"
    NO_VOLUME = "no_volume"
    NO_VOLATILITY = "no_volatility"


@dataclass(frozen=True, slots=True, kw_only=True)
class CalibratedOn:
    """The market whose orders were measured, the length of its bars, how many `orders` of about this length they were,
    and the span of their bars."""

    market: str
    bar_seconds: int
    orders: int
    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Grounds:
    """What a quote rests on. `model` is the name that slices record. `volatility_bps` is that of one step, taken from
    the newest `volatility_bars` of the `history_bars` that are known as of `as_of`. `continuations` of the market were
    simulated."""

    basis: QuoteBasis
    calibrated_on: CalibratedOn | None
    model: str
    risk_aversion: float
    volatility_bps: float
    volatility_bars: int
    history_bars: int
    continuations: int
    as_of: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Quote:
    """`gain_bps` is against the order's benchmark and before costs, positive where the order does better. Its mean has
    two parts: what the pace and the stop earn, and `convexity_gain_bps`, what a fixed notional earns (a buy) or loses
    (a sell) by being fixed; 0 for a fixed quantity. Costs are positive. `impact_bps` and the participation are None
    where the feed has no volume. `notional` is the order's worth at `last_price`.

    By step: `end_probability` of ending with it, `fraction` of the order that it trades in the mean.
    `filled_fraction` is the mean share of the order that is traded at the end.
    """

    notional: Decimal
    last_price: Decimal
    gain_bps: Gains
    convexity_gain_bps: float
    half_spread_bps: float
    impact_bps: float | None
    end_probability: tuple[float, ...]
    fraction: tuple[float, ...]
    participation: float | None
    busiest_participation: float | None
    grounds: Grounds
    warnings: tuple[QuoteWarning, ...]

    @property
    def pace_and_stop_gain_bps(self) -> float:
        """The mean gain without the convexity."""
        return self.gain_bps.mean - self.convexity_gain_bps

    @property
    def cost_bps(self) -> float:
        """All that is known of it."""
        return self.half_spread_bps + (self.impact_bps or 0.0)

    @property
    def filled_fraction(self) -> float:
        return sum(self.fraction)

    @property
    def expected_end_step(self) -> float:
        """The mean step with which the order ends."""
        return sum(step * probability for step, probability in enumerate(self.end_probability, 1))
