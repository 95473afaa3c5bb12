"""Executions that the OMS reports."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from app.domain.numbers import require_aware, require_positive


@dataclass(frozen=True, slots=True, kw_only=True)
class Fill:
    """An execution that the OMS reports: base units at a price. `execution_id` is the OMS' own name of the execution,
    under which it is booked once."""

    execution_id: str
    slice_id: str
    quantity: Decimal
    price: Decimal
    executed_at: datetime

    def __post_init__(self) -> None:
        require_positive("quantity", self.quantity)
        require_positive("price", self.price)
        require_aware("executed_at", self.executed_at)
