"""Figures: what was measured, in which unit, and what is aimed at."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple


class Unit(NamedTuple):
    """`scale` makes a value in seconds, in bytes or of no dimension one in the unit."""

    scale: float
    sign: str


UNITS = {
    "ratio": Unit(1.0, ""),
    "count": Unit(1.0, ""),
    "us": Unit(1e6, "us"),
    "ms": Unit(1e3, "ms"),
    "s": Unit(1.0, "s"),
    "bytes": Unit(1.0, "B"),
    "MB": Unit(1e-6, "MB"),
}
DIGITS = 3
"""Of a figure that count."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """`value` is in seconds, bytes or a plain number, whatever the `unit` in which it is shown; so is the `target`,
    which is met by a value at most as large. `orders` is the size of the case, where it has one."""

    case: str
    orders: int | None = None
    name: str
    value: float
    unit: str
    target: float | None = None

    @property
    def met(self) -> bool | None:
        """None where nothing is aimed at."""
        return None if self.target is None else self.value <= self.target

    def in_unit(self, value: float) -> float:
        return value * UNITS[self.unit].scale

    def shown(self, value: float) -> str:
        """The value in the figure's unit, with as many digits as count."""
        scaled = self.in_unit(value)
        before_point = len(f"{abs(scaled):.0f}")
        decimals = 0 if self.unit == "count" else max(0, DIGITS - before_point)
        return f"{scaled:,.{decimals}f} {UNITS[self.unit].sign}".rstrip()
