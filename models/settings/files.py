"""Reads what users hand in: TOML files, which are checked."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from app.domain.errors import InvalidInput

UNKNOWN = {"extra_forbidden", "unexpected_keyword_argument"}
KINDS = {
    "int_type": "must be a whole number",
    "int_parsing": "must be a whole number",
    "int_from_float": "must be a whole number",
    "float_type": "must be a number",
    "float_parsing": "must be a number",
    "dict_type": "must be a table",
    "model_type": "must be a table",
    "dataclass_type": "must be a table",
}
WORDS = {
    "Value error, ": "",
    "Input should be": "must be",
    "greater than or equal to": "at least",
    "less than or equal to": "at most",
    "greater than": "above",
}
"""What stands in messages in the place of pydantic's own words, by the kind of mistake and word by word."""
SHOWN_MAX = 40
"""Characters of a wrong value that a message repeats."""
Kind = TypeVar("Kind", bound=BaseModel)


def read_toml(path: Path) -> dict[str, Any]:
    """The content of a TOML file. Raises InvalidInput where the file cannot be read or is not TOML."""
    try:
        return tomllib.loads(path.read_text())
    except OSError as error:
        raise InvalidInput("no_such_file", f"{path} cannot be read: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InvalidInput("bad_plan", f"{path} is not TOML: {error}") from error


def validated(kind: type[Kind], content: dict[str, Any], source: str) -> Kind:
    """`content` as a `kind`; raises InvalidInput with `source`, the field and what the field may be."""
    try:
        return kind.model_validate(content)
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"])  # none for a mistake of the whole
        raise InvalidInput("bad_plan", ": ".join(word for word in (source, field, _said(first)) if word)) from error


def _said(mistake: ErrorDetails) -> str:
    if mistake["type"] in UNKNOWN:
        return "there is no such field"
    message = KINDS.get(mistake["type"], mistake["msg"])
    for theirs, ours in WORDS.items():
        message = message.replace(theirs, ours)
    given = mistake["input"]
    if not message.startswith("must be") or isinstance(given, dict):
        return message
    return f"{message}, not {given!r:.{SHOWN_MAX}}"
