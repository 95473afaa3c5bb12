"""The mandate that an OMS gives, before anything of it is traded."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from functools import lru_cache
from itertools import product
from typing import Any, Self
from uuid import UUID, uuid5

from app.domain.durations import WEEK_SECONDS
from app.domain.errors import InvalidInput
from app.domain.numbers import require_aware, require_fraction, require_not_negative, require_positive
from app.domain.order_words import Completion, RiskAversion

CLIENT_ORDER_ID_LENGTH_MAX = 128
ACCOUNT_LENGTH_MAX = 128
HORIZON_STEPS_MAX = 10_000
REPORT_DELAY_SECONDS_MAX = WEEK_SECONDS
AVOID_MINUTES_MAX = 1_440
ORDER_ID_NAMESPACE = UUID("5f1c1f3e-6d3b-4f0e-9a55-0c8a4a6b7d21")
IDS_CACHED = 1_000
ACCOUNT_SEPARATOR = "\x1f"
"""Between an account and a `client_order_id`, neither of which has control characters."""


class Side(StrEnum):
    """Whether the order buys or sells base units."""

    BUY = "buy"
    SELL = "sell"

    @property
    def sign(self) -> int:
        return 1 if self is Side.BUY else -1


class Benchmark(StrEnum):
    """What the achieved price is held against, over the order's first step to its last: the average price of the bars
    weighted by their volume (`vwap`), or by time (`twap`)."""

    VWAP = "vwap"
    TWAP = "twap"


class SizeMode(StrEnum):
    """Which of the two the order fixes: base units, or quote currency."""

    QUANTITY = "quantity"
    NOTIONAL = "notional"


class Fills(StrEnum):
    """`assumed`: a slice counts as filled at its bar's VWAP when it closes; `reported`: only the OMS' fills do."""

    ASSUMED = "assumed"
    REPORTED = "reported"


@dataclass(frozen=True, slots=True)
class Scenario:
    """One of the 8 = side x benchmark x size_mode; `index` is its place in `SCENARIOS` and in the model's tensors."""

    side: Side
    benchmark: Benchmark
    size_mode: SizeMode

    @property
    def index(self) -> int:
        return scenario_index(self.side, self.benchmark, self.size_mode)


def scenario_index(side: Side, benchmark: Benchmark, size_mode: SizeMode) -> int:
    """Reckoned, since to look for it takes longer and every order is asked with every bar."""
    return 4 * (side is Side.SELL) + 2 * (benchmark is Benchmark.TWAP) + (size_mode is SizeMode.NOTIONAL)


SCENARIOS: tuple[Scenario, ...] = tuple(Scenario(*words) for words in product(Side, Benchmark, SizeMode))


@lru_cache(maxsize=IDS_CACHED)
def order_id_of(client_order_id: str, account: str | None = None) -> str:
    """Our id of the order. The id follows from `client_order_id`, so a retry after a lost answer finds the order; two
    accounts may use the same `client_order_id` and know nothing of each other. Kept for a moment, since whoever takes
    an order checks its id."""
    name = client_order_id if account is None else f"{account}{ACCOUNT_SEPARATOR}{client_order_id}"
    return str(uuid5(ORDER_ID_NAMESPACE, name))


@dataclass(frozen=True, slots=True, kw_only=True)
class Horizon:
    """The order ends at some step between `min_steps` and `max_steps`. A step lasts `step_seconds`, the
    instrument's bar where None."""

    min_steps: int
    max_steps: int
    step_seconds: int | None = None

    def __post_init__(self) -> None:
        if self.min_steps < 1:
            detail = f"min_steps is {self.min_steps}; it must be at least 1"
            raise InvalidInput("bad_horizon", detail, "#/horizon/min_steps")
        if self.min_steps > self.max_steps:
            detail = f"min_steps {self.min_steps} is above max_steps {self.max_steps}"
            raise InvalidInput("horizon_inverted", detail, "#/horizon/min_steps")
        _require_step_length(self.step_seconds)


@dataclass(frozen=True, slots=True, kw_only=True)
class HorizonInTime:
    """The order ends not before `earliest_end` and not after `latest_end`. `step_seconds` as in `Horizon`."""

    earliest_end: datetime
    latest_end: datetime
    step_seconds: int | None = None

    def __post_init__(self) -> None:
        require_aware("earliest_end", self.earliest_end)
        require_aware("latest_end", self.latest_end)
        if self.earliest_end > self.latest_end:
            detail = f"earliest_end {self.earliest_end.isoformat()} is after latest_end {self.latest_end.isoformat()}"
            raise InvalidInput("horizon_inverted", detail, "#/horizon/earliest_end")
        _require_step_length(self.step_seconds)


