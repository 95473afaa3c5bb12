"""Executions of slices: as you report them, as they are booked, and what becomes of them later."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from lem_client.orders import Order
from lem_client.words import FillWarning


@dataclass(frozen=True, slots=True, kw_only=True)
class Fill:
    """What was traded of a slice: base units at a price in quote currency. `execution_id` is your own name of the
    execution: reported twice, it is one fill."""

    execution_id: str
    slice_id: str
    quantity: Decimal
    price: Decimal
    executed_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Correction:
    """What an execution was in truth: base units at a price in quote currency. The time stays where it is None."""

    quantity: Decimal
    price: Decimal
    executed_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BookedFill(Order):
    """The order once the fill is booked, busted or corrected, and what is odd about the fill."""

    warnings: tuple[FillWarning, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class FirstReport:
    """What was reported first of an execution that was corrected."""

    quantity: Decimal
    price: Decimal
    executed_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedFill:
    """A fill as it counts now: for nothing where it is `busted`. `original` is None where it was not corrected."""

    execution_id: str
    slice_id: str
    quantity: Decimal
    price: Decimal
    executed_at: datetime
    warnings: tuple[FillWarning, ...]
    busted: bool
    original: FirstReport | None
