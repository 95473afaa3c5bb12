"""`/v1/orders/{order_id}/slices/next`, `/slices` and `/schedule`: what to trade now, what was asked for, and what may
come."""

from __future__ import annotations

import re
from collections.abc import Callable, Coroutine
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from fastapi.routing import APIRoute
from pydantic import Field

from app.api.access.callers import AccountDep, account_of
from app.api.codes import KNOWN_ORDER
from app.api.departures import departure_of
from app.api.openapi import problems
from app.api.orders.routes import ORDER_ID_MAX, OrderId
from app.api.services import EngineDep, engine_of
from app.api.slices.bodies import NextSliceOut, SlicesOut, next_slice_json
from app.api.slices.schedule_bodies import ScheduleOut
from app.api.values import Parameters

router = APIRouter(tags=["orders"])

WAIT_SECONDS_MAX = 30.0
PLAIN_QUERY = re.compile(rb"(?:wait=([0-9]{1,2}(?:\.[0-9]{1,6})?))?")
"""No query, or a wait that is written as a plain number."""


class WaitQuery(Parameters):
    """How patient the caller is."""

    wait: Annotated[float, Field(ge=0, le=WAIT_SECONDS_MAX)] = 0.0
    """How many seconds the call may stay open until there is a slice, 0 to 30."""


class PollRoute(APIRoute):
    """Reads the parameters of a plain poll itself, since FastAPI spends more time on them than the answer takes. Every
    other poll is read by FastAPI, which refuses what is wrong."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        read_by_fastapi = super().get_route_handler()

        async def handler(request: Request) -> Response:
            order_id, plain = request.path_params["order_id"], PLAIN_QUERY.fullmatch(request.scope["query_string"])
            seconds = float(plain[1] or 0) if plain else WAIT_SECONDS_MAX + 1
            if seconds > WAIT_SECONDS_MAX or len(order_id) > ORDER_ID_MAX:
                return await read_by_fastapi(request)
            return await next_slice(order_id, WaitQuery.model_construct(wait=seconds), engine_of(request), request)

        return handler


async def next_slice(
    order_id: OrderId, patience: Annotated[WaitQuery, Query()], engine: EngineDep, request: Request
) -> Response:
    """The slice whose window runs or comes next; the same until its bar has closed. Always 200 for a known order."""
    departure = departure_of(request.scope) if patience.wait else None
    account = account_of(request)
    if departure is None:
        found = await engine.queries.next_slice(order_id, patience.wait, account=account)
    else:
        found = await engine.queries.next_slice(order_id, patience.wait, departure.telling, account)
    return Response(next_slice_json(found), media_type="application/json")


router.add_api_route(
    "/v1/orders/{order_id}/slices/next",
    next_slice,
    response_model=NextSliceOut,
    summary="What to trade now",
    responses=problems(*KNOWN_ORDER, "too_many_waiters"),
    methods=["GET"],
    route_class_override=PollRoute,
)


@router.get(
    "/v1/orders/{order_id}/schedule",
    summary="All steps, and what is expected",
    responses=problems(*KNOWN_ORDER, "unknown_instrument"),
)
async def get_schedule(order_id: OrderId, engine: EngineDep, account: AccountDep) -> ScheduleOut:
    """The slices so far, the current one, and the mean of what may follow, with the chance that the order ends at each
    step."""
    return ScheduleOut.of(await engine.queries.schedule(order_id, account))


@router.get(
    "/v1/orders/{order_id}/slices",
    summary="All slices of an order",
    responses=problems(*KNOWN_ORDER),
)
async def get_slices(order_id: OrderId, engine: EngineDep, account: AccountDep) -> SlicesOut:
    """What was asked for in each step, and what is traded of it."""
    state, slices = await engine.queries.slices(order_id, account)
    return SlicesOut.of(state, slices)
