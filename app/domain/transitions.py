"""What moves an order: each function takes a state and returns the next one. Nothing here reads a clock or a store.

Which status follows is the life cycle's table (lifecycle.py).
"""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from app.domain.bar import Bar
from app.domain.booking import assumed_traded
from app.domain.errors import Conflict, InvalidInput
from app.domain.evolve import evolve
from app.domain.instrument import Instrument
from app.domain.lifecycle import Move, Status, StopReason, permits, status_after, stop_reason
from app.domain.numbers import EXACT, ZERO, ratio, whole_lots
from app.domain.order import Fills, Order
from app.domain.projection import Projection, slice_cap_lots
from app.domain.sizing import amounts_at, lot_of
from app.domain.slice import Decided, ReportsDue, Slice, Window
from app.domain.state import OrderState


def accept(
    order: Order,
    instrument: Instrument,
    first_open: datetime,
    last_price: Decimal,
    usable_steps: int | None = None,
    bundle: str | None = None,
) -> OrderState:
    """Start an order, which `bundle` decides from now on. `usable_steps` counts the steps in which the order may trade;
    None: all of them.

    Raises InvalidInput where it could never be met: no whole lots, worth too little, or a cap that cannot finish it.
    """
    lot = lot_of(order.size_mode, instrument)
    total = whole_lots(order.size_mode.value, order.size, lot)
    require_worth(order, instrument, last_price)
    return OrderState(
        order=order,
        lot=lot,
        base_lot=instrument.lot_size,
        total=total,
        slice_cap=slice_cap_lots(total, order.limits.max_slice_fraction, usable_steps or order.horizon.max_steps),
        min_notional=instrument.min_notional,
        next_open=first_open,
        arrival_price=last_price,
        bundle=bundle,
    )


def require_worth(order: Order, instrument: Instrument, last_price: Decimal) -> None:
    """Raises InvalidInput("below_min_notional")."""
    worth = amounts_at(order.size_mode, order.size, last_price).notional
    if worth < instrument.min_notional:
        raise InvalidInput(
            "below_min_notional",
            f"the order is worth {worth:f}, under the instrument's minimum of {instrument.min_notional}",
            f"#/{order.size_mode}",
        )


def take(
    state: OrderState,
    projection: Projection,
    window: Window,
    decided: Decided,
    last_price: Decimal,
    expected_volume: Decimal | None = None,
    out_of_reach: Decimal | None = None,
) -> OrderState:
    """Add the slice of the next step. The slice becomes `current`; a slice whose bar is missing becomes overdue; one
    whose fills are reported is in flight from here on. `expected_volume` is what the market is expected to trade in the
    window (base units), `out_of_reach` what the order cannot trade in time; None where that is as it was."""
    order = state.order
    size = EXACT.multiply(projection.lots, state.lot)
    amounts = amounts_at(order.size_mode, size, last_price)
    step = state.step + 1
    committed = EXACT.add(EXACT.add(state.filled, state.in_flight), size)
    piece = Slice(
        slice_id=f"{order.order_id}-{step}",
        step=step,
        window=window,
        quantity=amounts.quantity,
        notional=amounts.notional,
        fraction=ratio(size, order.size),
        cumulative_fraction=ratio(committed, order.size),
        final=projection.final and (step == order.horizon.max_steps or _sure_to_fill(order)),
        stop_reason=projection.stop_reason,
        limit_price=order.limits.limit_price,
        bound_by=projection.bound_by,
        decided=decided,
        expected_volume=expected_volume,
        price=last_price,
    )
    return evolve(
        state,
        status=status_after(state.status, Move.SLICE),
        stopping=projection.stopping,
        current=piece,
        overdue=(*state.overdue, state.current) if state.current else state.overdue,
        asked=(*state.asked, projection.lots),
        executed=(*state.executed, ZERO),
        reports_due=_with_report_due(state, step, window, size),
        next_open=window.end,
        arrival_price=state.arrival_price if state.asked else last_price,
        models=state.models if decided.model in state.models else (*state.models, decided.model),
        out_of_reach=state.out_of_reach if out_of_reach is None else out_of_reach,
        stopped_by=_stopped_by(projection, step, order),
    )


