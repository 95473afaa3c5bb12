"""What the OMS traded, for orders with `fills: "reported"`: `POST /v1/orders/{order_id}/fills`, and
`POST /v1/orders/{order_id}/slices/{step}/close` once no more fills come for a slice."""

from __future__ import annotations

from typing import Annotated, Self

from fastapi import APIRouter, Path, Response
from pydantic import ConfigDict, Field
from pydantic.config import JsonDict
from starlette.convertors import PathConvertor, register_url_convertor

from app.api.access.callers import AccountDep
from app.api.audit import audited
from app.api.codes import BODY, KNOWN_ORDER, STORE, TIMES
from app.api.openapi import problems
from app.api.orders.bodies import OrderOut
from app.api.orders.example import OUT_EXAMPLE
from app.api.orders.routes import OrderId, Step
from app.api.services import EngineDep
from app.api.slices.bodies import ORDER_ID
from app.api.values import NAME_LENGTH_MAX, NAME_PATTERN, Answer, DecimalOut, Edge, Name, PositiveIn, TimeIn, TimeOut
from app.domain.fills import Fill, FillWarning
from app.engine.results import BookedFill


class _TextConvertor(PathConvertor):
    """A part of a path that may hold any letter, as the names that others give do: also slashes and ends of lines."""

    regex = r"[\s\S]*"


register_url_convertor("text", _TextConvertor())
router = APIRouter(tags=["orders"])

EXECUTION_TOLD = "Your name of the execution; a slash in it is written `%2F`."
ExecutionId = Annotated[str, Path(max_length=NAME_LENGTH_MAX, pattern=NAME_PATTERN, description=EXECUTION_TOLD)]

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


class CorrectionIn(Edge):
    """What an execution was in truth."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"quantity": "0.3", "price": "100187.5"}]})

    quantity: PositiveIn
    """What was traded, in base units; above 0."""
    price: PositiveIn
    """In quote currency per unit; above 0."""
    executed_at: TimeIn | None = None
    """When it was traded: RFC 3339 with an offset. It stays as it was reported where it is not given."""


class ReportOut(Answer):
    """What was reported first of an execution that was corrected."""

    quantity: DecimalOut
    """In base units."""
    price: DecimalOut
    """In quote currency per unit."""
    executed_at: TimeOut
    """When it was traded."""


BOOKED_EXAMPLE: JsonDict = EXAMPLE | {"warnings": [], "busted": False, "original": None}


class BookedFillOut(Answer):
    """A fill as it counts now."""

    model_config = ConfigDict(json_schema_extra={"examples": [BOOKED_EXAMPLE]})

    execution_id: str
    """Your name of the execution."""
    slice_id: str
    """The slice that was traded."""
    quantity: DecimalOut
    """In base units."""
    price: DecimalOut
    """In quote currency per unit."""
    executed_at: TimeOut
    """When it was traded."""
    warnings: list[FillWarning]
    """What is odd about the fill."""
    busted: bool
    """Whether the fill counts for nothing."""
    original: ReportOut | None
    """What was reported first; null where the fill was not corrected."""

    @classmethod
    def of(cls, fill: Fill) -> Self:
        return cls(
            execution_id=fill.execution_id,
            slice_id=fill.slice_id,
            quantity=fill.quantity,
            price=fill.price,
            executed_at=fill.executed_at,
            warnings=list(fill.warnings),
            busted=fill.busted,
            original=ReportOut.model_validate(fill.original, from_attributes=True) if fill.original else None,
        )


class FillsOut(Answer):
    """What was reported of the order."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"order_id": ORDER_ID, "fills": [BOOKED_EXAMPLE]}]})

    order_id: str
    """Our name of the order."""
    fills: list[BookedFillOut]
    """By the time of execution."""


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
async def post_fill(
    order_id: OrderId, body: FillIn, engine: EngineDep, account: AccountDep, response: Response
) -> FillOut:
    """Idempotent by `execution_id`. No fill is refused for being too much or too late: what its slice does not have in
    flight is booked as `over_filled`. After the order's end, such as a cancel, the status stays and quantities move."""
    audited(execution_id=body.execution_id)
    booked = await engine.fills.report(order_id, body.to_domain(), account)
    if not booked.new:
        response.status_code = 200
    return _answer(booked)


def _answer(booked: BookedFill) -> FillOut:
    audited(client_order_id=booked.order.order.client_order_id, execution_id=booked.fill.execution_id)
    return FillOut.of(booked.order).model_copy(update={"warnings": list(booked.fill.warnings)})


@router.get("/v1/orders/{order_id}/fills", summary="All fills of an order", responses=problems(*KNOWN_ORDER))
async def get_fills(order_id: OrderId, engine: EngineDep, account: AccountDep) -> FillsOut:
    """Those that were reported; an order whose fills are assumed has none."""
    fills = await engine.queries.fills(order_id, account)
    return FillsOut(order_id=order_id, fills=[BookedFillOut.of(fill) for fill in fills])


@router.post(
    "/v1/orders/{order_id}/fills/{execution_id:text}/bust",
    summary="Bust a fill",
    responses=problems(*KNOWN_ORDER, "unknown_execution", "fills_assumed"),
)
async def bust_fill(order_id: OrderId, execution_id: ExecutionId, engine: EngineDep, account: AccountDep) -> FillOut:
    """The execution was annulled: the fill counts for nothing, and what is left of the order is asked for again. A
    completed order goes on with its next window; where that has opened already, it is expired with what is left. Twice
    is once."""
    return _answer(await engine.fills.bust(order_id, execution_id, account))


@router.post(
    "/v1/orders/{order_id}/fills/{execution_id:text}/correct",
    summary="Correct a fill",
    responses=problems(
        *(*BODY, *TIMES, *KNOWN_ORDER, "unknown_execution", "fills_assumed", "fill_busted"),
        *("price_implausible", "executed_at_implausible"),
    ),
)
async def correct_fill(
    order_id: OrderId, execution_id: ExecutionId, body: CorrectionIn, engine: EngineDep, account: AccountDep
) -> FillOut:
    """The execution was of another quantity or price. The same correction twice is once; a busted fill cannot be
    corrected (`fill_busted`)."""
    return _answer(await engine.fills.correct(order_id, execution_id, account=account, **dict(body)))


@router.post(
    "/v1/orders/{order_id}/slices/{step}/close",
    summary="Close a slice",
    responses=problems(*KNOWN_ORDER, "unknown_step", "fills_assumed"),
)
async def close_slice(order_id: OrderId, step: Step, engine: EngineDep, account: AccountDep) -> OrderOut:
    """No more fills come for the slice: what is not reported of it may be asked for again. Twice is once. A fill that
    comes all the same is booked."""
    state = await engine.fills.close(order_id, step, account)
    audited(client_order_id=state.order.client_order_id)
    return OrderOut.of(state)
