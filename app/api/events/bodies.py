"""An event as it is told, and a page of events."""

from __future__ import annotations

import json
from typing import Annotated

from pydantic import ConfigDict, Field
from pydantic.config import JsonDict

from app.api.slices.bodies import WindowOut
from app.api.values import Answer, DecimalOut, TimeOut
from app.domain.fills import FillWarning
from app.domain.lifecycle import Status, StatusReason, StopReason
from app.domain.order import Benchmark, Fills, Side
from app.outbox.log import Place, RecordedEvent

EVENT_NAMES = (
    *("order.accepted", "order.working", "order.paused", "order.completed", "order.cancelled", "order.expired"),
    *("order.rejected", "order.replaced", "order.over_filled", "order.behind", "order.on_track"),
    *("slice.committed", "slice.filled", "slice.ended", "slice.withheld", "slice.offered", "slice.closed"),
    *("fill.booked", "fill.corrected", "fill.busted"),
)
EXAMPLE: JsonDict = {
    "order_id": "b768e421-48ff-5e28-867e-de66ff5ec413",
    "instrument": "BTC-USDT",
    "step": 3,
    "at": "2025-01-06T14:30:00.012000Z",
    "version": 5,
    "slice_id": "b768e421-48ff-5e28-867e-de66ff5ec413-3",
    "quantity": "0.84",
    "notional": "84.21",
    "window": {"start": "2025-01-06T14:30:00Z", "end": "2025-01-06T14:45:00Z"},
    "final": False,
    "filled_quantity": "1.7",
    "filled_notional": "170.43",
    "in_flight": "0.84",
    "behind": "0",
    "over_filled": "0",
    "unpriced": "0",
}

PAGE_EXAMPLE: JsonDict = {
    "events": [{"id": "1736174700012-0-BTC-USDT", "event": "slice.committed", "data": EXAMPLE}],
    "last_event_id": "1736174700012-0-BTC-USDT",
    "more": False,
}


class BegunOrderOut(Answer):
    """The order that an event begins: what whoever follows its events needs to know of it. The whole of it is answered
    by its `order_id`."""

    client_order_id: str
    """The OMS' own name of the order."""
    account: str | None = None
    """Whose order it is; not there where it has none."""
    side: Side
    """Whether the order buys or sells."""
    quantity: DecimalOut | None = None
    """Its size in base units, where the order fixes that."""
    notional: DecimalOut | None = None
    """Its size in quote currency, where the order fixes that."""
    benchmark: Benchmark
    """What the achieved price is held against."""
    min_steps: int
    """The order ends with no earlier step, unless it is done or ended by the OMS."""
    max_steps: int
    """The order ends with no later step."""
    fills: Fills
    """Whether slices count as filled when their bar closes, or only as the OMS reports them."""


class EventData(Answer):
    """What an event says. Fields that the event says nothing of are not there."""

    model_config = ConfigDict(json_schema_extra={"examples": [EXAMPLE]})

    order_id: str
    """The order that it happened to."""
    instrument: str
    """The order's instrument."""
    at: TimeOut
    """When it was recorded, by the clock of the store, to the millisecond."""
    version: int
    """Counts the changes of the order: events of one version happened together, in the order in which they come."""
    step: int | None = None
    """The newest step of the order by then, counted from 1; not there before the first slice."""
    status: Status | None = None
    """The order has this status now."""
    reason: StatusReason | None = None
    """Who has moved the order to that status; not there in events of earlier releases."""
    order: BegunOrderOut | None = None
    """The order, in its first event."""
    replaces: str | None = None
    """The `order_id` of the order in whose place this one begins."""
    replaced_by: str | None = None
    """The `order_id` of the order that stands in the place of this one now."""
    stop_reason: StopReason | None = None
    """Why the order has taken its last slice, or why this slice is meant to be the last."""
    slice_id: str | None = None
    """The slice that it is about."""
    window: WindowOut | None = None
    """When the slice is to be traded."""
    final: bool | None = None
    """Whether the slice is meant to be the last one."""
    execution_id: str | None = None
    """The OMS' own name of the fill that it is about."""
    quantity: DecimalOut | None = None
    """Of a slice or a fill, in base units."""
    notional: DecimalOut | None = None
    """Of a slice, in quote currency."""
    price: DecimalOut | None = None
    """Of a fill, in quote currency per base unit."""
    warnings: list[FillWarning] | None = None
    """What is odd about the fill."""
    amount: DecimalOut | None = None
    """How much more the fill has than its slice had in flight, in the unit that the order fixes."""
    given_back: DecimalOut | None = None
    """What was asked for in the slice, is not reported and may be asked for again, in the unit that the order fixes."""
    filled_quantity: DecimalOut | None = None
    """What of the order was filled by then, in base units; not there in events of earlier releases."""
    filled_notional: DecimalOut | None = None
    """The same in quote currency."""
    in_flight: DecimalOut | None = None
    """What of the order was asked for by then, and neither known to be traded nor given back, in the unit that the
    order fixes; not there in events of earlier releases, as the three that follow."""
    behind: DecimalOut | None = None
    """What of the order could not be done in time within its limits, in the same unit."""
    over_filled: DecimalOut | None = None
    """What was reported beyond what was in flight, in the same unit."""
    unpriced: DecimalOut | None = None
    """What of the order was assumed to be filled at a price that nobody knows, in the same unit."""


class EventOut(Answer):
    """One event, as a server-sent event has it in its lines."""

    id: Annotated[str, Field(description="opaque; the same event has the same id wherever and whenever it is told")]
    event: Annotated[str, Field(description=f"the event's name: {', '.join(EVENT_NAMES)}; more may follow")]
    data: Annotated[EventData, Field(description="what the event says")]


class EventsOut(Answer):
    """A page of events, oldest first."""

    model_config = ConfigDict(json_schema_extra={"examples": [PAGE_EXAMPLE]})

    events: Annotated[list[EventOut], Field(description="at most `limit` of them")]
    last_event_id: Annotated[str, Field(description="ask for the next page, or for a stream, behind this one")]
    more: Annotated[bool, Field(description="whether there are later events already")]

    @classmethod
    def text(cls, events: list[RecordedEvent], last: Place, *, more: bool) -> str:
        """As JSON. The data are put together once for all who are told of an event."""
        rows = ",".join(
            f'{{"id":{json.dumps(str(each.place))},"event":"{each.event.what.name}","data":{each.text}}}'
            for each in events
        )
        return f'{{"events":[{rows}],"last_event_id":{json.dumps(str(last))},"more":{json.dumps(more)}}}'
