"""What orders cost, held against the market: one order, or many. Slippage and shortfall are basis points, and positive
where the order paid; gains are positive where the order earned."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from lem_client.words import Benchmark, Side, SizeMode, Status


@dataclass(frozen=True, slots=True, kw_only=True)
class AgainstMarket:
    """The market over some of an order's windows, of which `steps` have closed, and the order's average price against
    it. `partial`: a window, or a part of one, was not seen. Prices are None before the first window has closed."""

    steps: int
    steps_max: int
    partial: bool
    vwap: Decimal | None
    twap: Decimal | None
    vwap_slippage_bps: Decimal | None
    twap_slippage_bps: Decimal | None


@dataclass(frozen=True, slots=True, kw_only=True)
class GainParts:
    """What an even pace would have gained by ending when the order did, what its own slices gained beyond that, and
    what a fixed notional gains by being fixed."""

    stop_bps: Decimal
    pace_bps: Decimal
    convexity_bps: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class TradedParticipation:
    """Fractions of the market's volume: over all windows that were seen, and in the busiest one."""

    overall: Decimal
    busiest: Decimal
    busiest_step: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Analysis:
    """What one order cost. `final`: no figure will change. `size`, `filled`, `leaves` and `unpriced` are in the unit
    that the order fixes, prices in quote currency. `stop_earned_bps` is what ending before `max_steps` earned, None
    until the last of these windows has closed. `reversion_bps` tells by how much the price had gone back 1, 5 and 30
    bars after the last window."""

    order_id: str
    client_order_id: str
    status: Status
    final: bool
    partial: bool
    instrument: str
    side: Side
    benchmark: Benchmark
    size_mode: SizeMode
    min_steps: int
    max_steps: int
    steps_used: int
    started_at: datetime | None
    models: tuple[str, ...]
    size: Decimal
    filled: Decimal
    leaves: Decimal
    unpriced: Decimal
    avg_price: Decimal | None
    arrival_price: Decimal | None
    last_price: Decimal | None
    benchmark_price: Decimal | None
    slippage_bps: Decimal | None
    arrival_slippage_bps: Decimal | None
    shortfall_bps: Decimal | None
    to_end: AgainstMarket
    to_max_steps: AgainstMarket
    stop_earned_bps: Decimal | None
    gain_parts: GainParts | None
    participation: TradedParticipation | None
    reversion_bps: Mapping[str, Decimal | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class WantedOrders:
    """Which orders are analysed: those that fit all that is given. `final`: their figures will not change; `model`: it
    has decided one of their slices; `started_from` and `started_before` bound when their first window opened."""

    status: Status | None = None
    instrument: str | None = None
    account: str | None = None
    side: Side | None = None
    benchmark: Benchmark | None = None
    size_mode: SizeMode | None = None
    min_steps: int | None = None
    model: str | None = None
    final: bool | None = None
    started_from: datetime | None = None
    started_before: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Distribution:
    """One figure over the orders for which it is known."""

    orders: int
    mean: Decimal
    std: Decimal
    p5: Decimal
    q25: Decimal
    median: Decimal
    q75: Decimal
    p95: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals:
    """How many orders there are, how many of them are `final`, `partial` or have something `unpriced`, and the
    distribution of each figure by its name, such as `slippage_bps`."""

    orders: int
    final: int
    partial: int
    unpriced: int
    figures: Mapping[str, Distribution]


@dataclass(frozen=True, slots=True, kw_only=True)
class Group(Totals):
    """Orders that are alike. `model` decided their first slice; None before it."""

    side: Side
    size_mode: SizeMode
    benchmark: Benchmark
    min_steps: int
    max_steps: int
    model: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Analyses:
    """What many orders cost: `all` of them, and `groups` of those that are alike. Orders on the instruments `left_out`,
    which cannot be opened now, are missing."""

    all: Totals
    groups: tuple[Group, ...]
    left_out: tuple[str, ...]
