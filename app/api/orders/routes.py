"""`/v1/orders`: accept, show, list, pause, resume, replace, cancel."""

from __future__ import annotations

import re
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request, Response
from fastapi.routing import APIRoute
from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError, from_json
from starlette.exceptions import HTTPException
from starlette.types import Receive, Scope, Send

from app.api.access.callers import AccountDep, account_for, caller_in
from app.api.audit import audited
from app.api.codes import BODY, KNOWN_ORDER, QUERY, STORE, TIMES
from app.api.headers import header_of
from app.api.openapi import problems
from app.api.orders.bodies import OrderIn, OrderOut, OrdersOut
from app.api.orders.dry_run_body import DryRunOut
from app.api.orders.example import OUT_EXAMPLE
from app.api.orders.order_text import order_text
from app.api.orders.sent_twice import SentTwice
from app.api.problems import refusal
from app.api.services import EngineDep, engine_in
from app.api.values import Name, Parameters
from app.domain.errors import LemError
from app.domain.instrument import SYMBOL
from app.domain.lifecycle import Status
from app.domain.state import OrderState

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
    *(
        "foreign_account",
        "no_sessions",
        "no_usable_steps",
        "participation_infeasible",
        "unknown_model",
        "model_refused",
    ),
)

REPLACE_CODES = (
    *("unknown_order", "order_ended", "order_replaced", "size_committed", "horizon_used_up", "replaced_too_often"),
    "replace_changes_order",
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
    """Which orders. An order that has an account is found by its `client_order_id` only with it."""

    status: Status | None = None
    """Only orders that have this status now."""
    instrument: Name | None = None
    """Only orders on this instrument."""
    client_order_id: Name | None = None
    """Only the order that you gave this name."""
    account: Name | None = None
    """Only orders of this account. A key that is bound to an account sees that one's alone."""
    limit: Annotated[int, Field(ge=1, le=LIMIT_MAX)] = LIMIT_DEFAULT
    """How many orders a page has at most, 1 to 1,000."""
    cursor: Cursor | None = None
    """The `next_cursor` of the page before; the first page without it."""


class HowToSend(Parameters):
    """How an order is sent."""

    dry_run: bool = False
    """Answer the order as it would be accepted, with warnings, and take nothing. The order is refused as it would be
    otherwise."""


FOR_GOOD = HowToSend()


class OrderRoute(APIRoute):
    """Reads an order that is right itself, since FastAPI takes as long for that as the service does for all else. What
    is wrong with any other is found by FastAPI, which is given the request from its beginning."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._read_by_fastapi, self.app = self.app, self._read_here

    async def _read_here(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["query_string"]:
            await self._read_by_fastapi(scope, receive, send)
            return
        sent = SentTwice(receive)
        order = await _order_in(scope, sent)
        if order is None:
            await self._read_by_fastapi(scope, sent.again, send)
            return
        try:
            response = await post_order(order, engine_in(scope), caller_in(scope).account, FOR_GOOD)
        except LemError as error:
            response = refusal(Request(scope), error)
        await response(scope, receive, send)


async def _order_in(scope: Scope, sent: SentTwice) -> OrderIn | None:
    """None where the request is wrong, of whatever kind that is."""
    if header_of(scope, b"content-type") != b"application/json":
        return None
    try:
        return OrderIn.model_validate(from_json(await sent.body(), allow_inf_nan=False))
    except (ValueError, HTTPException):  # of the text, of its values, or of how the body came
        return None


async def post_order(
    body: OrderIn, engine: EngineDep, account: AccountDep, how: Annotated[HowToSend, Query()]
) -> Response:
    """The same `client_order_id` with the same order again is answered 200 and starts nothing; with another order it
    is a conflict (`client_order_id_reused`). With `dry_run` nothing is taken, and the answer is 200."""
    order = body.to_domain(account)
    audited(order_id=order.order_id, client_order_id=order.client_order_id)
    if how.dry_run:
        audited(dry_run="true")
        told = DryRunOut.of_run(await engine.dry_runs.run(order))
        return Response(told.model_dump_json(), media_type="application/json")
    state, created = await engine.orders.submit(order)
    return Response(order_text(state), 201 if created else 200, media_type="application/json")


router.add_api_route(
    "/v1/orders",
    post_order,
    response_model=OrderOut,
    status_code=201,
    summary="Send an order",
    responses={
        200: {
            "model": OrderOut | DryRunOut,
            "description": "Known already: the order as it stands; or a dry run",
            "content": {"application/json": {"example": OUT_EXAMPLE}},
        },
        **problems(*BODY, *QUERY, *TIMES, *ORDER_CODES, *STORE),
    },
    methods=["POST"],
    route_class_override=OrderRoute,
)


@router.get(
    "/v1/orders", summary="A page of orders", responses=problems(*QUERY, "bad_cursor", "foreign_account", *STORE)
)
async def list_orders(wanted: Annotated[Wanted, Query()], engine: EngineDep, account: AccountDep) -> OrdersOut:
    """The orders that fit all that is asked for, by instrument and, within it, in order of acceptance."""
    asked = wanted.model_dump() | {"account": account_for(account, wanted.account)}
    page = await engine.queries.orders(**asked)
    return OrdersOut(orders=[OrderOut.of(each) for each in page.orders], next_cursor=page.next_cursor)


@router.get("/v1/orders/{order_id}", summary="One order", responses=problems(*KNOWN_ORDER))
async def get_order(order_id: OrderId, engine: EngineDep, account: AccountDep) -> OrderOut:
    """The order as it stands: its status, what is filled of it, its benchmark and slippage so far."""
    return OrderOut.of(await engine.queries.order(order_id, account))


@router.post(
    "/v1/orders/{order_id}/cancel",
    summary="Cancel an order",
    responses=problems(*KNOWN_ORDER, "order_ended", "order_replaced"),
)
async def cancel_order(order_id: OrderId, engine: EngineDep, account: AccountDep) -> OrderOut:
    """No further slice. Twice is once; an order that has ended otherwise is a conflict (`order_ended`)."""
    return _told(await engine.orders.cancel(order_id, account))


@router.post(
    "/v1/orders/{order_id}/pause",
    summary="Pause an order",
    responses=problems(*KNOWN_ORDER, "order_ended", "order_replaced"),
)
async def pause_order(order_id: OrderId, engine: EngineDep, account: AccountDep) -> OrderOut:
    """Nothing is to be traded until the order resumes: its steps go on with empty slices, and its benchmark too. A
    slice whose window has begun stays in flight. Twice is once; an order that has ended is a conflict (`order_ended`).
    """
    return _told(await engine.orders.pause(order_id, account))


@router.post(
    "/v1/orders/{order_id}/resume",
    summary="Resume an order",
    responses=problems(*KNOWN_ORDER, "order_ended", "order_replaced"),
)
async def resume_order(order_id: OrderId, engine: EngineDep, account: AccountDep) -> OrderOut:
    """The rest of the order is scheduled over the steps that are left, from the next window on. Twice is once, and an
    order that is not paused stays as it is."""
    return _told(await engine.orders.resume(order_id, account))


@router.post(
    "/v1/orders/{order_id}/replace",
    status_code=201,
    summary="Replace an order",
    responses={
        200: {"model": OrderOut, "description": "Known already: the new order as it stands"},
        **problems(*BODY, *TIMES, *QUERY, *ORDER_CODES, *STORE, *REPLACE_CODES),
    },
)
async def replace_order(
    order_id: OrderId, body: OrderIn, engine: EngineDep, account: AccountDep, response: Response
) -> OrderOut:
    """The whole order is sent again, under a new `client_order_id`, and goes on in the place of the old one: with what
    is filled and in flight, the steps that have passed, the benchmark and the arrival price. The rest is scheduled anew
    over the steps that are left. Idempotent by the new `client_order_id`. What is reported for the slices of the old
    order moves the new one. Instrument, side, account, `fills` and which of `quantity` and `notional` is given stay
    what they were, and so do `start_time` and the length of the steps once the order has begun."""
    order = body.to_domain(account)
    audited(client_order_id=order.client_order_id)
    state, created = await engine.replaces.replace(order_id, order, account)
    if not created:
        response.status_code = 200
    return OrderOut.of(state)


def _told(state: OrderState) -> OrderOut:
    audited(client_order_id=state.order.client_order_id)
    return OrderOut.of(state)
