"""What the OMS traded, for orders with `fills: "reported"`: `POST /v1/orders/{order_id}/fills`, and
`POST /v1/orders/{order_id}/slices/{step}/close` once no more fills come for a slice."""

from __future__ import annotations

from fastapi import APIRouter, Response
from pydantic import ConfigDict, Field
from pydantic.config import JsonDict

from app.api.codes import BODY, KNOWN_ORDER, STORE, TIMES
from app.api.openapi import problems
from app.api.orders.bodies import OrderOut
from app.api.orders.example import OUT_EXAMPLE
from app.api.orders.routes import OrderId, Step
from app.api.services import EngineDep
from app.api.values import Edge, Name, PositiveIn, TimeIn
from app.domain.fills import Fill, FillWarning

router = APIRouter(tags=["orders"])

FILL_CODES = (
    *("unknown_order", "unknown_slice", "fills_assumed", "execution_id_reused"),
    *("price_implausible", "executed_at_implausible"),
)

EXAMPLE: JsonDict = {
    "execution_id": "exec-7",
    "slice_id": "0b7e9f0e-5d0b-5a53-8c4c-2f6c2d6a3c11-3",
    "quantity": "0.4",
    "price": "100187.5",
    "executed_at": "2025-01-06T14:31:07Z",
}


class FillIn(Edge):
    """What the OMS traded of a slice."""

    model_config = ConfigDict(json_schema_extra={"examples": [EXAMPLE]})

    execution_id: Name
    """Your own name of the execution, 1 to 128 printable characters. The order books it once."""
    slice_id: Name
    """The slice that was traded, as `slices/next` answered it."""
    quantity: PositiveIn
    """What was traded, in base units; above 0. It need not be whole lots."""
    price: PositiveIn
    """Price paid or received, in quote currency for one base unit; above 0 and within 10 times the last close either
    way."""
    executed_at: TimeIn
    """When it was traded: RFC 3339 with an offset, within ten years of the newest bar."""

    def to_domain(self) -> Fill:
        return Fill(**dict(self))


class FillOut(OrderOut):
    """The order once the fill is booked."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [OUT_EXAMPLE | {"fills": "reported", "warnings": ["below_lot"]}]}
    )

    warnings: list[FillWarning] = Field(default_factory=list)
    """What is odd about the fill, which is booked all the same; empty where nothing is."""


@router.post(
    "/v1/orders/{order_id}/fills",
    status_code=201,
    summary="Report a fill",
    responses={
        200: {"model": FillOut, "description": "Known already: the order as it stands"},
        **problems(*BODY, *TIMES, *FILL_CODES, *STORE),
    },
)
async def post_fill(order_id: OrderId, body: FillIn, engine: EngineDep, response: Response) -> FillOut:
    """Idempotent by `execution_id`. No fill is refused for being too much or too late: what its slice does not have in
    flight is booked as `over_filled`. After the order's end, such as a cancel, the status stays and quantities move."""
    booked = await engine.fills.report(order_id, body.to_domain())
    if not booked.new:
        response.status_code = 200
    return FillOut.of(booked.order).model_copy(update={"warnings": list(booked.fill.warnings)})


@router.post(
    "/v1/orders/{order_id}/slices/{step}/close",
    summary="Close a slice",
    responses=problems(*KNOWN_ORDER, "unknown_step", "fills_assumed"),
)
async def close_slice(order_id: OrderId, step: Step, engine: EngineDep) -> OrderOut:
    """No more fills come for the slice: what is not reported of it may be asked for again. Twice is once. A fill that
    comes all the same is booked."""
    return OrderOut.of(await engine.fills.close(order_id, step))
