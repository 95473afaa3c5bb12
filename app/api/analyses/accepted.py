"""Which of its formats a request accepts."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import TypeVar

from starlette.types import Scope

from app.api.headers import headers_of
from app.api.problems import Refused


class Format(StrEnum):
    JSON = "application/json"
    CSV = "text/csv"
    PARQUET = "application/vnd.apache.parquet"


RANGES = {
    **{each.value: each for each in Format},
    "*/*": Format.JSON,
    "application/*": Format.JSON,
    "text/*": Format.CSV,
}

Kind = TypeVar("Kind", bound=StrEnum)


def format_of(scope: Scope) -> Format:
    """The format that the request prefers; JSON where it does not say. Raises Refused("not_acceptable")."""
    return preferred(scope, RANGES, Format.JSON)


def preferred(scope: Scope, ranges: Mapping[str, Kind], default: Kind) -> Kind:
    """Of `ranges`, formats by media range, the one that the request prefers; `default` where it does not say.
    Raises Refused("not_acceptable")."""
    accepted = ",".join(value.decode("latin-1") for value in headers_of(scope, b"accept"))
    if not accepted.strip():
        return default
    best: tuple[float, Kind] | None = None
    for entry in accepted.split(","):
        kind, quality = _entry(entry)
        found = ranges.get(kind)
        if found is not None and quality > 0 and (best is None or quality > best[0]):
            best = quality, found
    if best is None:
        raise Refused(406, "not_acceptable", f"ask for one of {', '.join(type(default))}")
    return best[1]


def _entry(entry: str) -> tuple[str, float]:
    """A media range and its quality; an unreadable quality counts as 0."""
    kind, *parameters = (part.strip().lower() for part in entry.split(";"))
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name == "q":
            try:
                return kind, float(value)
            except ValueError:
                return kind, 0.0
    return kind, 1.0
