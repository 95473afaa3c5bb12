"""`POST /v1/bars`: closed market bars, as one JSON document or as one bar a line."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, Self

from fastapi import APIRouter, Depends, Request
from fastapi.exceptions import RequestValidationError
from pydantic import ConfigDict, Field, ValidationError
from pydantic.config import JsonDict
from starlette.exceptions import HTTPException

from app.api.codes import BODY, STORE, TIMES
from app.api.openapi import REF, problems
from app.api.services import EngineDep
from app.api.values import Answer, DecimalIn, Edge, Name, TimeIn
from app.engine.results import FeedBar, Ingested

router = APIRouter(tags=["bars"])

BARS_MAX = 10_000
BAR_CODES = (
    *("unknown_instrument", "bar_conflict", "bar_out_of_order", "bar_not_closed", "bar_too_old", "misaligned_bar"),
    *("high_below_low", "price_outside_range", "outside_calendar", "empty", "too_many"),
)
JSON, NDJSON = "application/json", "application/x-ndjson"

EXAMPLE: JsonDict = {
    "instrument": "BTC-USDT",
    "open_time": "2025-01-06T14:15:00Z",
    "open": "100150",
    "high": "100320.5",
    "low": "100101",
    "close": "100200",
    "volume": "182.51",
    "notional": "18287046.3",
    "trades": 31220,
}


class BarIn(Edge):
    """`open_time` starts the bar's window. Prices and `notional` are quote currency, `volume` base units."""

    model_config = ConfigDict(json_schema_extra={"examples": [EXAMPLE]})

    instrument: Name
    open_time: TimeIn
    open: DecimalIn
    high: DecimalIn
    low: DecimalIn
    close: DecimalIn
    volume: DecimalIn
    notional: DecimalIn | None = None
    trades: Annotated[int, Field(ge=0, le=2**53)] | None = None

    def to_feed(self) -> FeedBar:
        return FeedBar(**dict(self))


class BarsIn(Edge):
    bars: Annotated[list[BarIn], Field(min_length=1, max_length=BARS_MAX)]


class IngestedOut(Answer):
    """`accepted` bars are new, `duplicates` were known and identical; `gaps_filled` counts the marked bars that stand
    for missing ones."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"accepted": 1, "duplicates": 0, "gaps_filled": 0}]})

    accepted: int
    duplicates: int
    gaps_filled: int

    @classmethod
    def of(cls, ingested: Ingested) -> Self:
        return cls.model_validate(ingested, from_attributes=True)


async def _read(request: Request) -> list[FeedBar]:
    """The body's bars, in its order. One wrong bar refuses the whole request, and the problem points to that bar."""
    kind = request.headers.get("content-type", "").split(";")[0].strip().lower()
    if kind not in (JSON, NDJSON):
        raise HTTPException(415, f"bars are sent with content-type: {JSON} or {NDJSON}")
    body = await request.body()
    try:
        bars = BarsIn.model_validate_json(body).bars if kind == JSON else list(_lines(body))
    except ValidationError as error:
        raise RequestValidationError([entry | {"loc": ("body", *entry["loc"])} for entry in error.errors()]) from error
    return [bar.to_feed() for bar in bars]


def _lines(body: bytes) -> Iterator[BarIn]:
    """One bar a line; blank lines are skipped. Errors point to a line as if the lines were the list `bars`."""
    lines = [line for line in body.split(b"\n") if line.strip()]
    if not 1 <= len(lines) <= BARS_MAX:
        code = "too_many" if lines else "empty"
        detail = f"a request has 1 to {BARS_MAX} bars, not {len(lines)}"
        raise RequestValidationError([{"type": code, "loc": ("body", "bars"), "msg": detail}])
    for index, line in enumerate(lines):
        try:
            yield BarIn.model_validate_json(line)
        except ValidationError as error:
            errors = [entry | {"loc": ("body", "bars", index, *entry["loc"])} for entry in error.errors()]
            raise RequestValidationError(errors) from error


_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            JSON: {"schema": {"$ref": REF.format(model="BarsIn")}, "example": {"bars": [EXAMPLE]}},
            NDJSON: {"schema": {"type": "string", "description": "one bar a line, each as in `BarsIn.bars`"}},
        },
    }
}


@router.post(
    "/v1/bars",
    summary="Post closed bars",
    openapi_extra=_BODY,
    responses=problems(*BODY, *TIMES, *BAR_CODES, *STORE),
)
async def post_bars(bars: Annotated[list[FeedBar], Depends(_read)], engine: EngineDep) -> IngestedOut:
    """All or nothing, and idempotent. At the answer the bars are durable, and every slice that follows from them is
    decided and committed."""
    return IngestedOut.of(await engine.bars.post(bars))
