"""An order and all that has happened to it, as a frozen value. What moves it is in transitions.py.

Sizes are counted in whole lots of what the order fixes: `lot` is the instrument's lot for a quantity, its notional
step for a notional.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from decimal import ROUND_CEILING, Decimal

from app.domain.benchmark import BenchmarkSums, slippage_bps
from app.domain.earlier import Earlier, owner_of
from app.domain.lifecycle import Status, StopReason, stop_reason
from app.domain.numbers import EXACT, ZERO, exact_sum, lots_within, ratio
from app.domain.order import Fills, Order, Side
from app.domain.order_words import Completion
from app.domain.projection import Room
from app.domain.sizing import fixed_of, size_of, size_worth
from app.domain.slice import ReportsDue, Slice
from app.domain.steps_ahead import StepsAhead

STEP_DIGITS_MAX = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderState:
    """The order and all that happened to it.

    `step` is the newest step with a slice (0 before the first); `next_open` opens the next window that needs one.
    `asked[i]` lots were asked for in step i + 1, `executed[i]` of the fixed size were traded in it. `sums` cover the
    closed windows. `lot` is in the unit that the order fixes, `base_lot` the instrument's own, in base units.
    `version` counts commits. `overdue` are slices whose window has ended while its bar is still missing, oldest first:
    the next slice did not wait for it. `reports_due` are the slices, oldest first, whose fills are still to be
    reported; `over_filled` is what was reported, in the unit that the order fixes, beyond what was in flight then.
    `unpriced_quantity` and `unpriced_notional` are the parts of what is filled that were assumed to trade in windows
    that nobody saw: they are booked at the last known price, not at the market's. `models` are the policies that have
    decided its slices, in the order in which they first did. `withheld` is the step of the newest slice that a pause
    has taken back before its window began: it is offered to nobody; 0 where there is none. `earlier` are the orders in
    whose place this one stands, oldest first: steps and all else count on from theirs. `replaced_by` is the order that
    stands in the place of this one. `out_of_reach` is what the newest slice and those to come cannot trade within the
    limits at the volume that was expected when that slice was decided. `stopped_by` is why the newest slice is meant to
    be the last, where that does not follow from the rest. `bundle` is the model that decides the order for all its
    life, as it was when the order was accepted; None for an order of an earlier release.
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
    reports_due: tuple[ReportsDue, ...] = ()
    over_filled: Decimal = ZERO
    filled_quantity: Decimal = ZERO
    filled_notional: Decimal = ZERO
    unpriced_quantity: Decimal = ZERO
    unpriced_notional: Decimal = ZERO
    sums: BenchmarkSums = field(default_factory=BenchmarkSums)
    arrival_price: Decimal | None = None
    models: tuple[str, ...] = ()
    withheld: int = 0
    earlier: tuple[Earlier, ...] = ()
    replaced_by: str | None = None
    out_of_reach: Decimal = ZERO
    stopped_by: StopReason | None = None
    bundle: str | None = None

    @property
    def order_id(self) -> str:
        return self.order.order_id

    @property
    def step(self) -> int:
        return len(self.asked)

    def step_of(self, slice_id: str) -> int | None:
        """The step of the order's slice of that name; None where the order has none of it."""
        digits = slice_id.rpartition("-")[2]
        step = int(digits) if digits.isascii() and digits.isdecimal() and len(digits) < STEP_DIGITS_MAX else 0
        return step if 1 <= step <= self.step and slice_id == self.slice_id_of(step) else None

    def slice_id_of(self, step: int) -> str:
        """The slice of the step, which one of the earlier orders may have asked for."""
        if step >= self.first_own_step:
            return f"{self.order_id}-{step}"
        return f"{owner_of(self.earlier, step)}-{step}"

    @property
    def first_own_step(self) -> int:
        """The first step whose slice is not one of the earlier orders'."""
        return self.earlier[-1].last_step + 1 if self.earlier else 1

    @property
    def chain_id(self) -> str:
        """The first of the orders that have replaced one another; the order itself where it replaces none. The fills of
        all of them are booked under its name, each once."""
        return self.earlier[0].order_id if self.earlier else self.order_id

    @property
    def at_last_step(self) -> bool:
        """Every step of the horizon has its slice."""
        return self.step == self.order.horizon.max_steps

    @property
    def awaits_bars(self) -> bool:
        """The order is live, or has ended while the window of its last slice, which the benchmark covers, still runs or
        slices are in flight."""
        return self.status.live or self.oldest_open is not None or bool(self.reports_due)

    @property
    def oldest_open(self) -> Slice | None:
        """The slice whose window the next bar closes."""
        return self.overdue[0] if self.overdue else self.current

    @property
    def filled(self) -> Decimal:
        """What is traded, in the unit that the order fixes."""
        return fixed_of(self.order.size_mode, self.filled_quantity, self.filled_notional)

    @property
    def leaves(self) -> Decimal:
        """FIX LeavesQty, in the unit that the order fixes; never negative."""
        return max(ZERO, EXACT.subtract(self.order.size, self.filled))

    @property
    def behind(self) -> Decimal:
        """What of a live order cannot be done in time within its limits, as far as is known; 0 where it is on track."""
        return self.out_of_reach if self.status.live else ZERO

    def unexecuted(self, step: int) -> Decimal:
        """What was asked for in `step` and is not traded; never negative."""
        return max(ZERO, EXACT.subtract(EXACT.multiply(self.asked[step - 1], self.lot), self.executed[step - 1]))

    @property
    def unpriced(self) -> Decimal:
        """The part of `filled` whose price nobody knows, in the unit that the order fixes."""
        return fixed_of(self.order.size_mode, self.unpriced_quantity, self.unpriced_notional)

    @property
    def avg_price(self) -> Decimal | None:
        """FIX AvgPx over what has a price; None where nothing has."""
        quantity = EXACT.subtract(self.filled_quantity, self.unpriced_quantity)
        notional = EXACT.subtract(self.filled_notional, self.unpriced_notional)
        return ratio(notional, quantity) if quantity else None

    @property
    def expected_avg_price(self) -> Decimal | None:
        """The average price of all that is filled, unpriced parts at what was the last price then: what a decision goes
        by. None before the first fill."""
        return ratio(self.filled_notional, self.filled_quantity) if self.filled_quantity else None

    @property
    def open_slices(self) -> tuple[Slice, ...]:
        """The slices whose bars are still to come, oldest first."""
        return (*self.overdue, self.current) if self.current else self.overdue

    def expected_sums(self, last_price: Decimal) -> BenchmarkSums:
        """The benchmark as a decision sees it: what was seen, and what is expected of every window that has passed
        unseen or whose bar is still missing."""
        sums = self.sums
        for piece in self.open_slices:
            sums = sums.expect(last_price, piece.expected_volume or ZERO)
        return sums.with_expected

    @property
    def in_flight(self) -> Decimal:
        """What is asked for, and neither known to be traded nor given back: not to be asked for again.

        With reported fills that is the rest of every slice in `reports_due`, with assumed fills every slice whose bar
        is missing, but for one that is withheld.
        """
        if self.order.fills is Fills.REPORTED:
            return exact_sum(self.unexecuted(each.step) for each in self.reports_due)
        if not self.overdue:  # what a bar mostly meets
            piece = self.current
            return ZERO if piece is None or piece.step == self.withheld else self.unexecuted(piece.step)
        return exact_sum(self.unexecuted(each.step) for each in self.open_slices if each.step != self.withheld)

    @property
    def offered(self) -> Slice | None:
        """The newest slice, where the OMS is to trade it."""
        held_back = self.status is Status.PAUSED or self.step == self.withheld
        return None if held_back or not self.status.live else self.current

    @property
    def unasked(self) -> Decimal:
        """What is left to be asked for: neither traded nor in flight; never negative."""
        return max(ZERO, EXACT.subtract(self.leaves, self.in_flight))

    @property
    def slippage_bps(self) -> Decimal | None:
        """So far, against the order's benchmark over its closed windows; positive is a cost."""
        benchmark, achieved = self.sums.price(self.order.benchmark), self.avg_price
        if benchmark is None or achieved is None:
            return None
        return slippage_bps(self.order.side.sign, achieved, benchmark)

    @property
    def stop_reason(self) -> StopReason | None:
        """Why the order took its last slice; None while another slice may follow, and for a cancelled order."""
        if self.status not in (Status.COMPLETED, Status.EXPIRED):
            return self.current.stop_reason if self.current is not None else None
        return self.stopped_by or stop_reason(self.step, self.order.horizon.max_steps, stopping=self.stopping)


