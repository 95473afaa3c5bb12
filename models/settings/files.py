"""What users hand in: TOML files, checked with the place of the first mistake, and folders of bar files."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from app.domain.errors import InvalidInput

SUFFIX = ".parquet"
Kind = TypeVar("Kind", bound=BaseModel)


def read_toml(path: Path) -> dict[str, Any]:
    """Raises InvalidInput where it cannot be read or is not TOML."""
    try:
        return tomllib.loads(path.read_text())
    except OSError as error:
        raise InvalidInput("no_such_file", f"{path} cannot be read: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InvalidInput("bad_plan", f"{path} is not TOML: {error}") from error


def validated(kind: type[Kind], content: dict[str, Any], source: str) -> Kind:
    """`content` as a `kind`; raises InvalidInput with `source` and the place of the first mistake."""
    try:
        return kind.model_validate(content)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])  # none for a mistake of the whole
        raise InvalidInput(
            "bad_plan", ": ".join(word for word in (source, place, first["msg"].removeprefix("Value error, ")) if word)
        ) from error


def bar_files(places: Iterable[Path]) -> list[Path]:
    """Files as they are, folders by what lies in them; each once, however often it is named. Raises InvalidInput where
    that is nothing."""
    found: dict[Path, Path] = {}
    for place in places:
        inside = sorted(place.glob(f"*{SUFFIX}")) if place.is_dir() else [place]
        if not inside or not inside[0].exists():
            raise InvalidInput("no_such_file", f"{place} does not exist, or is a folder without {SUFFIX} files")
        for path in inside:
            found.setdefault(path.resolve(), path)
    return list(found.values())
