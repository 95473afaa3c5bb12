"""`GET /v1/events` and `GET /v1/orders/{order_id}/events`."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Header, Query, Request, Response
from pydantic import Field
from pydantic.json_schema import SkipJsonSchema
from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from app.access.callers import Caller
from app.access.key_ring import KeyRing
from app.api.access.callers import caller_in
from app.api.codes import KNOWN_ORDER, QUERY, STORE
from app.api.events.accepted import accepts_json
from app.api.events.bodies import EventsOut
from app.api.events.places import StreamPlaces, StreamPlacesDep
from app.api.events.sse import HEADERS, MEDIA_TYPE, stream
from app.api.middleware import BODILESS
from app.api.openapi import problems
from app.api.orders.routes import OrderId
from app.api.services import ServicesDep
from app.api.values import Parameters
from app.domain.errors import Gone, InvalidInput
from app.outbox.log import OLDEST, PLACE, Batch, Place, RecordedEvent
from app.outbox.tail import Tail

router = APIRouter(tags=["events"])

ID_LENGTH_MAX = 256
FROM_THE_OLDEST = "0"
ID_PATTERN = f"^({FROM_THE_OLDEST}|{PLACE.pattern})$"
"""For the document alone: what does not fit has a code of its own."""
PAGE_EVENTS_MAX = 1_000
SEEN_MAX = 100_000
"""Events that are looked at for one page: as many as a whole stream has, so that an order that is rarely spoken of is
found in it."""

STREAM_EXAMPLE = """id: 1736174700012-0-BTC-USDT
event: order.paused
data: {"order_id":"b768e421-48ff-5e28-867e-de66ff5ec413","step":3,"at":"2025-01-06T14:45:00.012000Z","status":"paused"}

"""
TOLD: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "A stream of events, or a page of them",
        "content": {MEDIA_TYPE: {"schema": {"type": "string"}, "example": STREAM_EXAMPLE}},
    }
}
CODES = ("bad_cursor", "events_gone", "not_acceptable", "too_many_event_streams")
_Id = Annotated[str, Field(max_length=ID_LENGTH_MAX, json_schema_extra={"pattern": ID_PATTERN})]
LastEventId = Annotated[
    _Id | SkipJsonSchema[None],
    Header(
        description="the newest `id` that the client has: it goes on behind that event. Counts more than `after`",
    ),
]


class WantedEvents(Parameters):
    """Which events, and how many on a page."""

    after: _Id | SkipJsonSchema[None] = None
    """Begin behind the event of that `id`; `0` begins with the oldest one that is kept. Without it a stream begins now,
    and a page with the oldest."""
    limit: Annotated[int, Field(ge=1, le=PAGE_EVENTS_MAX)] = 100
    """How many events a page has at most, 1 to 1,000; a stream has no end."""


@router.get(
    "/v1/events",
    summary="What happens to orders",
    response_model=EventsOut,
    responses={**problems(*QUERY, *CODES, *STORE), **TOLD},
)
async def get_events(
    wanted: Annotated[WantedEvents, Query()],
    request: Request,
    services: ServicesDep,
    places: StreamPlacesDep,
    last_event_id: LastEventId = None,
) -> Response:
    """Events of all orders that the caller may see, in the order in which they were recorded: server-sent events, or
    with `Accept: application/json` a page of those that are kept. The newest 100,000 or so of each instrument are kept.
    Where events behind the given one are gone, the answer is 410: read the orders, and begin anew."""
    asked = _Asked(services.tail, services.access.ring, caller_in(request.scope))
    return await _told(asked, wanted, last_event_id, request, places)


@router.get(
    "/v1/orders/{order_id}/events",
    summary="What happens to one order",
    response_model=EventsOut,
    responses={**problems(*KNOWN_ORDER, *CODES), **TOLD},
)
async def get_order_events(
    order_id: OrderId,
    wanted: Annotated[WantedEvents, Query()],
    request: Request,
    services: ServicesDep,
    places: StreamPlacesDep,
    last_event_id: LastEventId = None,
) -> Response:
    """As `GET /v1/events`, of one order. Its stream goes on when the order has ended: fills may come late."""
    caller = caller_in(request.scope)
    order = (await services.engine.queries.order(order_id, caller.account)).order
    asked = _Asked(services.tail, services.access.ring, caller, order.instrument, order.order_id)
    return await _told(asked, wanted, last_event_id, request, places)


@dataclass(frozen=True, slots=True)
class _Asked:
    """Whose events: those that the caller may see, and of one order on its instrument or of all."""

    tail: Tail
    ring: KeyRing
    caller: Caller
    instrument: str | None = None
    order_id: str | None = None

    async def chosen(self, batch: Batch) -> Sequence[RecordedEvent]:
        """Ready to be told."""
        events = await self._chosen(batch)
        await self.tail.log.learn(events)
        return events

    async def _chosen(self, batch: Batch) -> Sequence[RecordedEvent]:
        if self.order_id is not None:
            return batch.by_order.get(self.order_id, ())
        if self.caller.account is not None:
            return await self.tail.accounts.events_of(self.caller.account, batch)
        return batch.events

    async def require_kept(self, after: Place) -> None:
        if after != OLDEST and not await self.tail.log.kept_since(after, self.instrument):
            raise Gone("events_gone", "events behind that one are no longer kept; read the orders, and begin anew")


class _EventStream(StreamingResponse):
    """Closes what its events come from when it ends, however that is."""

    def __init__(self, content: AsyncIterator[bytes], opened: AsyncExitStack) -> None:
        super().__init__(content, media_type=MEDIA_TYPE, headers=HEADERS)
        self._opened = opened

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async with self._opened:
            await super().__call__(scope, receive, send)


async def _told(
    asked: _Asked, wanted: WantedEvents, last_event_id: str | None, request: Request, places: StreamPlaces
) -> Response:
    as_json = accepts_json(request.scope)
    named, newest = _place(wanted.after), _place(last_event_id)
    after = named if newest is None else newest
    if after is not None:
        await asked.require_kept(after)
    if as_json:
        return await _page(asked, after or OLDEST, wanted.limit)
    if request.scope.get(BODILESS):
        return Response(media_type=MEDIA_TYPE, headers=HEADERS)
    async with AsyncExitStack() as opened:
        opened.enter_context(places.taken())
        follower = await opened.enter_async_context(asked.tail.following(after, asked.instrument))
        told = stream(
            follower, asked.chosen, lambda: asked.ring.lets_stay(asked.caller.prefix), places.metrics.events_sent
        )
        return _EventStream(told, opened.pop_all())


async def _page(asked: _Asked, after: Place, limit: int) -> Response:
    found: list[RecordedEvent] = []
    more, place, seen = True, after, 0
    while more and len(found) <= limit and seen < SEEN_MAX:
        batch = await asked.tail.log.read(place, instrument=asked.instrument)
        found += await asked.chosen(batch)
        more, place, seen = batch.more, batch.until, seen + len(batch.events)
    if len(found) > limit:
        more, place = True, found[limit - 1].place
    text = EventsOut.text(found[:limit], place, more=more)
    return Response(text, media_type="application/json", headers={"Cache-Control": "no-store"})


def _place(text: str | None) -> Place | None:
    if text is None:
        return None
    if text == FROM_THE_OLDEST:
        return OLDEST
    place = Place.parsed(text)
    if place is None:
        raise InvalidInput("bad_cursor", "send the id of an event as it came, or 0 for the oldest")
    return place