def room(
    state: OrderState, last_price: Decimal, expected_volume: Decimal | None, ahead: StepsAhead | None = None
) -> Room:
    """What the next step permits. `expected_volume` (base units) turns the participation rate into a cap; without it
    a participation limit permits nothing. `ahead` are the steps from the next one on, where the order avoids some: it
    may end with the last one that may trade, however early that is."""
    order, step = state.order, state.step + 1
    market_cap = None
    if order.limits.max_participation_rate is not None:
        volume = size_of(order.size_mode, expected_volume or ZERO, last_price)
        market_cap = lots_within(order.limits.max_participation_rate * volume, state.lot)
    return Room(
        step=step,
        min_steps=order.horizon.min_steps if ahead is None else min(order.horizon.min_steps, ahead.last_usable),
        max_steps=order.horizon.max_steps,
        total=state.total,
        leaves=lots_within(state.unasked, state.lot),
        slice_cap=state.slice_cap,
        market_cap=market_cap,
        min_slice=_min_slice(state, last_price),
        stopping=state.stopping,
        price_blocked=beyond_limit(order, last_price),
        paused=state.status is Status.PAUSED,
        at_finish_price=at_finish_price(order, last_price),
        avoided=None if ahead is None else ahead.at(step),
        usable_after=None if ahead is None else ahead.usable_after(step),
        completing=order.completion is Completion.ALWAYS,
    )


def _min_slice(state: OrderState, last_price: Decimal) -> int:
    if not state.min_notional:
        return 0
    min_size = size_worth(state.order.size_mode, state.min_notional, last_price)
    return int((min_size / state.lot).to_integral_value(rounding=ROUND_CEILING))


def beyond_limit(order: Order, price: Decimal) -> bool:
    """Whether the market is beyond the order's limit price."""
    return beyond_price(order.side, order.limits.limit_price, price)


def beyond_price(side: Side, limit: Decimal | None, price: Decimal) -> bool:
    """Whether `price` is worse than the limit, where there is one."""
    if limit is None:
        return False
    return price > limit if side is Side.BUY else price < limit


def at_finish_price(order: Order, price: Decimal) -> bool:
    """Whether the market is at the order's finish price or better."""
    finish = order.limits.finish_price
    if finish is None:
        return False
    return price <= finish if order.side is Side.BUY else price >= finish
