"""An order on the wire: as the OMS sends it, and as the service answers it."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any, Self

from pydantic import BeforeValidator, ConfigDict, Field, model_validator
from pydantic.config import JsonDict
from pydantic_core import PydanticCustomError

from app.api.values import (
    WHOLE,
    Answer,
    BpsOut,
    DecimalOut,
    Edge,
    Name,
    NotNegativeIn,
    PositiveIn,
    RateIn,
    TimeIn,
    TimeOut,
)
from app.domain.durations import DAY_SECONDS
from app.domain.lifecycle import Status, StopReason
from app.domain.order import (
    HORIZON_STEPS_MAX,
    REPORT_DELAY_SECONDS_MAX,
    AskedOrder,
    Benchmark,
    Fills,
    Horizon,
    HorizonInTime,
    Limits,
    Order,
    OrderInTime,
    Side,
    SizeMode,
    order_id_of,
)
from app.domain.state import OrderState

STEP_SECONDS_MAX = DAY_SECONDS

AT_LEAST_ONE: JsonDict = {"minimum": 1}
ONE_SIZE: JsonDict = {
    "oneOf": [
        {"required": [given], "properties": {given: {"type": "string"}, other: {"type": "null"}}}
        for given, other in (("quantity", "notional"), ("notional", "quantity"))
    ]
}
"""Said for readers of the OpenAPI document; `OrderIn` and the domain refuse with codes of their own."""

EXAMPLE: JsonDict = {
    "client_order_id": "oms-42",
    "instrument": "BTC-USDT",
    "side": "buy",
    "quantity": "12.5",
    "benchmark": "vwap",
    "horizon": {"min_steps": 4, "max_steps": 12},
    "limits": {"max_slice_fraction": "0.25"},
}


Steps = Annotated[int, Field(le=HORIZON_STEPS_MAX, json_schema_extra=AT_LEAST_ONE), WHOLE]
StepSeconds = Annotated[int, Field(le=STEP_SECONDS_MAX, json_schema_extra=AT_LEAST_ONE), WHOLE]


class HorizonIn(Edge):
    """The order ends at some step between `min_steps` and `max_steps`. A step is a bar of the instrument, or
    `step_seconds` long."""

    min_steps: Steps
    max_steps: Steps
    step_seconds: StepSeconds | None = None


class HorizonTimesIn(Edge):
    """Times in the place of steps. The order is accepted with the steps that these times leave of the trading windows
    from its first one on, and keeps them. It ends at `latest_end` or before, and not before the step in which
    `earliest_end` lies; where nobody trades then, not before the last step before it."""

    earliest_end: TimeIn
    latest_end: TimeIn
    step_seconds: StepSeconds | None = None


IN_STEPS, IN_TIMES = (kind.model_fields.keys() - {"step_seconds"} for kind in (HorizonIn, HorizonTimesIn))
"""The fields that only one kind of horizon has."""


def _one_kind(value: Any) -> HorizonIn | HorizonTimesIn:
    given = value.keys() if isinstance(value, dict) else set()
    steps, times = given & IN_STEPS, given & IN_TIMES
    if steps and times:
        raise PydanticCustomError(
            "horizon_ambiguous", "give min_steps and max_steps, or earliest_end and latest_end, not both"
        )
    return (HorizonTimesIn if times else HorizonIn).model_validate(value)


class LimitsIn(Edge):
    max_slice_fraction: RateIn | None = None
    max_participation_rate: RateIn | None = None
    limit_price: PositiveIn | None = None


class OrderIn(Edge):
    """Exactly one of `quantity` (base units) and `notional` (quote currency) is given. `risk_aversion` 0 asks for the
    best mean; without it the bundle's default holds. With reported fills, `report_delay_seconds` after its window's end
    what is not reported of a slice may be asked for again; without it after one step."""

    model_config = ConfigDict(json_schema_extra={"examples": [EXAMPLE], **ONE_SIZE})

    client_order_id: Name
    instrument: Name
    side: Annotated[Side, Field(strict=False)]
    quantity: PositiveIn | None = None
    notional: PositiveIn | None = None
    benchmark: Annotated[Benchmark, Field(strict=False)]
    horizon: Annotated[HorizonIn | HorizonTimesIn, BeforeValidator(_one_kind)]
    start_time: TimeIn | None = None
    limits: LimitsIn = LimitsIn()
    risk_aversion: NotNegativeIn | None = None
    fills: Annotated[Fills, Field(strict=False)] = Fills.ASSUMED
    report_delay_seconds: Annotated[int, Field(ge=0, le=REPORT_DELAY_SECONDS_MAX), WHOLE] | None = None

    @model_validator(mode="after")
    def _one_size(self) -> Self:
        if self.quantity is None and self.notional is None:
            raise PydanticCustomError("size_missing", "give either quantity or notional")
        if self.quantity is not None and self.notional is not None:
            raise PydanticCustomError("size_ambiguous", "give quantity or notional, not both")
        return self

    def to_domain(self) -> AskedOrder:
        """Raises InvalidInput for what no order can be."""
        by_quantity = self.quantity is not None
        terms: dict[str, Any] = {
            "order_id": order_id_of(self.client_order_id),
            "client_order_id": self.client_order_id,
            "instrument": self.instrument,
            "side": self.side,
            "size": (self.quantity if by_quantity else self.notional) or Decimal(0),
            "size_mode": SizeMode.QUANTITY if by_quantity else SizeMode.NOTIONAL,
            "benchmark": self.benchmark,
            "start_time": self.start_time,
            "limits": Limits(**vars(self.limits)),
            "risk_aversion": self.risk_aversion,
            "fills": self.fills,
            "report_delay_seconds": self.report_delay_seconds,
        }
        if isinstance(self.horizon, HorizonTimesIn):
            return OrderInTime(**terms, horizon=HorizonInTime(**vars(self.horizon)))
        return Order(**terms, horizon=Horizon(**vars(self.horizon)))


class HorizonOut(Answer):
    """`earliest_end` and `latest_end` are what the order gave, where it gave times; `min_steps` and `max_steps` are
    then what was counted when it was accepted."""

    min_steps: int
    max_steps: int
    step_seconds: int | None
    earliest_end: TimeOut | None
    latest_end: TimeOut | None

    @classmethod
    def of(cls, order: Order) -> Self:
        steps, times = order.horizon, order.horizon_in_time
        return cls(
            min_steps=steps.min_steps,
            max_steps=steps.max_steps,
            step_seconds=steps.step_seconds,
            earliest_end=times.earliest_end if times else None,
            latest_end=times.latest_end if times else None,
        )


class LimitsOut(Answer):
    max_slice_fraction: DecimalOut | None
    max_participation_rate: DecimalOut | None
    limit_price: DecimalOut | None


OUT_EXAMPLE: JsonDict = EXAMPLE | {
    "order_id": "0b7e9f0e-5d0b-5a53-8c4c-2f6c2d6a3c11",
    "status": "working",
    "notional": None,
    "horizon": {"min_steps": 4, "max_steps": 12, "step_seconds": None, "earliest_end": None, "latest_end": None},
    "limits": {"max_slice_fraction": "0.25", "max_participation_rate": None, "limit_price": None},
    "start_time": None,
    "risk_aversion": None,
    "fills": "assumed",
    "report_delay_seconds": None,
    "step": 3,
    "filled_quantity": "2.4",
    "filled_notional": "240480",
    "leaves": "10.1",
    "unpriced": "0",
    "in_flight": "1.1",
    "over_filled": "0",
    "avg_price": "100200",
    "arrival_price": "100150",
    "benchmark_price": "100210.5",
    "benchmark_partial": False,
    "slippage_bps": "-1.0478",
    "stop_reason": None,
}


class OrderOut(Answer):
    """`leaves`, `in_flight`, `over_filled` and `unpriced` are in the unit that the order fixes: what is not traded,
    what of it is asked for already, what was reported beyond what was in flight, and what was assumed to be filled
    while nobody saw the market. `step` is the newest step with a slice. The benchmark covers the closed windows so far;
    `benchmark_partial` tells that the feed had a gap in them, which is left out. `avg_price` and `slippage_bps` leave
    out what is unpriced. `slippage_bps` is positive for a cost. `stop_reason` says why the last slice was the last."""

    model_config = ConfigDict(json_schema_extra={"examples": [OUT_EXAMPLE]})

    order_id: str
    client_order_id: str
    status: Status
    instrument: str
    side: Side
    quantity: DecimalOut | None
    notional: DecimalOut | None
    benchmark: Benchmark
    horizon: HorizonOut
    start_time: TimeOut | None
    limits: LimitsOut
    risk_aversion: DecimalOut | None
    fills: Fills
    report_delay_seconds: int | None
    step: int
    filled_quantity: DecimalOut
    filled_notional: DecimalOut
    leaves: DecimalOut
    in_flight: DecimalOut
    over_filled: DecimalOut
    unpriced: DecimalOut
    avg_price: DecimalOut | None
    arrival_price: DecimalOut | None
    benchmark_price: DecimalOut | None
    benchmark_partial: bool
    slippage_bps: BpsOut | None
    stop_reason: StopReason | None

    @classmethod
    def of(cls, state: OrderState) -> Self:
        order = state.order
        by_quantity = order.size_mode is SizeMode.QUANTITY
        return cls(
            order_id=order.order_id,
            client_order_id=order.client_order_id,
            status=state.status,
            instrument=order.instrument,
            side=order.side,
            quantity=order.size if by_quantity else None,
            notional=None if by_quantity else order.size,
            benchmark=order.benchmark,
            horizon=HorizonOut.of(order),
            start_time=order.start_time,
            limits=LimitsOut.model_validate(order.limits, from_attributes=True),
            risk_aversion=order.risk_aversion,
            fills=order.fills,
            report_delay_seconds=order.report_delay_seconds,
            step=state.step,
            filled_quantity=state.filled_quantity,
            filled_notional=state.filled_notional,
            leaves=state.leaves,
            in_flight=state.in_flight,
            over_filled=state.over_filled,
            unpriced=state.unpriced,
            avg_price=state.avg_price,
            arrival_price=state.arrival_price,
            benchmark_price=state.sums.price(order.benchmark),
            benchmark_partial=state.sums.partial,
            slippage_bps=state.slippage_bps,
            stop_reason=state.stop_reason,
        )


class OrdersOut(Answer):
    """`next_cursor` asks for the next page; null on the last."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"orders": [OUT_EXAMPLE], "next_cursor": None}]})

    orders: list[OrderOut]
    next_cursor: str | None
