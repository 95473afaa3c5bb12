"""`/v1/orders/{order_id}/slices/next` and `/schedule`: what to trade now, and what is to be expected."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field

from app.api.codes import KNOWN_ORDER
from app.api.openapi import problems
from app.api.orders.routes import OrderId
from app.api.services import EngineDep
from app.api.slices.bodies import NextSliceOut
from app.api.slices.schedule_bodies import ScheduleOut

router = APIRouter(tags=["orders"])

WAIT_SECONDS_MAX = 30.0


class WaitQuery(BaseModel):
    """`wait`: how many seconds the call may stay open until there is a slice."""

    model_config = ConfigDict(extra="forbid")

    wait: Annotated[float, Field(ge=0, le=WAIT_SECONDS_MAX)] = 0.0


@router.get(
    "/v1/orders/{order_id}/slices/next",
    summary="What to trade now",
    responses=problems(*KNOWN_ORDER, "too_many_waiters"),
)
async def next_slice(order_id: OrderId, patience: Annotated[WaitQuery, Query()], engine: EngineDep) -> NextSliceOut:
    """The slice whose window runs or comes next; the same until its bar has closed. Always 200 for a known order."""
    return NextSliceOut.of(await engine.queries.next_slice(order_id, patience.wait))


@router.get(
    "/v1/orders/{order_id}/schedule",
    summary="All steps, and what is expected",
    responses=problems(*KNOWN_ORDER),
)
async def get_schedule(order_id: OrderId, engine: EngineDep) -> ScheduleOut:
    return ScheduleOut.of(await engine.queries.schedule(order_id))
