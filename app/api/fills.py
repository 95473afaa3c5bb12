"""`POST /v1/orders/{order_id}/fills`: what the OMS traded, for orders with `fills: "reported"`."""

from __future__ import annotations

from fastapi import APIRouter, Response
from pydantic import ConfigDict
from pydantic.config import JsonDict

from app.api.codes import BODY, STORE, TIMES
from app.api.openapi import problems
from app.api.orders.bodies import OrderOut
from app.api.orders.routes import OrderId
from app.api.services import EngineDep
from app.api.values import DecimalIn, Edge, Name, TimeIn
from app.domain.fills import Fill

router = APIRouter(tags=["orders"])

FILL_CODES = ("unknown_order", "unknown_slice", "fills_assumed", "fill_exceeds_slice", "execution_id_reused")

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
    quantity: DecimalIn
    price: DecimalIn
    executed_at: TimeIn

    def to_domain(self) -> Fill:
        return Fill(**dict(self))


@router.post(
    "/v1/orders/{order_id}/fills",
    status_code=201,
    summary="Report a fill",
    responses={
        200: {"model": OrderOut, "description": "Known already: the order as it stands"},
        **problems(*BODY, *TIMES, *FILL_CODES, *STORE),
    },
)
async def post_fill(order_id: OrderId, body: FillIn, engine: EngineDep, response: Response) -> OrderOut:
    """Idempotent by `execution_id`. One may come late, even after a cancel: the status stays, quantities move."""
    state, created = await engine.fills.report(order_id, body.to_domain())
    if not created:
        response.status_code = 200
    return OrderOut.of(state)
