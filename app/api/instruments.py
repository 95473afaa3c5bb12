"""`/v1/instruments`: what can be traded, and in which units."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Self

from fastapi import APIRouter, Path, Response
from pydantic import ConfigDict, Field
from pydantic.config import JsonDict
from starlette.convertors import Convertor, register_url_convertor

from app.api.codes import BODY, QUERY, STORE
from app.api.openapi import problems
from app.api.services import EngineDep
from app.api.values import WHOLE, Answer, DecimalOut, Edge, Name, NotNegativeIn, PositiveIn
from app.domain.instrument import BAR_SECONDS_MAX, SYMBOL, SYMBOL_LENGTH_MAX, Instrument
from app.domain.numbers import ZERO
from app.engine.feed_quality import Quality

router = APIRouter(tags=["instruments"])

PUT_CODES = ("bad_symbol", "bad_bar_seconds", "bad_grace_seconds", "unknown_calendar", "instrument_in_use")
GET_CODES = (*QUERY, "unknown_instrument", *STORE)

EXAMPLE: JsonDict = {
    "bar_seconds": 900,
    "lot_size": "0.00001",
    "tick_size": "0.01",
    "min_notional": "5",
    "notional_step": "0.01",
    "calendar": "24/7",
    "grace_seconds": 20,
    "max_order_notional": "50000000",
}


class Rest(Convertor[str]):
    """All that is left of a path. A symbol such as BTC/USDT comes as `BTC%2FUSDT`, which is a slash again by the time
    that routes are matched; whatever else comes, a line break too, is no symbol rather than no route."""

    regex = "(?s:.+)"

    def convert(self, value: str) -> str:
        return value

    def to_string(self, value: str) -> str:
        return value


register_url_convertor("rest", Rest())


class InstrumentIn(Edge):
    """What can be traded, and in which units."""

    model_config = ConfigDict(json_schema_extra={"examples": [EXAMPLE]})

    bar_seconds: Annotated[int, Field(json_schema_extra={"minimum": 1, "maximum": BAR_SECONDS_MAX}), WHOLE]
    """Length of the feed's bars in seconds, 1 to 86,400. Bars of 86,400 seconds on an exchange mean one session each.
    """
    lot_size: PositiveIn
    """Quantities are multiples of it, in base units; above 0."""
    tick_size: PositiveIn
    """The smallest step of a price, in quote currency; above 0."""
    min_notional: NotNegativeIn = ZERO
    """No slice is worth less than this, in quote currency, where that can be helped; at least 0."""
    notional_step: PositiveIn = Decimal("0.01")
    """Notional orders and their slices are multiples of it, in quote currency; above 0."""
    calendar: Name = "24/7"
    """`24/7`, or an exchange's code such as `XNYS`."""
    grace_seconds: Annotated[float, Field(ge=0, le=BAR_SECONDS_MAX, allow_inf_nan=False)] | None = None
    """How many seconds orders wait for a late bar before they go on without it: at least 0 and less than `bar_seconds`.
    Without it the service decides."""
    max_order_notional: PositiveIn | None = None
    """The most that one order may be worth at the last close, in quote currency; above 0. Without it an order is held
    against the market's volume."""

    def to_domain(self, symbol: str) -> Instrument:
        return Instrument(
            symbol=symbol,
            bar_seconds=self.bar_seconds,
            lot_size=self.lot_size,
            tick_size=self.tick_size,
            min_notional=self.min_notional,
            notional_step=self.notional_step,
            calendar=self.calendar,
            grace_seconds=self.grace_seconds,
            max_order_notional=self.max_order_notional,
        )


class InstrumentOut(Answer):
    """A registered instrument."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"symbol": "BTC-USDT", **EXAMPLE}]})

    symbol: str
    """Name of the instrument: letters, digits and . _ -, with a slash between parts; at most 64 characters."""
    bar_seconds: int
    """Length of the feed's bars in seconds."""
    lot_size: DecimalOut
    """Quantities are multiples of it, in base units."""
    tick_size: DecimalOut
    """The smallest step of a price, in quote currency."""
    min_notional: DecimalOut
    """No slice is worth less than this, in quote currency, where that can be helped."""
    notional_step: DecimalOut
    """Notional orders and their slices are multiples of it, in quote currency."""
    calendar: str
    """`24/7`, or an exchange's code such as `XNYS`."""
    grace_seconds: float | None
    """How many seconds orders wait for a late bar; null where the service decides."""
    max_order_notional: DecimalOut | None
    """The most that one order may be worth, in quote currency; null where an order is held against the market's volume.
    """

    @classmethod
    def of(cls, instrument: Instrument) -> Self:
        return cls.model_validate(instrument, from_attributes=True)


