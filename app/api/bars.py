"""`POST /v1/bars`: closed market bars, as one JSON document or as one bar a line."""

from __future__ import annotations

from typing import Annotated, Any, Self

from fastapi import APIRouter, Depends, Request
from fastapi.exceptions import RequestValidationError
from pydantic import ConfigDict, Field, ValidationError
from pydantic.config import JsonDict
from starlette.exceptions import HTTPException

from app.api.codes import BODY, STORE, TIMES
from app.api.json_text import (
    commas_of,
    located,
    parsed,
    parsed_line,
    read_items,
    require_commas,
    require_few_fields,
    require_few_values,
)
from app.api.openapi import REF, problems
from app.api.services import EngineDep
from app.api.values import Answer, DecimalIn, Edge, Name, TimeIn
from app.engine.results import FeedBar, Ingested

router = APIRouter(tags=["bars"])

BARS_MAX = 10_000
VALUES_MAX = 16 * BARS_MAX
"""Of one request: a bar has nine fields."""
LINES_MAX = 2 * BARS_MAX
"""Of one request, blank ones among them."""
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


class _Document(Edge):
    """A request's JSON document whose bars are still to be read."""

    bars: Annotated[list[Any], Field(min_length=1, max_length=BARS_MAX)]


async def _read(request: Request) -> list[FeedBar]:
    """The body's bars, in its order. One wrong bar refuses the whole request, and the problem points to that bar."""
    kind = request.headers.get("content-type", "").split(";")[0].strip().lower()
    if kind not in (JSON, NDJSON):
        raise HTTPException(415, f"bars are sent with content-type: {JSON} or {NDJSON}")
    body = await request.body()
    require_few_values(body, VALUES_MAX)
    return await (_of_document(body) if kind == JSON else _of_lines(body))


async def _of_document(body: bytes) -> list[FeedBar]:
    try:
        items = _Document.model_validate(require_few_fields(parsed(body))).bars
    except ValidationError as error:
        raise located(error) from error
    bars = await read_items(items, _bar, ["bars"])
    require_commas(body, len(items) - 1 + sum(map(commas_of, items)))
    return bars


async def _of_lines(body: bytes) -> list[FeedBar]:
    """One bar a line; blank lines are skipped. Errors point to a line as if the lines were the list `bars`."""
    lines = [line for line in body.split(b"\n", LINES_MAX) if line.strip()]
    if not 1 <= len(lines) <= BARS_MAX:
        code = "too_many" if lines else "empty"
        detail = f"a request has 1 to {BARS_MAX} bars, not {len(lines)}"
        raise RequestValidationError([{"type": code, "loc": ("body", "bars"), "msg": detail}])
    return await read_items(lines, _bar_of_line, ["bars"])


def _bar_of_line(line: bytes) -> FeedBar:
    item = parsed_line(line)
    bar = _bar(item)
    require_commas(line, commas_of(item))
    return bar


def _bar(item: Any) -> FeedBar:
    return BarIn.model_validate(require_few_fields(item)).to_feed()


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
