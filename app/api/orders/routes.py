"""`/v1/orders`: accept, show, list, cancel."""

from __future__ import annotations

import re
from collections.abc import Callable, Coroutine
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request, Response
from fastapi.routing import APIRoute
from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError, from_json

from app.api.codes import BODY, KNOWN_ORDER, QUERY, STORE, TIMES
from app.api.headers import header_of
from app.api.openapi import problems
from app.api.orders.bodies import OrderIn, OrderOut, OrdersOut
from app.api.services import EngineDep, engine_of
from app.api.values import Name, Parameters
from app.domain.instrument import SYMBOL
from app.domain.lifecycle import Status

router = APIRouter(tags=["orders"])

LIMIT_DEFAULT, LIMIT_MAX = 100, 1_000

ORDER_CODES = (
    *("unknown_instrument", "client_order_id_reused", "no_bars", "too_many_orders", "size_missing", "size_ambiguous"),
    *("unknown_value", "not_whole_lots", "too_many_lots", "below_min_notional", "bad_horizon", "horizon_inverted"),
    *("horizon_too_long", "step_seconds_unsupported", "start_time_too_far", "outside_calendar", "above_one"),
    *(
        "horizon_too_short",
        "horizon_ambiguous",
        "slice_cap_infeasible",
        "off_tick",
        "start_time_past",
        "above_max_order_notional",
        "size_implausible",
    ),
)

CURSOR = rf"^([0-9]{{1,15}}\.{SYMBOL.pattern})?$"

ORDER_ID_MAX = 64
OrderId = Annotated[str, Path(max_length=ORDER_ID_MAX, description="Our name of the order, as it was answered.")]
Step = Annotated[int, Path(description="Number of the step, counted from 1.")]


def _known_cursor(cursor: str) -> str:
    if not re.fullmatch(CURSOR, cursor):
        raise PydanticCustomError("bad_cursor", "the cursor is not one that a page gave")
    return cursor


Cursor = Annotated[str, Field(max_length=256, json_schema_extra={"pattern": CURSOR}), AfterValidator(_known_cursor)]


class Wanted(Parameters):
    """Which orders."""

    status: Status | None = None
    """Only orders that have this status now."""
    instrument: Name | None = None
    """Only orders on this instrument."""
    client_order_id: Name | None = None
    """Only the order that you gave this name."""
    limit: Annotated[int, Field(ge=1, le=LIMIT_MAX)] = LIMIT_DEFAULT
    """How many orders a page has at most, 1 to 1,000."""
    cursor: Cursor | None = None
    """The `next_cursor` of the page before; the first page without it."""


class OrderRoute(APIRoute):
    """Reads an order that is right itself, since FastAPI takes as long for that as the service does for all else. What
    is wrong with any other is found by FastAPI."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        read_by_fastapi = super().get_route_handler()

        async def handler(request: Request) -> Response:
            if header_of(request.scope, b"content-type") != b"application/json":
                return await read_by_fastapi(request)
            try:
                body = OrderIn.model_validate(from_json(await request.body(), allow_inf_nan=False))
            except ValueError:  # of the text or of its values
                return await read_by_fastapi(request)
            return await post_order(body, engine_of(request))

        return handler


async def post_order(body: OrderIn, engine: EngineDep) -> Response:
    """The same `client_order_id` with the same order again is answered 200 and starts nothing; with another order it
    is a conflict (`client_order_id_reused`)."""
    state, created = await engine.orders.submit(body.to_domain())
    return Response(OrderOut.of(state).model_dump_json(), 201 if created else 200, media_type="application/json")


router.add_api_route(
    "/v1/orders",
    post_order,
    response_model=OrderOut,
    status_code=201,
    summary="Send an order",
    responses={
        200: {"model": OrderOut, "description": "Known already: the order as it stands"},
        **problems(*BODY, *TIMES, *ORDER_CODES, *STORE),
    },
    methods=["POST"],
    route_class_override=OrderRoute,
)


@router.get("/v1/orders", summary="A page of orders", responses=problems(*QUERY, "bad_cursor", *STORE))
async def list_orders(wanted: Annotated[Wanted, Query()], engine: EngineDep) -> OrdersOut:
    """The orders that fit all that is asked for, by instrument and, within it, in order of acceptance."""
    page = await engine.queries.orders(**wanted.model_dump())
    return OrdersOut(orders=[OrderOut.of(each) for each in page.orders], next_cursor=page.next_cursor)


@router.get("/v1/orders/{order_id}", summary="One order", responses=problems(*KNOWN_ORDER))
async def get_order(order_id: OrderId, engine: EngineDep) -> OrderOut:
    """The order as it stands: its status, what is filled of it, its benchmark and slippage so far."""
    return OrderOut.of(await engine.queries.order(order_id))


@router.post(
    "/v1/orders/{order_id}/cancel",
    summary="Cancel an order",
    responses=problems(*KNOWN_ORDER, "order_ended"),
)
async def cancel_order(order_id: OrderId, engine: EngineDep) -> OrderOut:
    """No further slice. Twice is once; an order that has ended otherwise is a conflict (`order_ended`)."""
    return OrderOut.of(await engine.orders.cancel(order_id))
