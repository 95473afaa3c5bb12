"""How numbers and times look on the wire, in both directions.

In: decimals are JSON strings of at most 15 integer digits and 12 decimals, times are RFC 3339 with an offset. A JSON
number is refused where a decimal is meant, since its reader may already have made it a float.
Out: decimals are plain strings, never with an exponent, rounded to 12 decimals (which changes nothing that came in);
slippage to 4; times are UTC and end in Z.
The docstring below a field is what the OpenAPI document says of it: its unit, its limits, and what its absence means.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer, WithJsonSchema
from pydantic_core import PydanticCustomError

from app.domain.order_words import RiskAversion

DECIMALS_MAX = 12
BPS_DECIMALS = 4
YEAR_MIN, YEAR_MAX = 1970, 2200

_DECIMAL = re.compile(rf"-?[0-9]{{1,15}}(\.[0-9]{{1,{DECIMALS_MAX}}})?")
_NOT_FINITE = re.compile(r"[+-]?(nan|inf|infinity)", re.IGNORECASE)
_TIME = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?(?P<offset>[Zz]|[+-][0-9]{2}:[0-9]{2})?"
)


class Edge(BaseModel):
    """A request's body: no coercion between types, no unknown fields."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, use_attribute_docstrings=True)


class Parameters(BaseModel):
    """A request's query: no unknown parameters."""

    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True)


class Answer(BaseModel):
    """A response's body."""

    model_config = ConfigDict(frozen=True, use_attribute_docstrings=True)


def parse_decimal(value: Any) -> Decimal:
    """A plain decimal string as a Decimal."""
    if not isinstance(value, str):
        raise PydanticCustomError("decimal_not_a_string", 'a decimal must be a JSON string such as "12.5"')
    if _DECIMAL.fullmatch(value):
        return Decimal(value)
    if _NOT_FINITE.fullmatch(value):
        raise PydanticCustomError("not_finite", "a decimal must be a finite number")
    raise PydanticCustomError(
        "not_a_decimal", "a decimal has at most 15 digits, then at most 12 decimals, and no exponent"
    )


def parse_time(value: Any) -> datetime:
    """An RFC 3339 time as an aware datetime in UTC; fractions below a microsecond are cut."""
    found = _TIME.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        raise PydanticCustomError("bad_time", 'a time must be a string in RFC 3339, such as "2025-01-06T14:30:00Z"')
    if found["offset"] is None:
        raise PydanticCustomError("naive_time", "a time needs an offset: Z or +hh:mm")
    try:
        time = datetime.fromisoformat(found[0].upper())
    except ValueError as error:
        raise PydanticCustomError("bad_time", "there is no such time: {reason}", {"reason": str(error)}) from error
    if not YEAR_MIN < time.year < YEAR_MAX:  # a day within either bound, the change to UTC would overflow
        raise PydanticCustomError("time_out_of_range", f"the year must be within {YEAR_MIN} and {YEAR_MAX}")
    return time.astimezone(UTC)


def parse_whole(value: Any) -> Any:
    """JSON has one kind of numbers: 12.0 is 12."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def plain(value: Decimal, decimals: int = DECIMALS_MAX) -> str:
    """Rounded half to even to at most `decimals` places, without exponent and without trailing zeros."""
    if not value:
        return "0"
    text = f"{value:.{decimals}f}"
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def utc(time: datetime) -> str:
    return time.astimezone(UTC).isoformat().replace("+00:00", "Z")


_FRACTION = rf"\.[0-9]{{1,{DECIMALS_MAX}}}"
_NOT_ZERO = r"(?!0*(\.0*)?$)"
_DAY = r"(197[1-9]|19[89][0-9]|2[01][0-9]{2})-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])"
_CLOCK = r"([01][0-9]|2[0-3]):[0-5][0-9]"
_MOMENT = rf"{_DAY}[Tt]{_CLOCK}:[0-5][0-9](\.[0-9]{{1,9}})?([Zz]|[+-]{_CLOCK})"
_TIME_SCHEMA = {"type": "string", "format": "date-time"}


def _text(pattern: str, **more: str) -> WithJsonSchema:
    """What the OpenAPI document says of a text. The domain refuses what does not fit, with codes of its own."""
    return WithJsonSchema({"type": "string", "pattern": f"^{pattern}$"} | more)


def parse_risk_aversion(value: Any) -> Decimal | RiskAversion:
    """A decimal, or one of the names."""
    if isinstance(value, str) and value.isalpha() and not _NOT_FINITE.fullmatch(value):
        if value in frozenset(RiskAversion):
            return RiskAversion(value)
        raise PydanticCustomError("unknown_value", f"must be at least 0, or one of {', '.join(RiskAversion)}")
    return parse_decimal(value)


WHOLE = BeforeValidator(parse_whole)
NotNegativeIn = Annotated[Decimal, BeforeValidator(parse_decimal), _text(rf"[0-9]{{1,15}}({_FRACTION})?")]
PositiveIn = Annotated[Decimal, BeforeValidator(parse_decimal), _text(rf"{_NOT_ZERO}[0-9]{{1,15}}({_FRACTION})?")]
RiskAversionIn = Annotated[
    Annotated[Decimal, _text(rf"[0-9]{{1,15}}({_FRACTION})?")] | RiskAversion, BeforeValidator(parse_risk_aversion)
]
RateIn = Annotated[Decimal, BeforeValidator(parse_decimal), _text(rf"{_NOT_ZERO}(0({_FRACTION})?|1(\.0{{1,12}})?)")]
"""A fraction above 0, and at most 1."""
TimeIn = Annotated[datetime, BeforeValidator(parse_time), _text(_MOMENT, format="date-time")]
DecimalOut = Annotated[Decimal, PlainSerializer(plain), WithJsonSchema({"type": "string"})]
RiskAversionOut = Annotated[
    Decimal | RiskAversion,
    PlainSerializer(lambda value: str(value) if isinstance(value, RiskAversion) else plain(value)),
    WithJsonSchema({"type": "string"}),
]
BpsOut = Annotated[
    Decimal, PlainSerializer(lambda value: plain(value, BPS_DECIMALS)), WithJsonSchema({"type": "string"})
]
TimeOut = Annotated[datetime, PlainSerializer(utc), WithJsonSchema(_TIME_SCHEMA)]

NAME_LENGTH_MAX = 128
NAME_PATTERN = r"^[^\x00-\x1f\x7f]+$"
Name = Annotated[str, Field(min_length=1, max_length=NAME_LENGTH_MAX, pattern=NAME_PATTERN)]
"""A name that others gave: any printable characters."""
