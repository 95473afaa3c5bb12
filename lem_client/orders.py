"""Orders as they are sent and as they stand."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from lem_client.words import Benchmark, Completion, Fills, OrderWarning, RiskAversion, Side, Status, StopReason


@dataclass(frozen=True, slots=True, kw_only=True)
class Horizon:
    """The order ends at some step between both. A step lasts `step_seconds`, or one bar of the instrument."""

    min_steps: int
    max_steps: int
    step_seconds: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class HorizonInTime:
    """The order ends at some step between both times."""

    earliest_end: datetime
    latest_end: datetime
    step_seconds: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Hard limits of every slice: as a fraction of the order, as a fraction of the volume that the market is expected
    to trade, and a price beyond which nothing is asked for (quote currency). At the `finish_price` or better the order
    is finished at once. Windows that touch so many first or last minutes of a session trade nothing."""

    max_slice_fraction: Decimal | None = None
    max_participation_rate: Decimal | None = None
    limit_price: Decimal | None = None
    finish_price: Decimal | None = None
    avoid_open_minutes: int | None = None
    avoid_close_minutes: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NewOrder:
    """Give either `quantity` (base units) or `notional` (quote currency). `client_order_id` is your own name of the
    order: sent twice, it is one order. `account` is whose order it is; an API key that is bound to an account
    decides it. `model` names the bundle that is to decide it. The service decides what is None."""

    client_order_id: str
    instrument: str
    side: Side
    benchmark: Benchmark
    horizon: Horizon | HorizonInTime
    quantity: Decimal | None = None
    notional: Decimal | None = None
    start_time: datetime | None = None
    limits: Limits = Limits()
    risk_aversion: Decimal | RiskAversion | None = None
    completion: Completion = Completion.WITHIN_LIMITS
    fills: Fills = Fills.ASSUMED
    report_delay_seconds: int | None = None
    account: str | None = None
    model: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AcceptedHorizon:
    """The steps of an accepted order, and the times that the order gave, where it gave times."""

    min_steps: int
    max_steps: int
    step_seconds: int | None
    earliest_end: datetime | None = None
    latest_end: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """An order as it stands. `leaves`, `in_flight`, `over_filled`, `behind` and `unpriced` are in the unit that the
    order fixes; `behind` is what cannot be done in time within the limits, at the volume that is expected. Prices are
    quote currency. A positive `slippage_bps` is a cost. `replaces` and `replaced_by` are the `order_id` of the order in
    whose place this one stands, and of the one that stands in its place. `model` is the bundle that decides the order
    for all its life."""

    order_id: str
    client_order_id: str
    status: Status
    instrument: str
    side: Side
    quantity: Decimal | None
    notional: Decimal | None
    benchmark: Benchmark
    horizon: AcceptedHorizon
    start_time: datetime | None
    limits: Limits
    risk_aversion: Decimal | RiskAversion | None
    completion: Completion
    fills: Fills
    report_delay_seconds: int | None
    account: str | None
    model: str | None = None
    step: int
    filled_quantity: Decimal
    filled_notional: Decimal
    leaves: Decimal
    in_flight: Decimal
    over_filled: Decimal
    behind: Decimal
    unpriced: Decimal
    avg_price: Decimal | None
    arrival_price: Decimal | None
    benchmark_price: Decimal | None
    benchmark_partial: bool
    slippage_bps: Decimal | None
    stop_reason: StopReason | None
    replaces: str | None
    replaced_by: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DryRun(Order):
    """An order as it would be accepted, and what is odd about it."""

    warnings: tuple[OrderWarning, ...]
