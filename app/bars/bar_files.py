"""Which bar files a user means: files themselves, and folders of them."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from app.domain.errors import InvalidInput

SUFFIX = ".parquet"


def bar_files(paths: Iterable[Path]) -> list[Path]:
    """The bar files that `paths` name: files themselves, and all bar files in folders. A file that is named twice comes
    once. Raises InvalidInput where a path leads to no bar file."""
    found: dict[Path, Path] = {}
    for given in paths:
        inside = sorted(given.glob(f"*{SUFFIX}")) if given.is_dir() else [given]
        if not inside or not inside[0].exists():
            raise InvalidInput("no_such_file", _missing(given))
        for path in inside:
            found.setdefault(path.resolve(), path)
    return list(found.values())


def _missing(given: Path) -> str:
    if given.is_dir():
        return f"{given} is a folder without {SUFFIX} files: lem data convert makes bar files"
    return f"{given} does not exist"
