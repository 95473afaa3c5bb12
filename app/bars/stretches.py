"""Read a bar file as stretches of consecutive bars."""

from __future__ import annotations

from pathlib import Path

from app.bars.gaps import round_the_clock, segments
from app.bars.reader import read_series
from app.bars.series import Series, aggregated
from app.domain.errors import InvalidInput


def stretches(path: Path, step_seconds: int | None) -> list[Series]:
    """The stretches of one file, aggregated to bars of `step_seconds` where given. Raises InvalidInput that names the
    file."""
    series = read_series(path)
    if step_seconds is None or step_seconds == series.bar_seconds:
        return _segments(path, series)
    if not round_the_clock(series):
        raise InvalidInput(
            "step_seconds_needs_24_7", f"{path}: steps longer than a bar need an instrument that trades round the clock"
        )
    return [aggregated(stretch, step_seconds) for stretch in _segments(path, series)]


def _segments(path: Path, series: Series) -> list[Series]:
    try:
        return segments(series)
    except InvalidInput as error:
        raise InvalidInput(error.code, f"{path}: {error.detail}") from error
