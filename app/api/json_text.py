"""Reads JSON that strangers send, with work and memory bounded by the bytes of a body. A list of bars is read one
by one: see bar_parts.py."""

from __future__ import annotations

import json
from typing import Any, Never

from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError
from pydantic_core import PydanticCustomError, from_json

from app.domain.errors import InvalidInput

FIELDS_MAX = 64
"""Far more than any object of the interface has."""
REPEATED = "a field comes more than once in the same object"


def require_few_values(body: bytes, values_max: int) -> None:
    """Raises InvalidInput("too_many") before anything is parsed. Every value but the first follows a comma or opens
    a bracket; counting the bytes counts those in texts too, of which honest bodies have few."""
    if sum(map(body.count, (b",", b"[", b"{"))) > values_max:
        raise InvalidInput("too_many", f"the body has more than {values_max} values")


def require_flat_objects(body: bytes) -> None:
    """Raises InvalidInput("too_many") before anything is parsed where the objects of a text have more than `FIELDS_MAX`
    fields on average: a parser takes long for one object of very many fields, and whoever waits beside it too. A text
    without objects is something else, such as CSV, and the parser says so."""
    objects = body.count(b"{")
    if objects and body.count(b",") > (FIELDS_MAX + 1) * (1 + objects):
        raise InvalidInput("too_many", f"an object has at most {FIELDS_MAX} fields")


def require_json(body: bytes) -> None:
    """Raises InvalidInput("bad_json" | "repeated_field"). Stricter than the standard library's reader, which takes NaN,
    encodings other than UTF-8, and the last of two fields of the same name."""
    try:
        json.loads(body.decode(), object_pairs_hook=_distinct, parse_constant=_no_constant)
    except RecursionError as error:
        raise InvalidInput("bad_json", "the body is not JSON: it is nested too deep") from error
    except ValueError as error:
        raise InvalidInput("bad_json", f"the body is not JSON: {error}") from error


def parsed(body: bytes) -> Any:
    """The value of a JSON text. Raises RequestValidationError."""
    try:
        return from_json(body, allow_inf_nan=False)
    except ValueError as error:
        raise RequestValidationError([_error("bad_json", f"the body is not JSON: {error}")]) from error


def parsed_line(line: bytes) -> Any:
    """The value of one line of NDJSON. Raises ValidationError, as a model does."""
    try:
        return from_json(line, allow_inf_nan=False)
    except ValueError as error:
        raise _refusal(PydanticCustomError("bad_json", "the line is not JSON: {why}", {"why": str(error)})) from error


def require_few_fields(value: Any) -> Any:
    """The value itself, unless it is an object with very many fields. Raises ValidationError, as a model does."""
    if isinstance(value, dict) and len(value) > FIELDS_MAX:
        raise _refusal(PydanticCustomError("too_many", f"an object has at most {FIELDS_MAX} fields"))
    return value


def commas_of(item: dict[str, Any]) -> int:
    """How many commas the JSON text of a flat object has, where each of its fields comes once."""
    return len(item) - 1 + sum(text.count(",") for text in item.values() if isinstance(text, str))


def require_commas(body: bytes, expected: int) -> None:
    """Raises InvalidInput("repeated_field") where a text has more commas than its values account for: a parser keeps
    the last of two fields of the same name, and nobody knows which of them was meant."""
    if body.count(b",") > expected:
        raise InvalidInput("repeated_field", REPEATED)


def require_line_commas(line: bytes, expected: int) -> None:
    """`require_commas` for one line of NDJSON. Raises ValidationError, as a model does."""
    if line.count(b",") > expected:
        raise _refusal(PydanticCustomError("repeated_field", REPEATED))


def located(error: ValidationError) -> RequestValidationError:
    """The error of a model over a whole body, as FastAPI raises it."""
    return RequestValidationError(errors_at(error))


def errors_at(error: ValidationError, *place: str | int) -> list[Any]:
    """The errors of a model over what lies at that place of a body."""
    found = error.errors(include_url=False, include_input=False)
    return [entry | {"loc": ("body", *place, *entry["loc"])} for entry in found]


def _error(code: str, detail: str) -> dict[str, Any]:
    return {"type": code, "loc": ("body",), "msg": detail}


def _refusal(error: PydanticCustomError) -> ValidationError:
    return ValidationError.from_exception_data("item", [{"type": error, "loc": (), "input": None}])


def _distinct(fields: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(fields)
    if len(made) == len(fields):
        return made
    seen: set[str] = set()
    twice = next(name for name, _ in fields if name in seen or seen.add(name))  # type: ignore[func-returns-value]
    raise InvalidInput("repeated_field", f"the field {twice[:100]!r} comes more than once")


def _no_constant(word: str) -> Never:
    raise ValueError(f"{word} is no JSON")