class InstrumentsOut(Answer):
    """The instruments of the service."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"instruments": [{"symbol": "BTC-USDT", **EXAMPLE}]}]})

    instruments: list[InstrumentOut]
    """All registered instruments."""


QUALITY_EXAMPLE: JsonDict = {
    "accepted": 35040,
    "duplicates": 12,
    "revised": 1,
    "older": 0,
    "gaps_filled": 3,
    "late": 7,
    "out_of_order": 0,
    "implausible_moves": 0,
    "refused": {"bar_not_closed": 2, "high_below_low": 1},
}


class QualityOut(Answer):
    """What came of the instrument's bars since it was registered, over all processes and restarts. Each process adds
    its counts once a minute and when it ends: those of other processes may be a minute behind."""

    model_config = ConfigDict(json_schema_extra={"examples": [QUALITY_EXAMPLE]})

    accepted: Annotated[int, Field(description="bars that were new")]
    duplicates: Annotated[int, Field(description="bars that were known, with the same values")]
    revised: Annotated[int, Field(description="bars that were known with other values; recorded beside the first ones")]
    older: Annotated[int, Field(description="of those accepted, bars from before the newest one, put into the history")]
    gaps_filled: Annotated[int, Field(description="marked bars that were made for missing ones")]
    late: Annotated[int, Field(description="live bars that came later than the grace")]
    out_of_order: Annotated[
        int, Field(description="bars that came after a newer one for a window without a bar, whatever became of them")
    ]
    implausible_moves: Annotated[
        int, Field(description="bars that trade more than a quarter away from the close before them; they are taken")
    ]
    refused: Annotated[
        dict[str, int],
        Field(description="bars that were refused, by code; what cannot be read as a bar counts for no instrument"),
    ]

    @classmethod
    def of(cls, quality: Quality) -> Self:
        return cls(**{what.value: count for what, count in quality.counts.items()}, refused=dict(quality.refused))


class InstrumentDetailOut(InstrumentOut):
    """The instrument's terms, and the quality of its feed."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"symbol": "BTC-USDT", **EXAMPLE, "quality": QUALITY_EXAMPLE}]}
    )

    quality: Annotated[QualityOut, Field(description="what came of the instrument's bars")]


SYMBOL_SCHEMA: JsonDict = {"pattern": f"^{SYMBOL.pattern}$", "maxLength": SYMBOL_LENGTH_MAX}
"""Said for readers of the OpenAPI document; the domain refuses with a code of its own."""
SYMBOL_TOLD = "Name of the instrument; a slash in it is written `%2F`."
Symbol = Annotated[str, Path(description=SYMBOL_TOLD, examples=["BTC-USDT"], json_schema_extra=SYMBOL_SCHEMA)]
ONE = "/v1/instruments/{symbol:rest}"


@router.put(
    ONE,
    summary="Register an instrument, or change it",
    responses={
        201: {"model": InstrumentOut, "description": "Registered"},
        **problems(*BODY, *PUT_CODES, *STORE),
    },
)
async def put_instrument(symbol: Symbol, body: InstrumentIn, engine: EngineDep, response: Response) -> InstrumentOut:
    """The same again changes nothing. What live orders stand on cannot change under them (`instrument_in_use`)."""
    instrument = body.to_domain(symbol)
    if await engine.instruments.put(instrument):
        response.status_code = 201
    return InstrumentOut.of(instrument)


@router.delete(
    ONE,
    summary="Delete an instrument",
    status_code=204,
    responses={**problems(*QUERY, "unknown_instrument", "instrument_in_use", *STORE), 204: {"description": "Deleted"}},
)
async def delete_instrument(symbol: Symbol, engine: EngineDep) -> None:
    """With its bars, where no order stands on it: `instrument_in_use` names those that do. Twice is 404. The records
    of orders that have ended stay and are answered by their ids; no list has them any more."""
    await engine.instruments.delete(symbol)


@router.get("/v1/instruments", summary="List the instruments", responses=problems(*STORE))
async def list_instruments(engine: EngineDep) -> InstrumentsOut:
    """All instruments, with the terms on which they are traded."""
    return InstrumentsOut(instruments=[InstrumentOut.of(each) for each in await engine.instruments.all()])


@router.get(ONE, summary="One instrument", responses=problems(*GET_CODES))
async def get_instrument(symbol: Symbol, engine: EngineDep) -> InstrumentDetailOut:
    """Its terms, and counters of what came of its bars."""
    terms = InstrumentOut.of(await engine.instruments.get(symbol))
    return InstrumentDetailOut(**dict(terms), quality=QualityOut.of(await engine.quality.of(symbol)))
