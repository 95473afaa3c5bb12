"""Read a bar file as stretches of consecutive bars."""

from __future__ import annotations

from pathlib import Path

from app.bars.gaps import round_the_clock, segments
from app.bars.reader import read_series
from app.bars.series import Series, aggregated
from app.bars.session_steps import session_steps
from app.domain.errors import InvalidInput


def stretches(path: Path, step_seconds: int | None) -> list[Series]:
    """The stretches of one file, aggregated to steps of `step_seconds` where given: on an exchange within its sessions.
    Raises InvalidInput that names the file."""
    series = read_series(path)
    try:
        if step_seconds is None or step_seconds == series.bar_seconds:
            return segments(series)
        if not round_the_clock(series):
            return session_steps(series, step_seconds)
        return [aggregated(stretch, step_seconds) for stretch in segments(series)]
    except InvalidInput as error:
        raise InvalidInput(error.code, f"{path}: {error.detail}") from error
