"""What the OMS traded, for orders with `fills: "reported"`: `POST /v1/orders/{order_id}/fills`, and
`POST /v1/orders/{order_id}/slices/{step}/close` once no more fills come for a slice."""

from __future__ import annotations

from fastapi import APIRouter, Response
from pydantic import ConfigDict, Field
from pydantic.config import JsonDict

from app.api.audit import audited
from app.api.codes import BODY, KNOWN_ORDER, STORE, TIMES
from app.api.openapi import problems
from app.api.orders.bodies import OUT_EXAMPLE, OrderOut
from app.api.orders.routes import OrderId
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
    """`quantity` is base units, `price` quote currency per unit."""

    model_config = ConfigDict(json_schema_extra={"examples": [EXAMPLE]})

    execution_id: Name
    slice_id: Name
    quantity: PositiveIn
    price: PositiveIn
    executed_at: TimeIn

    def to_domain(self) -> Fill:
        return Fill(**dict(self))


class FillOut(OrderOut):
    """The order once the fill is booked. `warnings` say what is odd about the fill."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [OUT_EXAMPLE | {"fills": "reported", "warnings": ["below_lot"]}]}
    )

    warnings: list[FillWarning] = Field(default_factory=list)


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
    audited(execution_id=body.execution_id)
    booked = await engine.fills.report(order_id, body.to_domain())
    audited(client_order_id=booked.order.order.client_order_id)
    if not booked.new:
        response.status_code = 200
    return FillOut.of(booked.order).model_copy(update={"warnings": list(booked.fill.warnings)})


@router.post(
    "/v1/orders/{order_id}/slices/{step}/close",
    summary="Close a slice",
    responses=problems(*KNOWN_ORDER, "unknown_step", "fills_assumed"),
)
async def close_slice(order_id: OrderId, step: int, engine: EngineDep) -> OrderOut:
    """No more fills come for the slice: what is not reported of it may be asked for again. Twice is once. A fill that
    comes all the same is booked."""
    state = await engine.fills.close(order_id, step)
    audited(client_order_id=state.order.client_order_id)
    return OrderOut.of(state)
