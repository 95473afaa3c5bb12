"""Which lane a route is in, and how wide each lane is. Routes that are not here have none: polls wait by themselves
(app/engine/waiters.py), and whether the service lives must always be told."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from copy import copy

from fastapi.routing import APIRoute
from starlette.routing import BaseRoute
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.api.departures import departure_of
from app.api.headers import header_of
from app.api.lanes import Lane, LaneMetrics, LaneSize
from app.api.problems import Refused
from app.api.services import engine_in
from app.domain.errors import Unavailable

BULK_BYTES = 512 * 1024
"""A body of more, some 2,000 bars, is a history: the bars of a market that trades now do not wait behind it."""

BARS = LaneSize(name="bars", at_once=64, beside_bars=64, waiting_max=1_000, seconds_max=10.0)
BULK = LaneSize(name="bulk", at_once=2, beside_bars=2, waiting_max=16, seconds_max=30.0)
REPORTS = LaneSize(name="reports", at_once=32, beside_bars=32, waiting_max=1_000, seconds_max=10.0)
ORDERS = LaneSize(name="orders", at_once=16, beside_bars=1, waiting_max=256)
READS = LaneSize(name="reads", at_once=32, beside_bars=2, waiting_max=256)
PAGES = LaneSize(name="pages", at_once=1, beside_bars=0, waiting_max=16)
SCHEDULES = LaneSize(name="schedules", at_once=2, beside_bars=0, waiting_max=16)
ANALYSES = LaneSize(name="analyses", at_once=1, beside_bars=0, waiting_max=16)
DESK = LaneSize(name="desk", at_once=2, beside_bars=0, waiting_max=64)
QUOTES = LaneSize(name="quotes", at_once=2, beside_bars=0, waiting_max=14, code="too_many_quotes")
RESENDING = LaneSize(name="resending", at_once=2, beside_bars=2, waiting_max=14)

LANES: Mapping[tuple[str, str], Sequence[LaneSize]] = {
    ("POST", "/v1/bars"): (BARS, BULK),
    ("POST", "/v1/orders/{order_id}/fills"): (REPORTS,),
    ("POST", "/v1/orders/{order_id}/fills/{execution_id}/bust"): (REPORTS,),
    ("POST", "/v1/orders/{order_id}/fills/{execution_id}/correct"): (REPORTS,),
    ("POST", "/v1/orders/{order_id}/slices/{step}/close"): (REPORTS,),
    ("POST", "/v1/orders/{order_id}/cancel"): (REPORTS,),
    ("POST", "/v1/orders/{order_id}/pause"): (REPORTS,),
    ("POST", "/v1/orders/{order_id}/resume"): (REPORTS,),
    ("POST", "/v1/orders"): (ORDERS,),
    ("POST", "/v1/orders/{order_id}/replace"): (ORDERS,),
    ("GET", "/v1/orders/{order_id}"): (READS,),
    ("PUT", "/v1/instruments/{symbol}"): (READS,),
    ("GET", "/v1/instruments/{symbol}"): (READS,),
    ("DELETE", "/v1/instruments/{symbol}"): (READS,),
    ("GET", "/v1/models"): (READS,),
    ("POST", "/v1/models/{name}/activate"): (READS,),
    ("GET", "/v1/models/{name}/card"): (READS,),
    ("POST", "/v1/models/{name}/shadow"): (READS,),
    ("DELETE", "/v1/models/{name}/shadow"): (READS,),
    ("GET", "/v1/models/{name}/shadow"): (PAGES,),
    ("GET", "/v1/orders/{order_id}/slices"): (READS,),
    ("GET", "/v1/orders/{order_id}/fills"): (READS,),
    ("GET", "/v1/orders/{order_id}/events"): (READS,),
    ("GET", "/v1/events"): (READS,),
    ("POST", "/v1/webhooks"): (READS,),
    ("GET", "/v1/webhooks"): (READS,),
    ("GET", "/v1/webhooks/{webhook_id}"): (READS,),
    ("DELETE", "/v1/webhooks/{webhook_id}"): (READS,),
    ("GET", "/v1/webhooks/{webhook_id}/dead_letters"): (READS,),
    ("POST", "/v1/webhooks/{webhook_id}/dead_letters/resend"): (RESENDING,),
    ("GET", "/v1/bars"): (PAGES,),
    ("GET", "/v1/orders"): (PAGES,),
    ("GET", "/v1/instruments"): (PAGES,),
    ("GET", "/v1/orders/{order_id}/schedule"): (SCHEDULES,),
    ("GET", "/v1/orders/{order_id}/tca"): (ANALYSES,),
    ("GET", "/v1/tca"): (ANALYSES,),
    ("POST", "/v1/quotes"): (QUOTES,),
}
"""A route's lane; of two, the second is that of large bodies, and of those that do not say how large they are. The
pages for people enter `DESK` by themselves."""


def lanes_of(metrics: LaneMetrics) -> dict[str, Lane]:
    """The lanes of one application, by name."""
    sizes = {DESK, *(size for sizes in LANES.values() for size in sizes)}
    return {size.name: Lane(size, metrics) for size in sizes}


def in_lanes(routes: Iterable[BaseRoute], lanes: Mapping[str, Lane]) -> list[BaseRoute]:
    """The routes, each in its lane. Routes of one lane share its places."""
    return [_in_lane(route, lanes) for route in routes]


def _in_lane(route: BaseRoute, lanes: Mapping[str, Lane]) -> BaseRoute:
    if not isinstance(route, APIRoute):
        return route
    sizes = next((sizes for (method, path), sizes in LANES.items() if _is(route, method, path)), None)
    if sizes is None:
        return route
    own = copy(route)  # the router's own route is shared with other applications
    own.app = InLane(route.app, [lanes[size.name] for size in sizes])
    return own


def _is(route: APIRoute, method: str, path: str) -> bool:
    return method in (route.methods or ()) and route.path_format == path


class InLane:
    """A route that is entered through a lane. The place is free again once the answer begins: how fast the client reads
    is no matter of the lane's."""

    def __init__(self, app: ASGIApp, lanes: Sequence[Lane]) -> None:
        self.app = app
        self.lanes = lanes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        lane = self.lanes[0] if len(self.lanes) == 1 else self.lanes[_is_large(scope)]
        metrics, name = lane.metrics, lane.size.name
        departure = departure_of(scope)
        try:
            await lane.enter(engine_in(scope).right_of_way)
        except Unavailable:
            metrics.request_refused(name)
            if departure is not None:
                departure.hold_off = True
            raise
        entered = True

        def leave() -> None:
            nonlocal entered
            if entered:
                entered = False
                lane.leave()

        async def watched(message: Message) -> None:
            if message["type"] == "http.response.start":
                leave()
                if message["status"] in (429, 503):
                    metrics.request_refused(name)
            await send(message)

        try:
            if departure is not None and departure.gone:
                raise Refused(400, "bad_request", "the client has gone")  # nothing is begun for nobody
            await self.app(scope, receive, watched)
        finally:
            leave()


def _is_large(scope: Scope) -> bool:
    announced = header_of(scope, b"content-length")
    return not announced.isdigit() or int(announced[:20]) > BULK_BYTES
