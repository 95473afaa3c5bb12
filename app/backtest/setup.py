"""Which orders a backtest runs."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from app.domain.costs import FREE, Costs
from app.domain.errors import InvalidInput
from app.domain.order import SCENARIOS, Horizon, Limits, Scenario
from app.domain.projection import slice_cap_lots

TOTAL_LOTS = 1_000_000_000
"""The lots of an order: so many that roundings do not show, few enough that float64 counts them exactly."""
ORDER_SHARE = 1e-6
"""An order's size as a share of the volume of max_steps steps: too small to move the market."""


class Starts(StrEnum):
    """Where orders start: at bars all over the day, or at the open of an exchange's sessions."""

    BARS = "bars"
    OPEN = "open"


@dataclass(frozen=True, slots=True, kw_only=True)
class Setup:
    """One order per start, scenario and entry of `min_steps`; starts are every `every` bars.

    With `starts` at the open they are every `every` sessions, and no order goes beyond its session: where a session has
    fewer windows than max_steps, such as half a day, the order has as many steps as the session, and no min_steps above
    them.

    `start` and `end` (seconds since the epoch, end exclusive) bound the opens of the orders' first windows.
    `risk_aversion` is handed to the policy as it is. An order's size is `order_share` of the volume that max_steps
    steps are expected to trade; the policy knows the size, and `costs` charge for it. Raises InvalidInput where no
    order could be met.
    """

    min_steps: tuple[int, ...]
    max_steps: int
    every: int
    risk_aversion: float
    scenarios: tuple[Scenario, ...] = SCENARIOS
    max_slice_fraction: Decimal = Decimal(1)
    order_share: float = ORDER_SHARE
    costs: Costs = FREE
    start: int | None = None
    end: int | None = None
    starts: Starts = Starts.BARS

    def __post_init__(self) -> None:
        if not self.min_steps or not self.scenarios:
            raise InvalidInput("nothing_to_do", "give at least one of each: min_steps, sides, benchmarks, size_modes")
        for min_steps in self.min_steps:
            Horizon(min_steps=min_steps, max_steps=self.max_steps)
        if self.every < 1:
            raise InvalidInput("bad_every", f"every is {self.every}; must be at least 1")
        if not 0.0 < self.order_share <= 1.0:
            raise InvalidInput("bad_order_size", f"order_size is {self.order_share}; must be above 0 and at most 1")
        Limits(max_slice_fraction=self.max_slice_fraction)
        slice_cap_lots(TOTAL_LOTS, self.max_slice_fraction, self.max_steps)

    @property
    def steps_at_least(self) -> int:
        """The fewest steps in which the slice cap lets an order finish."""
        return -(-TOTAL_LOTS // self.slice_cap)

    @property
    def slice_cap(self) -> int:
        """In lots."""
        return slice_cap_lots(TOTAL_LOTS, self.max_slice_fraction, self.max_steps)
