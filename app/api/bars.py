"""`POST /v1/bars`: closed market bars, as one JSON document or as one bar a line; all of them, or those that are
right."""

from __future__ import annotations

from typing import Annotated, Any, Self

from fastapi import APIRouter, Depends, Query, Request
from fastapi.exceptions import RequestValidationError
from pydantic import ConfigDict, Field, ValidationError
from pydantic.config import JsonDict
from starlette.exceptions import HTTPException

from app.api.bar_parts import ReadBars, all_read, read_all, read_apart
from app.api.codes import BODY, STORE, TIMES
from app.api.headers import media_type_of
from app.api.json_text import (
    commas_of,
    located,
    parsed,
    parsed_line,
    require_commas,
    require_few_fields,
    require_few_values,
    require_flat_objects,
    require_line_commas,
)
from app.api.openapi import REF, problems
from app.api.services import EngineDep
from app.api.values import WHOLE, Answer, Edge, Name, NotNegativeIn, Parameters, PositiveIn, TimeIn
from app.engine.results import FeedBar, Ingested

router = APIRouter(tags=["bars"])

BARS_MAX = 10_000
VALUES_MAX = 16 * BARS_MAX
"""Of one request: a bar has nine fields."""
LINES_MAX = 2 * BARS_MAX
"""Of one request, blank ones among them."""
BAR_CODES = (
    *("unknown_instrument", "bar_out_of_order", "bar_not_closed", "bar_too_far_ahead", "bar_too_old", "misaligned_bar"),
    *("high_below_low", "price_outside_range", "outside_calendar", "empty", "too_many", "too_many_gaps"),
    "feed_too_fast",
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
    """A closed bar of one instrument."""

    model_config = ConfigDict(json_schema_extra={"examples": [EXAMPLE]})

    instrument: Name
    """Symbol of a registered instrument."""
    open_time: TimeIn
    """Start of the bar's window: RFC 3339 with an offset, from 1970-01-02 on. A window of the instrument's calendar
    must open then."""
    open: PositiveIn
    """First price of the window, in quote currency for one base unit; above 0."""
    high: PositiveIn
    """Highest price, in quote currency; above 0 and not below any other price of the bar."""
    low: PositiveIn
    """Lowest price, in quote currency; above 0 and not above any other price of the bar."""
    close: PositiveIn
    """Last price, in quote currency; above 0."""
    volume: NotNegativeIn
    """What the market traded in the window, in base units; at least 0."""
    notional: NotNegativeIn | None = None
    """Price times volume summed over the bar's trades, in quote currency; at least 0. Leave it out where the feed does
    not know it."""
    trades: Annotated[int, Field(ge=0, le=2**53), WHOLE] | None = None
    """Number of trades in the window; at least 0. Leave it out where the feed does not know it."""

    def to_feed(self) -> FeedBar:
        return FeedBar(**dict(self))


class BarsIn(Edge):
    """Closed bars, all of which are taken or none."""

    bars: Annotated[list[BarIn], Field(min_length=1, max_length=BARS_MAX)]
    """1 to 10,000 closed bars, in any order, of one or of several instruments."""


class RejectedBarOut(Answer):
    """A bar that was not taken, and why."""

    index: int
    """Place of the bar in the request, counted from 0."""
    code: str
    """Stable code of what is wrong, as in a problem."""
    detail: str
    """What is wrong, in words for people."""


class IngestedOut(Answer):
    """What became of the bars."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"accepted": 1, "duplicates": 0, "gaps_filled": 0, "revised": 0}]}
    )

    accepted: int
    """Number of bars that are new."""
    duplicates: int
    """Number of bars that were known with the same values."""
    gaps_filled: int
    """Number of marked bars, without volume, that now stand for missing ones."""
    revised: int
    """Number of bars that are recorded with other values. The new values are recorded beside them and change nothing
    that is decided."""
    rejected: list[RejectedBarOut] | None = None
    """The bars that were left out; there where the request is `partial`."""
    decided: bool | None = None
    """There, and false, where another process decides on some of the bars and has not within 5 seconds: the bars are
    durable, and their slices follow."""

    @classmethod
    def of(cls, ingested: Ingested, *, partial: bool) -> Self:
        told = cls.model_validate(ingested, from_attributes=True)
        left_out = ({} if partial else {"rejected": None}) | ({"decided": None} if told.decided else {})
        return told.model_copy(update=left_out)


async def _body(request: Request) -> bytes:
    if media_type_of(request.scope) not in (JSON, NDJSON):
        raise HTTPException(415, f"bars are sent with content-type: {JSON} or {NDJSON}")
    return await request.body()


class Manner(Parameters):
    """How the bars of a request are taken."""

    partial: bool = False
    """Take the bars that are right, and say which are not."""


class _Document(Edge):
    """A request's JSON document whose bars are read one by one."""

    bars: Annotated[list[Any], Field(min_length=1, max_length=BARS_MAX)]


async def _read_bars(request: Request, manner: Annotated[Manner, Query()]) -> ReadBars:
    """The body's bars, in its order. With `partial` those that are right; otherwise one wrong bar refuses the whole
    request, and the problem points to that bar. Errors point to a line as if the lines were the list `bars`."""
    body, partial = await _body(request), manner.partial
    require_few_values(body, VALUES_MAX)
    require_flat_objects(body)
    if media_type_of(request.scope) == NDJSON:
        lines = _split(body)
        return await read_apart(lines, _bar_of_line) if partial else all_read(await read_all(lines, _bar_of_line))
    items = _split_document(body)
    read = await read_apart(items, read_bar) if partial else all_read(await read_all(items, read_bar))
    if not read.rejected:
        require_commas(body, len(items) - 1 + sum(map(commas_of, items)))
    return read


def _split(body: bytes) -> list[bytes]:
    """The lines of a body; blank ones are skipped."""
    lines = [line for line in body.split(b"\n", LINES_MAX) if line.strip()]
    if not 1 <= len(lines) <= BARS_MAX:
        code = "too_many" if lines else "empty"
        detail = f"a request has 1 to {BARS_MAX} bars, not {len(lines)}"
        raise RequestValidationError([{"type": code, "loc": ("body", "bars"), "msg": detail}])
    return lines


def _split_document(body: bytes) -> list[Any]:
    try:
        return _Document.model_validate(require_few_fields(parsed(body))).bars
    except ValidationError as error:
        raise located(error) from error


def _bar_of_line(line: bytes) -> FeedBar:
    item = parsed_line(line)
    bar = read_bar(item)
    require_line_commas(line, commas_of(item))
    return bar


def read_bar(item: Any) -> FeedBar:
    """One bar of a document. Raises ValidationError."""
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
    response_model_exclude_none=True,
    responses=problems(*BODY, *TIMES, *BAR_CODES, *STORE),
)
async def post_bars(read: Annotated[ReadBars, Depends(_read_bars)], engine: EngineDep) -> IngestedOut:
    """All or nothing, and idempotent. At the answer the bars are durable, and every slice that follows from them is
    decided and committed. With `partial`, bars that are wrong are left out instead, and told in `rejected`; where none
    can be read, the request is refused."""
    ingested = await engine.bars.post(read.bars, partial=read.partial)
    return IngestedOut.of(read.with_its_indexes(ingested), partial=read.partial)
