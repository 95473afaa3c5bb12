"""Reads JSON that strangers send. Work and memory are bounded by the bytes of a body, and a long body is read in parts,
with the event loop free in between."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Never, TypeVar

from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError
from pydantic_core import PydanticCustomError, from_json

from app.api.problems import ERRORS_MAX
from app.domain.errors import InvalidInput

ITEMS_AT_ONCE = 100
"""Items of a list that are read before others have their turn: a few milliseconds."""
FIELDS_MAX = 64
"""Far more than any object of the interface has."""

T = TypeVar("T")


def require_few_values(body: bytes, values_max: int) -> None:
    """Raises InvalidInput("too_many") before anything is parsed. Every value but the first follows a comma or opens
    a bracket; counting the bytes counts those in texts too, of which honest bodies have few."""
    if sum(map(body.count, (b",", b"[", b"{"))) > values_max:
        raise InvalidInput("too_many", f"the body has more than {values_max} values")


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


async def read_items(items: Iterable[Any], read: Callable[[Any], T], at: Sequence[str]) -> list[T]:
    """Each item as `read` understands it. Raises RequestValidationError with what is wrong with the first wrong items,
    which lie in a list at the place `at` of the body; later ones are not looked at once enough is wrong."""
    made: list[T] = []
    errors: list[Any] = []
    for index, item in enumerate(items):
        if index % ITEMS_AT_ONCE == 0:
            await asyncio.sleep(0)
        try:
            made.append(read(item))
        except ValidationError as error:
            errors += _located(error, [*at, index])
            if len(errors) >= ERRORS_MAX:
                break
    if errors:
        raise RequestValidationError(errors)
    return made


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


def require_commas(text: bytes, expected: int) -> None:
    """Raises InvalidInput("repeated_field") where a text has more commas than its values account for: a parser keeps
    the last of two fields of the same name, and nobody knows which of them was meant."""
    if text.count(b",") > expected:
        raise InvalidInput("repeated_field", "a field comes more than once in the same object")


def located(error: ValidationError) -> RequestValidationError:
    """The error of a model over a whole body, as FastAPI raises it."""
    return RequestValidationError(_located(error, []))


def _located(error: ValidationError, at: Sequence[str | int]) -> list[Any]:
    found = error.errors(include_url=False, include_input=False)
    return [entry | {"loc": ("body", *at, *entry["loc"])} for entry in found]


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
