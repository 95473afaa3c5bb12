"""`GET /v1/bars`: the bars of an instrument as they are stored, a page at a time."""

from __future__ import annotations

from typing import Annotated, Self

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field
from pydantic.config import JsonDict

from app.api.codes import QUERY, STORE, TIMES
from app.api.openapi import problems
from app.api.services import EngineDep
from app.api.values import Answer, DecimalOut, Name, TimeIn, TimeOut
from app.domain.bar import Bar
from app.engine.results import BarPage

router = APIRouter(tags=["bars"])

LIMIT_DEFAULT, LIMIT_MAX = 100, 1_000

EXAMPLE: JsonDict = {
    "open_time": "2025-01-06T14:15:00Z",
    "close_time": "2025-01-06T14:30:00Z",
    "open": "100150",
    "high": "100320.5",
    "low": "100101",
    "close": "100200",
    "volume": "182.51",
    "notional": "18287046.3",
    "trades": 31220,
    "synthetic": False,
}


class WantedBars(BaseModel):
    """Which bars: the newest `limit` of those that open before `before`. A page's `next_before` asks for the next."""

    model_config = ConfigDict(extra="forbid")

    instrument: Annotated[Name, Field(description="the symbol of a registered instrument", examples=["BTC-USDT"])]
    limit: Annotated[int, Field(ge=1, le=LIMIT_MAX, description="the most bars that the page may have")] = LIMIT_DEFAULT
    before: Annotated[
        TimeIn | None,
        Field(description="only bars that open earlier than this time; without it the newest", examples=[None]),
    ] = None


class StoredBarOut(Answer):
    """One bar over [open_time, close_time), as it was taken first: a later revision changes nothing of it. A
    `synthetic` bar was made by the service and stands for a missing one: no volume, at the close before it."""

    model_config = ConfigDict(json_schema_extra={"examples": [EXAMPLE]})

    open_time: Annotated[TimeOut, Field(description="when the bar's window opens")]
    close_time: Annotated[TimeOut, Field(description="when the bar's window closes, by the instrument's calendar")]
    open: Annotated[DecimalOut, Field(description="first price, in quote currency")]
    high: Annotated[DecimalOut, Field(description="highest price, in quote currency")]
    low: Annotated[DecimalOut, Field(description="lowest price, in quote currency")]
    close: Annotated[DecimalOut, Field(description="last price, in quote currency")]
    volume: Annotated[DecimalOut, Field(description="what was traded, in base units")]
    notional: Annotated[DecimalOut | None, Field(description="what was traded, in quote currency; null if not known")]
    trades: Annotated[int | None, Field(description="number of trades; null if not known")]
    synthetic: Annotated[bool, Field(description="whether the bar stands for a missing one")]

    @classmethod
    def of(cls, bar: Bar) -> Self:
        return cls.model_validate(bar, from_attributes=True)


class StoredBarsOut(Answer):
    """A page of bars, newest first."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"instrument": "BTC-USDT", "bars": [EXAMPLE], "next_before": None}]}
    )

    instrument: Annotated[str, Field(description="the instrument of all bars of the page")]
    bars: Annotated[list[StoredBarOut], Field(description="newest first")]
    next_before: Annotated[TimeOut | None, Field(description="`before` of the next page; null on the last page")]

    @classmethod
    def of(cls, symbol: str, page: BarPage) -> Self:
        return cls(instrument=symbol, bars=[StoredBarOut.of(bar) for bar in page.bars], next_before=page.next_before)


@router.get(
    "/v1/bars",
    summary="A page of stored bars",
    responses=problems(*QUERY, *TIMES, "field_missing", "unknown_instrument", *STORE),
)
async def list_bars(wanted: Annotated[WantedBars, Query()], engine: EngineDep) -> StoredBarsOut:
    """Newest first. The oldest bars make way once an instrument has as many as are kept."""
    page = await engine.stored_bars.page(wanted.instrument, wanted.before, wanted.limit)
    return StoredBarsOut.of(wanted.instrument, page)
