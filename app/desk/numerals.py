"""Numbers and times as people read them in a table: aligned, and with as many digits as mean something."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from decimal import Decimal

from app.domain.instrument import Instrument

TENTHS_BELOW = 10.0

UNKNOWN = "\N{EN DASH}"
MINUS, THIN_SPACE = "\N{MINUS SIGN}", "\N{NARROW NO-BREAK SPACE}"
BPS_PLACES, SHARE_PLACES = 2, 1
PLACES_MAX = 12


def fixed(value: Decimal | float | None, places: int) -> str:
    """Rounded to `places`, with groups of three digits."""
    if value is None:
        return UNKNOWN
    return f"{value:,.{places}f}".replace("-", MINUS).replace(",", THIN_SPACE)


def places_of(step: Decimal) -> int:
    """How many digits after the point a multiple of `step` has."""
    exponent = step.normalize().as_tuple().exponent
    return min(PLACES_MAX, max(0, -exponent)) if isinstance(exponent, int) else 0


def price(value: Decimal | None, instrument: Instrument | None) -> str:
    """One digit more than the tick has: averages lie between two ticks."""
    return fixed(value, places_of(instrument.tick_size) + 1 if instrument else 4)


def bps(value: Decimal | float | None) -> str:
    """With its sign: a cost is told from a gain at a glance."""
    if value is None:
        return UNKNOWN
    text = fixed(value, BPS_PLACES)
    return text if value <= 0 else f"+{text}"


def share(value: Decimal | float | None, places: int = SHARE_PLACES) -> str:
    """A fraction in percent."""
    if value is None or not math.isfinite(value):
        return UNKNOWN
    return f"{fixed(value * 100, places)}{THIN_SPACE}%"


def clock(time: datetime | None) -> str:
    """The time of day in UTC."""
    return UNKNOWN if time is None else time.astimezone(UTC).strftime("%H:%M:%S")


def moment(time: datetime | None) -> str:
    """Date and time in UTC."""
    return UNKNOWN if time is None else time.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")


def span(seconds: float | None) -> str:
    """So many seconds, in the unit that suits them."""
    if seconds is None:
        return UNKNOWN
    for unit, length in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= 2 * length:
            return f"{seconds / length:.0f}{THIN_SPACE}{unit}"
    return f"{seconds:.1f}{THIN_SPACE}s" if seconds < TENTHS_BELOW else f"{seconds:.0f}{THIN_SPACE}s"
