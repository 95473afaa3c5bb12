"""How a figure is spread over orders, as a mark in a table's row: all marks of a page have one scale."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from app.desk.numerals import bps
from app.engine.distribution import Distribution

WIDTH = 220.0
MARGIN = 4.0


@dataclass(frozen=True, slots=True, kw_only=True)
class SpreadMark:
    """Places from the left: a line from P5 to P95, a box from the first to the third quartile, the median, and zero.
    `told` says it in words."""

    p5: float
    q25: float
    median: float
    q75: float
    p95: float
    zero: float
    told: str


def marks_of(spreads: Sequence[Distribution | None]) -> list[SpreadMark | None]:
    """None for a figure that is known of no order."""
    known = [each for each in spreads if each is not None]
    if not known:
        return [None] * len(spreads)
    low = min(0.0, *(float(each.p5) for each in known))
    high = max(0.0, *(float(each.p95) for each in known))
    room = (high - low) or 1.0

    def place(value: float) -> float:
        return round(MARGIN + (value - low) / room * (WIDTH - 2 * MARGIN), 1)

    def mark(spread: Distribution | None) -> SpreadMark | None:
        if spread is None:
            return None
        places = {name: place(float(getattr(spread, name))) for name in ("p5", "q25", "median", "q75", "p95")}
        told = f"P5 {bps(spread.p5)}, median {bps(spread.median)}, P95 {bps(spread.p95)} basis points"
        return SpreadMark(**places, zero=place(0.0), told=told)

    return [mark(each) for each in spreads]
