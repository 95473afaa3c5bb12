"""Sizes at a price: base units and quote currency, of which an order fixes one.

This is the one place that turns one into the other.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from app.domain.evolve import built_quickly
from app.domain.instrument import Instrument
from app.domain.numbers import EXACT, ratio
from app.domain.order import SizeMode


@built_quickly
@dataclass(frozen=True, slots=True)
class Amounts:
    """The same trade in both units: `quantity` in base units, `notional` in quote currency."""

    quantity: Decimal
    notional: Decimal

    def fixed(self, size_mode: SizeMode) -> Decimal:
        """The one in the unit that the order fixes."""
        return fixed_of(size_mode, self.quantity, self.notional)


def lot_of(size_mode: SizeMode, instrument: Instrument) -> Decimal:
    """The lot in the unit that the order fixes."""
    return instrument.lot_size if size_mode is SizeMode.QUANTITY else instrument.notional_step


def fixed_of(size_mode: SizeMode, quantity: Decimal, notional: Decimal) -> Decimal:
    """Of a trade in both units, the one that the order fixes."""
    return quantity if size_mode is SizeMode.QUANTITY else notional


def amounts_at(size_mode: SizeMode, size: Decimal, price: Decimal) -> Amounts:
    """What `size`, in the unit that the order fixes, is in both units at `price`. The fixed one is exact, and so is a
    product; a quotient is rounded to 28 digits."""
    if size_mode is SizeMode.QUANTITY:
        return Amounts(size, EXACT.multiply(size, price))
    return Amounts(ratio(size, price), size)


def quantity_of(size_mode: SizeMode, size: Decimal, price: Decimal) -> Decimal:
    """A size, in the unit that the order fixes, in base units at `price`."""
    return size if size_mode is SizeMode.QUANTITY else ratio(size, price)


def size_of(size_mode: SizeMode, quantity: Decimal, price: Decimal) -> Decimal:
    """A quantity at `price` in the unit that the order fixes."""
    return quantity if size_mode is SizeMode.QUANTITY else EXACT.multiply(quantity, price)


def size_worth(size_mode: SizeMode, notional: Decimal, price: Decimal) -> Decimal:
    """What is worth `notional` at `price`, in the unit that the order fixes."""
    return ratio(notional, price) if size_mode is SizeMode.QUANTITY else notional
