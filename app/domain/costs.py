"""What an order pays beyond the market's price: half the spread, and what its own slices move the price by."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from app.domain.errors import InvalidInput

VOLUME_FLOOR = 0.02
"""A bar counts as if it traded at least this share of the mean volume of the order's horizon. Over an empty bar the
square root would have no bound, while a real market still takes some volume at a price."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Costs:
    """`impact` is the factor of the square-root law, near 1 in markets; every unit pays `half_spread_bps`.

    Raises InvalidInput where one of them is negative or no number.
    """

    impact: float = 0.0
    half_spread_bps: float = 0.0

    def __post_init__(self) -> None:
        for name in self.__slots__:
            value = getattr(self, name)
            if not (math.isfinite(value) and value >= 0.0):
                raise InvalidInput("bad_cost", f"{name} is {value}; it must be at least 0")


FREE = Costs()


def square_root_impact(factor: Any, volatility: Any, quantity: Any, volume: Any) -> Any:
    """Cost per unit, as a fraction of the price, of a slice of `quantity` in a bar that trades `volume`.

    factor * volatility * (quantity / volume)^0.5 with the volatility per bar as a fraction (Almgren et al. 2005, Toth
    et al. 2011): temporary, so later slices are not charged for it. Takes numbers, arrays and tensors alike.
    """
    return factor * volatility * (quantity / volume) ** 0.5
