"""What pydantic finds wrong with a request, in the codes and the words of problems."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, get_args

from pydantic import ValidationError
from pydantic_core.core_schema import ErrorType

from app.api.problem_bodies import FieldError

ERRORS_MAX = 20
TEXT_MAX = 500
"""Characters of what a problem repeats of a request, such as the name of an unknown field."""

PARSER_CODES = {
    "missing": "field_missing",
    "extra_forbidden": "unknown_field",
    "json_invalid": "bad_json",
    "enum": "unknown_value",
    "literal_error": "unknown_value",
    "greater_than": "out_of_range",
    "greater_than_equal": "out_of_range",
    "less_than": "out_of_range",
    "less_than_equal": "out_of_range",
    "string_too_short": "bad_text",
    "string_too_long": "bad_text",
    "string_pattern_mismatch": "bad_text",
    "string_unicode": "bad_text",
    "too_short": "empty",
    "too_long": "too_many",
}
"""Our code for each of pydantic's types of errors. All types that are not listed mean `wrong_type`."""

DETAILS = {
    **dict.fromkeys(("model_type", "model_attributes_type", "dict_type"), "must be a JSON object"),
    "string_pattern_mismatch": "must have no control characters",
}
"""What we say instead of pydantic's words, which name our classes and patterns."""

_PARSER_NAMES: frozenset[str] = frozenset(get_args(ErrorType))


def errors_of(found: Sequence[Any]) -> tuple[str, list[FieldError]]:
    """The detail of all errors that were found together, and each of the first ones."""
    errors = [_field_error(entry) for entry in found[:ERRORS_MAX]]
    rest = f" (the first {ERRORS_MAX} errors are listed)" if len(found) > ERRORS_MAX else ""
    return _said_of_field(errors[0]) + rest, errors


def first_error(error: ValidationError) -> tuple[str, str]:
    """Code and detail of what is wrong first with a value that was read by itself."""
    entry = error.errors(include_url=False, include_input=False)[0]
    wrong = _field_error({**entry, "loc": ("body", *entry["loc"])})
    return wrong.code, _said_of_field(wrong)


def _field_error(entry: Mapping[str, Any]) -> FieldError:
    name = entry["type"]
    code = PARSER_CODES.get(name, "wrong_type") if name in _PARSER_NAMES else name
    detail = short(DETAILS.get(name, entry["msg"]))
    where, *path = entry["loc"]
    if where != "body":
        return FieldError(code=code, detail=detail, parameter=short(str(path[0] if path else where)))
    at = "" if name == "json_invalid" else "".join(f"/{_escaped(part)}" for part in path)
    return FieldError(code=code, detail=detail, pointer=short(f"#{at}"))


def _said_of_field(wrong: FieldError) -> str:
    field = wrong.parameter or (wrong.pointer or "").removeprefix("#/").removeprefix("#")
    return f"{field}: {wrong.detail}" if field else wrong.detail


def _escaped(part: object) -> str:
    return str(part).replace("~", "~0").replace("/", "~1")


def short(text: str) -> str:
    """No more of it than a problem repeats."""
    return text if len(text) <= TEXT_MAX else f"{text[:TEXT_MAX]}..."
