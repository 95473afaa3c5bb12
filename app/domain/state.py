"""An order's life as a frozen value: each transition returns the next one and what happened.

    accepted -> working -> completed | expired | cancelled

Sizes are counted in whole lots of what the order fixes: `lot` is the instrument's lot for a quantity, its notional
step for a notional. Nothing here reads a clock or a store.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import ROUND_CEILING, Decimal
from enum import StrEnum

from app.domain.bar import Bar
from app.domain.benchmark import BenchmarkSums, slippage_bps
from app.domain.errors import Conflict, InvalidInput
from app.domain.instrument import Instrument
from app.domain.numbers import ZERO, lots_within, require_aware, require_positive, whole_lots
from app.domain.order import Fills, Order, Side, SizeMode
from app.domain.projection import Projection, Room, slice_cap_lots
from app.domain.slice import Decided, Slice, Window


class Status(StrEnum):
    ACCEPTED = "accepted"
    WORKING = "working"
    PAUSED = "paused"
    COMPLETED = "completed"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    REJECTED = "rejected"
    REPLACED = "replaced"

    @property
    def live(self) -> bool:
        """Bars still matter to the order."""
        return self in (Status.ACCEPTED, Status.WORKING, Status.PAUSED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fill:
    """An execution that the OMS reports: base units at a price. `execution_id` is theirs and makes it idempotent."""

    execution_id: str
    slice_id: str
    quantity: Decimal
    price: Decimal
    executed_at: datetime

    def __post_init__(self) -> None:
        require_positive("quantity", self.quantity)
        require_positive("price", self.price)
        require_aware("executed_at", self.executed_at)


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderState:
    """The order and all that happened to it.

    `step` is the newest step with a slice (0 before the first); `next_open` opens the next window that needs one.
    `asked[i]` lots were asked for in step i + 1, `executed[i]` of the fixed size were traded in it. `sums` cover the
    closed windows. `lot` is in the unit that the order fixes, `base_lot` the instrument's own, in base units.
    `version` counts commits. `overdue` are slices whose window has ended while its bar is still missing, oldest first:
    the next slice did not wait for it.
    """

    order: Order
    lot: Decimal
    base_lot: Decimal
    total: int
    slice_cap: int
    min_notional: Decimal
    next_open: datetime
    status: Status = Status.ACCEPTED
    version: int = 0
    stopping: bool = False
    current: Slice | None = None
    overdue: tuple[Slice, ...] = ()
    asked: tuple[int, ...] = ()
    executed: tuple[Decimal, ...] = ()
    filled_quantity: Decimal = ZERO
    filled_notional: Decimal = ZERO
    sums: BenchmarkSums = field(default_factory=BenchmarkSums)
    arrival_price: Decimal | None = None

    @property
    def step(self) -> int:
        return len(self.asked)

    @property
    def awaits_bars(self) -> bool:
        """The order is live, or is done while the window of its last slice, which the benchmark covers, still runs."""
        return self.status.live or self.oldest_open is not None

    @property
    def oldest_open(self) -> Slice | None:
        """The slice whose window the next bar closes."""
        return self.overdue[0] if self.overdue else self.current

    @property
    def filled(self) -> Decimal:
        """In the unit that the order fixes."""
        return self.filled_quantity if self.order.size_mode is SizeMode.QUANTITY else self.filled_notional

    @property
    def leaves(self) -> Decimal:
        """FIX LeavesQty, in the unit that the order fixes; never negative."""
        return max(ZERO, self.order.size - self.filled)

    @property
    def avg_price(self) -> Decimal | None:
        return self.filled_notional / self.filled_quantity if self.filled_quantity else None

    @property
    def in_flight(self) -> Decimal:
        """What is asked for and not yet known to be traded: not to be asked for again in the next step.

        With reported fills that is the newest slice, with assumed fills every slice whose bar is missing.
        """
        if not self.asked:
            return ZERO
        if self.order.fills is Fills.ASSUMED:
            pieces = (*self.overdue, self.current) if self.current else self.overdue
            return sum((self.asked[piece.step - 1] * self.lot for piece in pieces), ZERO)
        return max(ZERO, self.asked[-1] * self.lot - self.executed[-1])

    @property
    def slippage_bps(self) -> Decimal | None:
        """So far, against the order's benchmark over its closed windows; positive is a cost."""
        benchmark, achieved = self.sums.price(self.order.benchmark), self.avg_price
        if benchmark is None or achieved is None:
            return None
        return slippage_bps(self.order.side.sign, achieved, benchmark)


def accept(order: Order, instrument: Instrument, first_open: datetime, last_price: Decimal) -> OrderState:
    """Start an order.

    Raises InvalidInput where it could never be met: no whole lots, worth too little, or a cap that cannot finish it.
    """
    by_quantity = order.size_mode is SizeMode.QUANTITY
    lot = instrument.lot_size if by_quantity else instrument.notional_step
    total = whole_lots(order.size_mode.value, order.size, lot)
    worth = order.size * last_price if by_quantity else order.size
    if worth < instrument.min_notional:
        raise InvalidInput(
            "below_min_notional",
            f"the order is worth {worth:f}, under the instrument's minimum of {instrument.min_notional}",
        )
    return OrderState(
        order=order,
        lot=lot,
        base_lot=instrument.lot_size,
        total=total,
        slice_cap=slice_cap_lots(total, order.limits.max_slice_fraction, order.horizon.max_steps),
        min_notional=instrument.min_notional,
        next_open=first_open,
        arrival_price=last_price,
    )


