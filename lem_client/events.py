"""What happens to orders, as the service tells it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from lem_client.slices import Window
from lem_client.words import Benchmark, Fills, FillWarning, Side, Status, StatusReason, StopReason


@dataclass(frozen=True, slots=True, kw_only=True)
class BegunOrder:
    """The order that an event begins. It fixes either `quantity` (base units) or `notional` (quote currency)."""

    client_order_id: str
    side: Side
    benchmark: Benchmark
    min_steps: int
    max_steps: int
    fills: Fills
    quantity: Decimal | None = None
    notional: Decimal | None = None
    account: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EventData:
    """What an event says; None where it says nothing of that. Events of one `version` of the order happened together.
    `filled_quantity` and `filled_notional` are what of the order was filled by then; `in_flight`, `behind`,
    `over_filled` and `unpriced` are those of the order by then, in the unit that the order fixes. `order` is there in
    the order's first event, with `replaces` where it stands in another one's place."""

    order_id: str
    instrument: str
    at: datetime
    version: int
    step: int | None = None
    status: Status | None = None
    reason: StatusReason | None = None
    order: BegunOrder | None = None
    replaces: str | None = None
    replaced_by: str | None = None
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
    given_back: Decimal | None = None
    filled_quantity: Decimal | None = None
    filled_notional: Decimal | None = None
    in_flight: Decimal | None = None
    behind: Decimal | None = None
    over_filled: Decimal | None = None
    unpriced: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something happened to an order. `event` is its name, such as `slice.committed`. The same event has the same `id`
    whenever it is told: keep the newest `id`, and go on behind it after a restart."""

    id: str
    event: str
    data: EventData
