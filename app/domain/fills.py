"""Executions that the OMS reports."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from app.domain.numbers import require_aware, require_positive


class FillWarning(StrEnum):
    """What is odd about a fill that is booked all the same."""

    OVER_FILLED = "over_filled"
    """The fill is more than its slice had in flight."""
    BELOW_LOT = "below_lot"
    """The quantity is less than a lot."""
    BEYOND_LIMIT_PRICE = "beyond_limit_price"
    """The price is worse than the order's limit price."""
    FAR_FROM_MARKET = "price_far_from_market"
    """The price is more than a quarter away from the last close."""
    OUTSIDE_WINDOW = "executed_outside_window"
    """The time of execution is outside the window of the slice, or in the future."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fill:
    """An execution that the OMS reports: base units at a price. `execution_id` is the OMS' own name of the execution,
    under which it is booked once. `warnings` are ours, made when the fill is booked, and no part of the report.

    Where the fill was corrected, `original` is what was reported first; a `busted` one counts for nothing."""

    execution_id: str
    slice_id: str
    quantity: Decimal
    price: Decimal
    executed_at: datetime
    warnings: tuple[FillWarning, ...] = field(default=(), compare=False)
    original: Fill | None = field(default=None, compare=False)
    busted: bool = field(default=False, compare=False)

    def __post_init__(self) -> None:
        require_positive("quantity", self.quantity)
        require_positive("price", self.price)
        require_aware("executed_at", self.executed_at)

    @property
    def first(self) -> Fill:
        """As it was reported first."""
        return self.original or self
