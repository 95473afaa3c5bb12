"""`/v1/orders/{order_id}/tca` and `/v1/tca`: what orders cost, held against the market."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from pydantic import Field

from app.api.access.callers import AccountDep, account_for
from app.api.analyses.accepted import Format, format_of
from app.api.analyses.bodies import AnalysisOut
from app.api.analyses.tables import as_csv, as_parquet
from app.api.analyses.totals_bodies import AnalysesOut
from app.api.codes import KNOWN_ORDER, QUERY, STORE, TIMES
from app.api.openapi import problems
from app.api.orders.routes import OrderId
from app.api.services import EngineDep
from app.api.values import Name, Parameters, TimeIn
from app.domain.lifecycle import Status
from app.domain.order import HORIZON_STEPS_MAX, Benchmark, Side, SizeMode
from app.engine.analyses import AnalysedOrder, WantedOrders

router = APIRouter(tags=["orders"])

TABLES: dict[int | str, dict[str, Any]] = {
    200: {
        "content": {
            Format.CSV.value: {"schema": {"type": "string"}},
            Format.PARQUET.value: {"schema": {"type": "string", "format": "binary"}},
        }
    }
}


class WantedQuery(Parameters):
    """Which orders; all that are recorded without it."""

    status: Status | None = None
    """Only orders that have this status now."""
    instrument: Name | None = None
    """Only orders on this instrument."""
    account: Name | None = None
    """Only orders of this account. A key that is bound to an account sees that one's alone."""
    side: Side | None = None
    """Only buys, or only sells."""
    benchmark: Benchmark | None = None
    """Only orders that are held against it."""
    size_mode: SizeMode | None = None
    """Only orders that fix their quantity, or their notional."""
    min_steps: Annotated[int, Field(ge=1, le=HORIZON_STEPS_MAX)] | None = None
    """Only orders with this `min_steps`; at least 1."""
    model: Name | None = None
    """Only orders of which it has decided a slice, such as `lem-2@4a719f3ad3ca`."""
    final: bool | None = None
    """Only orders whose figures will not change, or only the others."""
    started_from: TimeIn | None = None
    """Only orders whose first window opened then or later: RFC 3339 with an offset."""
    started_before: TimeIn | None = None
    """Only orders whose first window opened before: RFC 3339 with an offset."""


@router.get(
    "/v1/orders/{order_id}/tca",
    summary="What one order cost",
    response_model=AnalysisOut,
    responses={**TABLES, **problems(*KNOWN_ORDER, "not_acceptable")},
)
async def get_analysis(order_id: OrderId, request: Request, engine: EngineDep, account: AccountDep) -> Response:
    """While the order works the figures are of its closed windows. `Accept: text/csv` or
    `application/vnd.apache.parquet` asks for a table of one row."""
    wanted = format_of(request.scope)
    analysed = await engine.analyses.of_order(order_id, account)
    if wanted is Format.JSON:
        return Response(AnalysisOut.of(analysed).model_dump_json(), media_type=wanted)
    return _table([analysed], wanted)


@router.get(
    "/v1/tca",
    summary="What many orders cost",
    response_model=AnalysesOut,
    responses={**TABLES, **problems(*QUERY, *TIMES, "not_acceptable", "too_many_to_analyse", *STORE)},
)
async def get_analyses(
    wanted: Annotated[WantedQuery, Query()], request: Request, engine: EngineDep, account: AccountDep
) -> Response:
    """The distribution of every figure over all orders that fit, and over those that are alike: side, size mode,
    benchmark, horizon and model. `Accept: text/csv` or `application/vnd.apache.parquet` asks for the orders, a row
    each; instruments that cannot be opened now are then named in the header `X-Left-Out`."""
    shape = format_of(request.scope)
    found = await engine.analyses.of_orders(
        WantedOrders(**dict(wanted) | {"account": account_for(account, wanted.account)})
    )
    if shape is Format.JSON:
        text = await asyncio.to_thread(lambda: AnalysesOut.of(found).model_dump_json())
        return Response(text, media_type=shape)
    answer = await asyncio.to_thread(_table, found.orders, shape)
    if found.left_out:
        answer.headers["X-Left-Out"] = ",".join(found.left_out)
    return answer


def _table(orders: Sequence[AnalysedOrder], shape: Format) -> Response:
    return Response((as_csv if shape is Format.CSV else as_parquet)(orders), media_type=shape)
