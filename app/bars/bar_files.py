"""Which bar files a user means: files themselves, and folders of them; and the span of their bars."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

from app.bars.reader import read_series
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


def span_of(paths: Iterable[Path]) -> tuple[datetime, datetime]:
    """The opens of the first bar of the files and of the last, UTC. Raises InvalidInput for a file that is none."""
    opens = [read_series(path).open_time for path in paths]
    first, last = min(int(each[0]) for each in opens), max(int(each[-1]) for each in opens)
    return datetime.fromtimestamp(first, UTC), datetime.fromtimestamp(last, UTC)


def told_span(paths: Iterable[Path]) -> str:
    """The span in words, for a message to a user whose orders or days lie elsewhere."""
    first, last = span_of(paths)
    return f"from {first:%Y-%m-%d %H:%M} to {last:%Y-%m-%d %H:%M} UTC"


def _missing(given: Path) -> str:
    if given.is_dir():
        return f"{given} is a folder without {SUFFIX} files: lem data convert makes bar files"
    return f"{given} does not exist"
