"""What decides: the LEM and every baseline answer through this one interface.

Shapes: B orders, G windows (see market.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from app.decision.market import Floats, Market


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """One row per order that needs a slice, as arrays [B].

    `market` is the row of `Market` that the order stands on, `scenario` its index in `SCENARIOS`, `step` the step to
    decide (1-based). `windows_unseen` have passed between the newest bar and that step: the market is then as it was
    forecast. `filled_fraction` is the share of the order done so far; `last_price` the last close; `benchmark_price`
    and `avg_price` are over the windows that have passed, and the last close where there is none yet;
    `benchmark_volume` is the market's volume over them (base units), expected where it was not seen; `order_volume` the
    whole order in base units.
    Limits that an order does not have are 1.
    """

    market: NDArray[np.int64]
    scenario: NDArray[np.int64]
    step: NDArray[np.int64]
    windows_unseen: NDArray[np.int64]
    min_steps: NDArray[np.int64]
    max_steps: NDArray[np.int64]
    filled_fraction: NDArray[np.float64]
    last_price: NDArray[np.float64]
    benchmark_price: NDArray[np.float64]
    avg_price: NDArray[np.float64]
    benchmark_volume: NDArray[np.float64]
    order_volume: NDArray[np.float64]
    max_slice_fraction: NDArray[np.float64]
    max_participation_rate: NDArray[np.float64]
    risk_aversion: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.step)

    @classmethod
    def joined(cls, parts: Sequence[Rows]) -> Rows:
        """All rows, each part on a market of its own."""
        names = [field.name for field in fields(cls) if field.name != "market"]
        market = np.repeat(np.arange(len(parts)), [len(part) for part in parts])
        return cls(market=market, **{name: np.concatenate([getattr(part, name) for part in parts]) for name in names})

    def take(self, chosen: NDArray[np.int64]) -> Rows:
        """The rows at the given positions."""
        return Rows(**{field.name: getattr(self, field.name)[chosen] for field in fields(self)})


@dataclass(frozen=True, slots=True)
class Proposal:
    """[B] each: the share of the whole order to trade in the next step if it goes on, and the probability with which
    it should finish now instead. Nothing promises that they are finite or within limits: the projection sees to that.
    """

    allocation: NDArray[np.float64]
    stop_probability: NDArray[np.float64]


class Policy(Protocol):
    """`name` is what slices record (a bundle's digest, a baseline's name). `lookback` is L; `history_min` the least
    number of bars that serve; `max_steps` is the longest horizon it can decide; `risk_aversion` its default.
    """

    name: str
    lookback: int
    history_min: int
    max_steps: int
    risk_aversion: float

    def observe(self, windows: Floats, steps: int) -> Market:
        """Read raw windows [G, L, C]: once per instrument and bar, whatever the number of orders. The longest order has
        `steps` steps; no more than those are foreseen, but for a model whose forecast has a length of its own."""
        ...

    def propose(self, market: Market, rows: Rows) -> Proposal:
        """One batch for all orders."""
        ...
