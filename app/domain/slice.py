"""What an order is asked to trade in one step, and how that was decided."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from app.domain.evolve import built_quickly
from app.domain.lifecycle import StopReason
from app.domain.projection import Bound


class Basis(StrEnum):
    """Who decided: the model, or what stands in for it."""

    MODEL = "model"
    FALLBACK = "fallback"


@dataclass(frozen=True, slots=True)
class Window:
    """[start, end): one step of one order."""

    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportsDue:
    """A slice whose fills the OMS is still to report: what it asked for is in flight. Once the time has passed `until`,
    the slice counts as given back."""

    step: int
    window: Window
    until: datetime


@built_quickly
@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """How a slice came about: what `model` (a bundle's digest, or a baseline's name) proposed on which bar.

    `allocation` and `stop_probability` are the raw proposal, as text so that NaN and infinities survive; `decided_on`
    is the open time of the newest bar that was used, None where there was none; `fallback_reason` is set exactly when
    `basis` is fallback. `inputs` is a digest of all that was decided on: the bars as they were read, the order's state
    and its limits; None in slices of earlier releases.
    """

    model: str
    basis: Basis
    allocation: str
    stop_probability: str
    decided_on: datetime | None
    decided_at: datetime
    fallback_reason: str | None = None
    inputs: str | None = None


@built_quickly
@dataclass(frozen=True, slots=True, kw_only=True)
class Slice:
    """What to trade in one step.

    The fixed one of `quantity` (base units) and `notional` (quote currency) is exact, the other an estimate at the last
    close, `price`, which slices of earlier releases do not have. `fraction` and `cumulative_fraction` are shares of the
    whole order, the latter of all that was asked for and done up to and with this slice. `stop_reason` is set where the
    slice is meant to be the last one, `final` where no other can follow it, whatever is traded of it. `expected_volume`
    is what the market was expected to trade in the window (base units), None where nothing was known of that.
    """

    slice_id: str
    step: int
    window: Window
    quantity: Decimal
    notional: Decimal
    fraction: Decimal
    cumulative_fraction: Decimal
    final: bool
    stop_reason: StopReason | None
    limit_price: Decimal | None
    bound_by: Bound | None
    decided: Decided
    expected_volume: Decimal | None = None
    price: Decimal | None = None