def _require_step_length(step_seconds: int | None) -> None:
    if step_seconds is not None and step_seconds < 1:
        detail = f"step_seconds is {step_seconds}; it must be at least 1"
        raise InvalidInput("bad_horizon", detail, "#/horizon/step_seconds")


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Hard limits. Both rates are fractions in (0, 1]: of the order per slice, and of the market's volume per step.
    No slice trades above (buy) or below (sell) `limit_price`. Where the market is at `finish_price` or better, the
    order is finished at once. Windows that touch the first `avoid_open_minutes` or the last `avoid_close_minutes` of
    a session trade nothing."""

    max_slice_fraction: Decimal | None = None
    max_participation_rate: Decimal | None = None
    limit_price: Decimal | None = None
    finish_price: Decimal | None = None
    avoid_open_minutes: int | None = None
    avoid_close_minutes: int | None = None

    def __post_init__(self) -> None:
        if self.max_slice_fraction is not None:
            require_fraction("max_slice_fraction", self.max_slice_fraction, "#/limits")
        if self.max_participation_rate is not None:
            require_fraction("max_participation_rate", self.max_participation_rate, "#/limits")
        if self.limit_price is not None:
            require_positive("limit_price", self.limit_price, "#/limits")
        if self.finish_price is not None:
            require_positive("finish_price", self.finish_price, "#/limits")
        _require_at_most(AVOID_MINUTES_MAX, self.avoid_open_minutes, "avoid_open_minutes", "#/limits")
        _require_at_most(AVOID_MINUTES_MAX, self.avoid_close_minutes, "avoid_close_minutes", "#/limits")

    @property
    def avoids(self) -> bool:
        """Whether there are minutes of a session in which nothing is to be traded."""
        return bool(self.avoid_open_minutes or self.avoid_close_minutes)


def _require_at_most(highest: int, value: int | None, name: str, within: str = "#") -> None:
    if value is not None and not 0 <= value <= highest:
        raise InvalidInput("out_of_range", f"{name} is {value}; it must be 0 to {highest}", f"{within}/{name}")


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderTerms:
    """What the OMS says of an order, but for its horizon. `size` is base units or quote currency, as `size_mode` says;
    `risk_aversion` is None for the bundle's default, 0 for the best mean, or a name. With reported fills, a slice is in
    flight for `report_delay_seconds` after its window's end, None for one step. `account` is whose order it is, None
    for one that belongs to no account. `replaces` is the order in whose place this one is to stand. `model` names the
    bundle that is to decide the order, None for the active one."""

    order_id: str
    client_order_id: str
    instrument: str
    side: Side
    size: Decimal
    size_mode: SizeMode
    benchmark: Benchmark
    start_time: datetime | None = None
    limits: Limits = field(default_factory=Limits)
    risk_aversion: Decimal | RiskAversion | None = None
    completion: Completion = Completion.WITHIN_LIMITS
    fills: Fills = Fills.ASSUMED
    report_delay_seconds: int | None = None
    account: str | None = None
    replaces: str | None = None
    model: str | None = None

    def __post_init__(self) -> None:
        if not 1 <= len(self.client_order_id) <= CLIENT_ORDER_ID_LENGTH_MAX:
            raise InvalidInput(
                "bad_client_order_id", f"client_order_id must have 1 to {CLIENT_ORDER_ID_LENGTH_MAX} characters"
            )
        if self.account is not None and not 1 <= len(self.account) <= ACCOUNT_LENGTH_MAX:
            raise InvalidInput("bad_account", f"account must have 1 to {ACCOUNT_LENGTH_MAX} characters", "#/account")
        require_positive(self.size_mode.value, self.size)
        if self.start_time is not None:
            require_aware("start_time", self.start_time)
        if isinstance(self.risk_aversion, Decimal):
            require_not_negative("risk_aversion", self.risk_aversion)
        _require_at_most(REPORT_DELAY_SECONDS_MAX, self.report_delay_seconds, "report_delay_seconds")

    @property
    def scenario(self) -> Scenario:
        return Scenario(self.side, self.benchmark, self.size_mode)


@dataclass(frozen=True, slots=True, kw_only=True)
class Order(OrderTerms):
    """The mandate accepted from the OMS. Where the OMS gave the horizon in time, it is kept as `horizon_in_time`, and
    `horizon` has the steps that were counted when the order was accepted: they stay what they were."""

    horizon: Horizon
    horizon_in_time: HorizonInTime | None = None

    @classmethod
    def of(cls, terms: OrderTerms, horizon: Horizon, horizon_in_time: HorizonInTime | None = None) -> Self:
        return cls(**_values(terms), horizon=horizon, horizon_in_time=horizon_in_time)


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderInTime(OrderTerms):
    """An order whose horizon is given in time, before anybody has counted its steps."""

    horizon: HorizonInTime

    @classmethod
    def of(cls, terms: OrderTerms, horizon: HorizonInTime) -> Self:
        return cls(**_values(terms), horizon=horizon)

    def in_steps(self, min_steps: int, max_steps: int) -> Order:
        """The order as it is accepted, with the steps that lie between the times."""
        steps = Horizon(min_steps=min_steps, max_steps=max_steps, step_seconds=self.horizon.step_seconds)
        return Order.of(self, steps, self.horizon)


def _values(terms: OrderTerms) -> dict[str, Any]:
    return {each.name: getattr(terms, each.name) for each in fields(OrderTerms)}


AskedOrder = Order | OrderInTime
"""An order as it comes from the OMS."""