def room(working: OrderState, last_price: Decimal, expected_volume: Decimal | None) -> Room:
    """What the next step permits. `expected_volume` (base units) turns the participation rate into a cap; without it
    a participation limit permits nothing."""
    order = working.order
    unit_price = last_price if order.size_mode is SizeMode.NOTIONAL else Decimal(1)
    market_cap = None
    if order.limits.max_participation_rate is not None:
        volume = (expected_volume or ZERO) * unit_price
        market_cap = lots_within(order.limits.max_participation_rate * volume, working.lot)
    min_size = working.min_notional if order.size_mode is SizeMode.NOTIONAL else working.min_notional / last_price
    return Room(
        step=working.step + 1,
        min_steps=order.horizon.min_steps,
        max_steps=order.horizon.max_steps,
        total=working.total,
        leaves=lots_within(max(ZERO, working.leaves - working.in_flight), working.lot),
        slice_cap=working.slice_cap,
        market_cap=market_cap,
        min_slice=int((min_size / working.lot).to_integral_value(rounding=ROUND_CEILING)),
        stopping=working.stopping,
        price_blocked=_beyond_limit(order, last_price),
    )


def take(
    working: OrderState, projection: Projection, window: Window, decided: Decided, last_price: Decimal
) -> OrderState:
    """Add the slice of the next step; it becomes `current`, and a slice whose bar is missing becomes overdue."""
    order = working.order
    size = projection.lots * working.lot
    by_quantity = order.size_mode is SizeMode.QUANTITY
    step = working.step + 1
    done = working.filled + working.in_flight + size
    piece = Slice(
        slice_id=f"{order.order_id}-{step}",
        step=step,
        window=window,
        quantity=size if by_quantity else size / last_price,
        notional=size * last_price if by_quantity else size,
        fraction=size / order.size,
        cumulative_fraction=done / order.size,
        final=projection.final,
        stop_reason=projection.stop_reason,
        limit_price=order.limits.limit_price,
        bound_by=projection.bound_by,
        decided=decided,
    )
    return replace(
        working,
        status=Status.WORKING,
        stopping=projection.stopping,
        current=piece,
        overdue=(*working.overdue, working.current) if working.current else working.overdue,
        asked=(*working.asked, projection.lots),
        executed=(*working.executed, ZERO),
        next_open=window.end,
    )


def close_window(working: OrderState, bar: Bar) -> OrderState:
    """The oldest open window has closed with `bar` over it.

    With assumed fills the slice is filled at the bar's VWAP, unless that is beyond the limit price. The order is
    completed when nothing is left, and expired when something is left after max_steps; with reported fills it
    first waits one more step for the reports (see `give_up`).
    """
    piece = working.oldest_open
    if piece is None:
        return working
    closed = replace(
        working,
        current=working.current if working.overdue else None,
        overdue=working.overdue[1:],
        sums=working.sums.add(bar),
    )
    if working.order.fills is Fills.REPORTED:
        return closed
    size = working.asked[piece.step - 1] * working.lot
    if size and not _beyond_limit(working.order, bar.price):
        by_quantity = working.order.size_mode is SizeMode.QUANTITY
        quantity, notional = (size, size * bar.price) if by_quantity else (size / bar.price, size)
        closed = _booked(closed, piece.step, quantity, notional)
    return give_up(closed)


def give_up(working: OrderState) -> OrderState:
    """All steps have passed and something is left: the order is expired. Otherwise nothing changes."""
    if working.status.live and working.oldest_open is None and working.step == working.order.horizon.max_steps:
        return replace(working, status=Status.EXPIRED)
    return working


def apply_fill(working: OrderState, fill: Fill) -> OrderState:
    """Book a reported fill. It may come late, even after a cancel: then the status stays and the quantities move.

    Raises Conflict where it exceeds what its slice has left. For a notional slice, which whole lots seldom make
    exactly, one lot more than is left passes.
    """
    if working.order.fills is not Fills.REPORTED:
        raise Conflict("fills_assumed", "the order's fills are assumed; it takes no reports")
    steps = {f"{working.order.order_id}-{step}": step for step in range(1, working.step + 1)}
    step = steps.get(fill.slice_id)
    if step is None:
        raise InvalidInput("unknown_slice", f"the order has no slice {fill.slice_id}")
    by_quantity = working.order.size_mode is SizeMode.QUANTITY
    notional = fill.quantity * fill.price
    size = fill.quantity if by_quantity else notional
    rest = working.asked[step - 1] * working.lot - working.executed[step - 1]
    tolerance = ZERO if by_quantity else fill.price * working.base_lot
    if rest <= ZERO or size > rest + tolerance:
        raise Conflict("fill_exceeds_slice", f"slice {fill.slice_id} has {max(ZERO, rest)} left, less than {size}")
    return _booked(working, step, fill.quantity, notional)


def cancel(working: OrderState) -> OrderState:
    """No further slice. Raises Conflict where the order has already ended otherwise; twice is once."""
    if working.status is Status.CANCELLED:
        return working
    if not working.status.live:
        raise Conflict("order_ended", f"the order is {working.status} and cannot be cancelled")
    return replace(working, status=Status.CANCELLED, current=None)


def _beyond_limit(order: Order, price: Decimal) -> bool:
    limit = order.limits.limit_price
    if limit is None:
        return False
    return price > limit if order.side is Side.BUY else price < limit


def _booked(working: OrderState, step: int, quantity: Decimal, notional: Decimal) -> OrderState:
    size = quantity if working.order.size_mode is SizeMode.QUANTITY else notional
    executed = list(working.executed)
    executed[step - 1] += size
    booked = replace(
        working,
        executed=tuple(executed),
        filled_quantity=working.filled_quantity + quantity,
        filled_notional=working.filled_notional + notional,
    )
    if booked.status.live and booked.leaves < booked.lot:
        return replace(booked, status=Status.COMPLETED)
    return booked
