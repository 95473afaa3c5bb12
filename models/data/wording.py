"""Times and lengths as text, for people and for file names."""

from __future__ import annotations

from datetime import UTC, datetime

from app.domain.durations import DAY_SECONDS, HOUR_SECONDS

UNITS = (("d", DAY_SECONDS), ("h", HOUR_SECONDS), ("m", 60), ("s", 1))


def utc(seconds: int) -> str:
    """`2024-01-31 12:00`, with seconds where there are any."""
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M:%S}".removesuffix(":00")


def length_of(seconds: int) -> str:
    """`15m`, `1h`, `90m`, `1d`: the length in the largest unit in which it is whole."""
    unit, size = next((unit, size) for unit, size in UNITS if seconds % size == 0)
    return f"{seconds // size}{unit}"


def date(day: int) -> str:
    """`2024-01-31`, of a number of days since the epoch."""
    return f"{datetime.fromtimestamp(day * DAY_SECONDS, UTC):%Y-%m-%d}"
