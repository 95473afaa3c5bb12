"""An order on the wire: as the OMS sends it, and as the service answers it."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any, Self

from pydantic import ConfigDict, Field, model_validator
from pydantic.config import JsonDict
from pydantic_core import PydanticCustomError

from app.api.access.callers import account_for
from app.api.orders.example import EXAMPLE, OUT_EXAMPLE
from app.api.orders.terms import AskedHorizon, HorizonOut, HorizonTimesIn, LimitsIn, LimitsOut
from app.api.values import (
    WHOLE,
    Answer,
    BpsOut,
    DecimalOut,
    Edge,
    Name,
    PositiveIn,
    RiskAversionIn,
    RiskAversionOut,
    TimeIn,
    TimeOut,
)
from app.domain.lifecycle import Status, StopReason
from app.domain.order import (
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
from app.domain.order_words import Completion
from app.domain.state import OrderState

ONE_SIZE: JsonDict = {
    "oneOf": [
        {"required": [given], "properties": {given: {"type": "string"}, other: {"type": "null"}}}
        for given, other in (("quantity", "notional"), ("notional", "quantity"))
    ]
}
"""Said for readers of the OpenAPI document; `OrderIn` and the domain refuse with codes of their own."""


class OrderIn(Edge):
    """An order as the OMS sends it. Exactly one of `quantity` and `notional` is given."""

    model_config = ConfigDict(json_schema_extra={"examples": [EXAMPLE], **ONE_SIZE})

    client_order_id: Name
    """Your own name of the order, 1 to 128 printable characters. The same name with the same order again is answered
    with the first order."""
    instrument: Name
    """Symbol of a registered instrument that has at least one bar."""
    side: Annotated[Side, Field(strict=False)]
    """Whether the order buys or sells."""
    quantity: PositiveIn | None = None
    """Size in base units, in whole lots; above 0. Give either it or `notional`."""
    notional: PositiveIn | None = None
    """Size in quote currency, a multiple of the instrument's `notional_step`; above 0. Give either it or `quantity`."""
    benchmark: Annotated[Benchmark, Field(strict=False)]
    """What the achieved price is held against, from the order's first step to its last."""
    horizon: AskedHorizon
    """Between which steps, or which times, the order ends."""
    start_time: TimeIn | None = None
    """The first window opens then or later: RFC 3339 with an offset, at most 300 days ahead. Without it the order
    starts now."""
    limits: LimitsIn = LimitsIn()
    """Hard limits of every slice; none where they are left out."""
    risk_aversion: RiskAversionIn | None = None
    """0 asks for the best mean, more for a smaller spread of outcomes; at least 0, or a name: what `neutral`, `default`
    and `tracking` mean is in the bundle's card. Without it the bundle's default holds."""
    completion: Annotated[Completion, Field(strict=False)] = Completion.WITHIN_LIMITS
    """What becomes of an order that its participation limit would leave unfinished."""
    fills: Annotated[Fills, Field(strict=False)] = Fills.ASSUMED
    """Whether slices count as filled when their bar closes, or only as you report them."""
    report_delay_seconds: Annotated[int, Field(ge=0, le=REPORT_DELAY_SECONDS_MAX), WHOLE] | None = None
    """With reported fills: how many seconds after its window's end a slice stays in flight before its rest may be asked
    for again, 0 to 604,800. Without it one step."""
    account: Name | None = None
    """Whose order it is, 1 to 128 printable characters. Where the API key is bound to an account, the order is that
    one's."""
    model: Name | None = None
    """The bundle that is to decide the order: a name as `GET /v1/models` answers it, or the part before the `@` where
    one bundle alone has that name. Without it the active one decides."""

    @model_validator(mode="after")
    def _one_size(self) -> Self:
        if self.quantity is None and self.notional is None:
            raise PydanticCustomError("size_missing", "give either quantity or notional")
        if self.quantity is not None and self.notional is not None:
            raise PydanticCustomError("size_ambiguous", "give quantity or notional, not both")
        return self

    def to_domain(self, own_account: str | None = None) -> AskedOrder:
        """`own_account` is the one that the caller's key is bound to. Raises InvalidInput for what no order can be, and
        Forbidden("foreign_account")."""
        by_quantity = self.quantity is not None
        account = account_for(own_account, self.account)
        terms: dict[str, Any] = {
            "order_id": order_id_of(self.client_order_id, account),
            "client_order_id": self.client_order_id,
            "instrument": self.instrument,
            "side": self.side,
            "size": (self.quantity if by_quantity else self.notional) or Decimal(0),
            "size_mode": SizeMode.QUANTITY if by_quantity else SizeMode.NOTIONAL,
            "benchmark": self.benchmark,
            "start_time": self.start_time,
            "limits": Limits(**vars(self.limits)),
            "risk_aversion": self.risk_aversion,
            "completion": self.completion,
            "fills": self.fills,
            "report_delay_seconds": self.report_delay_seconds,
            "account": account,
            "model": self.model,
        }
        if isinstance(self.horizon, HorizonTimesIn):
            return OrderInTime(**terms, horizon=HorizonInTime(**vars(self.horizon)))
        return Order(**terms, horizon=Horizon(**vars(self.horizon)))