def close_window(state: OrderState, bar: Bar) -> OrderState:
    """The oldest open window has closed with `bar` over it; a synthetic bar tells that nobody saw what the market did.

    With assumed fills the slice is filled at the bar's VWAP, unless that is beyond the limit price, and no more of it
    than the participation limit allows of the bar's volume. What is assumed on a synthetic bar is unpriced. The order
    is completed when nothing is left, and expired when something is left after max_steps; with reported fills not
    before nothing is in flight (see `give_back`).
    """
    piece = state.oldest_open
    if piece is None:
        return state
    changes: dict[str, Any] = {
        "current": state.current if state.overdue else None,
        "overdue": state.overdue[1:],
        "sums": state.sums.expect(bar.price, piece.expected_volume or ZERO) if bar.synthetic else state.sums.add(bar),
    }
    if state.order.fills is Fills.ASSUMED:
        changes |= assumed_traded(state, piece, bar)
    return give_up(evolve(state, **changes))


def give_up(state: OrderState) -> OrderState:
    """All steps have passed, nothing is in flight and something is left: the order is expired. Otherwise nothing
    changes."""
    if not state.at_last_step or state.oldest_open is not None or state.reports_due:
        return state
    if permits(state.status, Move.OUT_OF_STEPS):
        return evolve(state, status=status_after(state.status, Move.OUT_OF_STEPS))
    return state


def cancel(state: OrderState, now: datetime) -> OrderState:
    """No further slice. A slice whose window has begun by `now` may be trading: the order awaits its bar or reports.

    Raises Conflict("order_ended" | "order_replaced") where the order has already ended otherwise; twice is once.
    """
    if state.status is Status.CANCELLED:
        return state
    require_standing(state, Move.CANCEL, "cancelled")
    begun = (state.current,) if state.current is not None and state.current.window.start <= now else ()
    return evolve(
        state,
        status=status_after(state.status, Move.CANCEL),
        current=None,
        overdue=(*state.overdue, *begun),
    )


def pause(state: OrderState, now: datetime) -> OrderState:
    """Nothing is to be traded until the order resumes: its steps pass with empty slices. A slice whose window has begun
    by `now` may be trading already and stays in flight; one whose window has not is withheld.

    Raises Conflict("order_ended"); twice is once.
    """
    if state.status is Status.PAUSED:
        return state
    require_standing(state, Move.PAUSE, "paused")
    waits = state.current is not None and state.current.window.start > now
    return evolve(
        state,
        status=status_after(state.status, Move.PAUSE),
        withheld=state.step if waits else state.withheld,
    )


def resume(state: OrderState, now: datetime) -> OrderState:
    """The order goes on with its next window; with the slice that is withheld, where its window has not begun by `now`.

    Raises Conflict("order_ended"); twice is once.
    """
    move = Move.RESUME if state.step else Move.RESUME_UNBEGUN
    require_standing(state, move, "resumed")
    if state.status is not Status.PAUSED:
        return state
    in_time = state.current is not None and state.current.window.start > now
    return evolve(state, status=status_after(state.status, move), withheld=0 if in_time else state.withheld)


def require_standing(state: OrderState, move: Move, to_be: str) -> None:
    """Raises Conflict("order_replaced" | "order_ended") where the order cannot make the move."""
    if state.replaced_by is not None:
        raise Conflict("order_replaced", f"the order is replaced by {state.replaced_by}, and cannot be {to_be}")
    if not permits(state.status, move):
        raise Conflict("order_ended", f"the order is {state.status} and cannot be {to_be}")


def _stopped_by(projection: Projection, step: int, order: Order) -> StopReason | None:
    """The reason for the last slice, where it does not follow from the order's steps and the model's decision."""
    reason = projection.stop_reason
    if reason is None or reason is stop_reason(step, order.horizon.max_steps, stopping=projection.stopping):
        return None
    return reason


def _sure_to_fill(order: Order) -> bool:
    """Whether each slice is certain to be traded in full, so that nothing of it is ever asked for again."""
    limits = order.limits
    return order.fills is Fills.ASSUMED and limits.limit_price is None and limits.max_participation_rate is None


def _with_report_due(state: OrderState, step: int, window: Window, size: Decimal) -> tuple[ReportsDue, ...]:
    """With the new slice, where there is something of it to report."""
    order = state.order
    if order.fills is Fills.ASSUMED or not size:
        return state.reports_due
    seconds = order.report_delay_seconds
    if seconds is None:
        seconds = order.horizon.step_seconds
    delay = window.end - window.start if seconds is None else timedelta(seconds=seconds)
    return (*state.reports_due, ReportsDue(step=step, window=window, until=window.end + delay))
