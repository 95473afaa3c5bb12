"""What moves an order: each function takes a state and returns the next one. Nothing here reads a clock or a store.

Which status follows is the life cycle's table (lifecycle.py).
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from decimal import Decimal

from app.domain.bar import Bar
from app.domain.errors import Conflict, InvalidInput
from app.domain.fills import Fill
from app.domain.instrument import Instrument
from app.domain.lifecycle import Move, Status, permits, status_after
from app.domain.numbers import ZERO, whole_lots
from app.domain.order import Fills, Order, SizeMode
from app.domain.projection import Projection, slice_cap_lots
from app.domain.sizing import Amounts, amounts_at, lot_of
from app.domain.slice import Decided, Slice, Window
from app.domain.state import OrderState, beyond_limit


def accept(order: Order, instrument: Instrument, first_open: datetime, last_price: Decimal) -> OrderState:
    """Start an order.

    Raises InvalidInput where it could never be met: no whole lots, worth too little, or a cap that cannot finish it.
    """
    lot = lot_of(order.size_mode, instrument)
    total = whole_lots(order.size_mode.value, order.size, lot)
    worth = amounts_at(order.size_mode, order.size, last_price).notional
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


def take(
    state: OrderState, projection: Projection, window: Window, decided: Decided, last_price: Decimal
) -> OrderState:
    """Add the slice of the next step. The slice becomes `current`; a slice whose bar is missing becomes overdue."""
    order = state.order
    size = projection.lots * state.lot
    amounts = amounts_at(order.size_mode, size, last_price)
    step = state.step + 1
    piece = Slice(
        slice_id=f"{order.order_id}-{step}",
        step=step,
        window=window,
        quantity=amounts.quantity,
        notional=amounts.notional,
        fraction=size / order.size,
        cumulative_fraction=(state.filled + state.in_flight + size) / order.size,
        final=projection.final,
        stop_reason=projection.stop_reason,
        limit_price=order.limits.limit_price,
        bound_by=projection.bound_by,
        decided=decided,
    )
    return replace(
        state,
        status=status_after(state.status, Move.SLICE),
        stopping=projection.stopping,
        current=piece,
        overdue=(*state.overdue, state.current) if state.current else state.overdue,
        asked=(*state.asked, projection.lots),
        executed=(*state.executed, ZERO),
        next_open=window.end,
    )


def close_window(state: OrderState, bar: Bar) -> OrderState:
    """The oldest open window has closed with `bar` over it.

    With assumed fills the slice is filled at the bar's VWAP, unless that is beyond the limit price. The order is
    completed when nothing is left, and expired when something is left after max_steps; with reported fills the order
    first waits one more step for the reports (see `give_up`).
    """
    piece = state.oldest_open
    if piece is None:
        return state
    closed = replace(
        state,
        current=state.current if state.overdue else None,
        overdue=state.overdue[1:],
        sums=state.sums.add(bar),
    )
    if state.order.fills is Fills.REPORTED:
        return closed
    size = state.asked[piece.step - 1] * state.lot
    if size and not beyond_limit(state.order, bar.price):
        closed = _booked(closed, piece.step, amounts_at(state.order.size_mode, size, bar.price))
    return give_up(closed)


def give_up(state: OrderState) -> OrderState:
    """All steps have passed and something is left: the order is expired. Otherwise nothing changes."""
    if state.at_last_step and state.oldest_open is None and permits(state.status, Move.OUT_OF_STEPS):
        return replace(state, status=status_after(state.status, Move.OUT_OF_STEPS))
    return state


def apply_fill(state: OrderState, fill: Fill) -> OrderState:
    """Book a reported fill. It may come late, even after a cancel: then the status stays and the quantities move.

    Raises Conflict where it exceeds what its slice has left. For a notional slice, which whole lots seldom make
    exactly, one lot more than is left passes.
    """
    order = state.order
    if order.fills is not Fills.REPORTED:
        raise Conflict("fills_assumed", "the order's fills are assumed; it takes no reports")
    steps = {f"{order.order_id}-{step}": step for step in range(1, state.step + 1)}
    step = steps.get(fill.slice_id)
    if step is None:
        raise InvalidInput("unknown_slice", f"the order has no slice {fill.slice_id}")
    amounts = Amounts(fill.quantity, fill.quantity * fill.price)
    size = amounts.fixed(order.size_mode)
    rest = state.asked[step - 1] * state.lot - state.executed[step - 1]
    tolerance = ZERO if order.size_mode is SizeMode.QUANTITY else fill.price * state.base_lot
    if rest <= ZERO or size > rest + tolerance:
        raise Conflict("fill_exceeds_slice", f"slice {fill.slice_id} has {max(ZERO, rest)} left, less than {size}")
    return _booked(state, step, amounts)


def cancel(state: OrderState) -> OrderState:
    """No further slice. Raises Conflict where the order has already ended otherwise; twice is once."""
    if state.status is Status.CANCELLED:
        return state
    if not permits(state.status, Move.CANCEL):
        raise Conflict("order_ended", f"the order is {state.status} and cannot be cancelled")
    return replace(state, status=status_after(state.status, Move.CANCEL), current=None)


def _booked(state: OrderState, step: int, amounts: Amounts) -> OrderState:
    executed = list(state.executed)
    executed[step - 1] += amounts.fixed(state.order.size_mode)
    booked = replace(
        state,
        executed=tuple(executed),
        filled_quantity=state.filled_quantity + amounts.quantity,
        filled_notional=state.filled_notional + amounts.notional,
    )
    if booked.leaves < booked.lot:
        return replace(booked, status=status_after(booked.status, Move.FILLED))
    return booked