class OrderOut(Answer):
    """An order as it stands."""

    model_config = ConfigDict(json_schema_extra={"examples": [OUT_EXAMPLE]})

    order_id: str
    """Our name of the order. It follows from `client_order_id`."""
    client_order_id: str
    """Your name of the order."""
    status: Status
    """Where the order is in its life."""
    instrument: str
    """Symbol of the instrument."""
    side: Side
    """Whether the order buys or sells."""
    quantity: DecimalOut | None
    """Size in base units; null where the order fixes its notional."""
    notional: DecimalOut | None
    """Size in quote currency; null where the order fixes its quantity."""
    benchmark: Benchmark
    """What the achieved price is held against."""
    horizon: HorizonOut
    """Between which steps the order ends."""
    start_time: TimeOut | None
    """As the order gave it, in UTC; null where it gave none."""
    limits: LimitsOut
    """The limits that the order was given."""
    risk_aversion: RiskAversionOut | None
    """As the order gave it, a decimal or a name; null for the bundle's default."""
    completion: Completion
    """What becomes of an order that its participation limit would leave unfinished."""
    fills: Fills
    """Whether slices count as filled when their bar closes, or only as you report them."""
    report_delay_seconds: int | None
    """As the order gave it; null for one step."""
    account: str | None
    """Whose order it is; null where it belongs to no account."""
    model: str | None
    """Name and digest of the bundle that decides the order, from its acceptance to its end; null for an order of an
    earlier release."""
    step: int
    """Newest step that has a slice; 0 before the first one."""
    filled_quantity: DecimalOut
    """What is traded, in base units."""
    filled_notional: DecimalOut
    """What is traded, in quote currency."""
    leaves: DecimalOut
    """What is not traded yet, in the unit that the order fixes."""
    in_flight: DecimalOut
    """What of the leaves is asked for already, in the unit that the order fixes."""
    over_filled: DecimalOut
    """What was reported beyond what was in flight, in the unit that the order fixes."""
    behind: DecimalOut
    """What cannot be done in time within the limits at the volume that is expected, as of the newest slice, in the unit
    that the order fixes; 0 where the order is on track or has ended."""
    unpriced: DecimalOut
    """What was assumed to be filled while nobody saw the market, in the unit that the order fixes. The average price
    and the slippage leave it out."""
    avg_price: DecimalOut | None
    """Average price of what is traded, in quote currency; null before the first fill."""
    arrival_price: DecimalOut | None
    """Last close before the first step, in quote currency; null before the order has begun."""
    benchmark_price: DecimalOut | None
    """The benchmark over the windows that have closed so far, in quote currency; null before the first."""
    benchmark_partial: bool
    """Whether windows are left out of the benchmark because the feed had a gap there."""
    slippage_bps: BpsOut | None
    """sign * (avg_price / benchmark_price - 1) * 10,000 in basis points, rounded to 4 decimals; positive is a cost.
    Null while either price is."""
    stop_reason: StopReason | None
    """Why the last slice was the last; null before that."""
    replaces: str | None
    """The `order_id` of the order in whose place this one stands; null where it replaces none."""
    replaced_by: str | None
    """The `order_id` of the order that stands in the place of this one; null where none does."""

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
            completion=order.completion,
            fills=order.fills,
            report_delay_seconds=order.report_delay_seconds,
            account=order.account,
            model=state.bundle,
            step=state.step,
            filled_quantity=state.filled_quantity,
            filled_notional=state.filled_notional,
            leaves=state.leaves,
            in_flight=state.in_flight,
            over_filled=state.over_filled,
            behind=state.behind,
            unpriced=state.unpriced,
            avg_price=state.avg_price,
            arrival_price=state.arrival_price,
            benchmark_price=state.sums.price(order.benchmark),
            benchmark_partial=state.sums.partial,
            slippage_bps=state.slippage_bps,
            stop_reason=state.stop_reason,
            replaces=order.replaces,
            replaced_by=state.replaced_by,
        )


class OrdersOut(Answer):
    """`next_cursor` asks for the next page; null on the last."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"orders": [OUT_EXAMPLE], "next_cursor": None}]})

    orders: list[OrderOut]
    """By instrument and, within it, in order of acceptance."""
    next_cursor: str | None
    """Asks for the next page, as `cursor`; null on the last page."""
