"""What happens to orders, as the service tells it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from lem_client.slices import Window
from lem_client.words import FillWarning, Status, StopReason


@dataclass(frozen=True, slots=True, kw_only=True)
class EventData:
    """What an event says; None where it says nothing of that. Events of one `version` of the order happened together.
    `filled_quantity` and `filled_notional` are what of the order was filled by then."""

    order_id: str
    instrument: str
    at: datetime
    version: int
    step: int | None = None
    status: Status | None = None
    stop_reason: StopReason | None = None
    slice_id: str | None = None
    window: Window | None = None
    final: bool | None = None
    execution_id: str | None = None
    quantity: Decimal | None = None
    notional: Decimal | None = None
    price: Decimal | None = None
    warnings: tuple[FillWarning, ...] | None = None
    amount: Decimal | None = None
    over_filled: Decimal | None = None
    given_back: Decimal | None = None
    filled_quantity: Decimal | None = None
    filled_notional: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something happened to an order. `event` is its name, such as `slice.committed`. The same event has the same `id`
    whenever it is told: keep the newest `id`, and go on behind it after a restart."""

    id: str
    event: str
    data: EventData
