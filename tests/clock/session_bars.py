"""Bars in the trading windows of an exchange, as its calendar has them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

from app.clock.calendars import calendar
from app.domain.bar import Bar
from tests.builders import bars


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def session_bars(code: str, bar_seconds: int, since: str, until: str) -> list[Bar]:
    """All bars of an exchange that open in that time."""
    known, opens, times = calendar(code), utc(since), []
    while (opens := known.first_open(opens, bar_seconds, None)) < utc(until):
        closes = known.close_of(opens, bar_seconds)
        times.append((opens, closes))
        opens = closes
    return timed(times)


def timed(times: Sequence[tuple[datetime, datetime]]) -> list[Bar]:
    """Bars from the first of each pair to the second."""
    made = bars(len(times))
    return [replace(bar, open_time=opens, close_time=closes) for bar, (opens, closes) in zip(made, times, strict=True)]
