"""An order takes the place of another one: the new order goes on where the old one stands, with terms of its own.

Steps count on, and so do the benchmark, the arrival price and all that is filled and in flight: what has happened to
the old order has happened to the new one. The old order is left as it stood, with nothing in flight.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from app.domain.earlier import Earlier
from app.domain.errors import Conflict, InvalidInput
from app.domain.evolve import evolve
from app.domain.lifecycle import Move, Status, status_after
from app.domain.numbers import EXACT, ZERO, plain, whole_lots
from app.domain.order import AskedOrder, Fills, Order
from app.domain.projection import slice_cap_lots
from app.domain.state import OrderState
from app.domain.transitions import require_standing

CHAIN_MAX = 256
"""Orders that one after the other took the place of the first: each of them is looked at where a report comes for the
first, and named in the last."""


def require_replaceable(state: OrderState) -> None:
    """Raises Conflict("order_replaced" | "order_ended" | "replaced_too_often")."""
    require_standing(state, Move.REPLACE, "replaced")
    if len(state.earlier) >= CHAIN_MAX:
        raise Conflict("replaced_too_often", f"{CHAIN_MAX} orders have replaced one another; cancel the order instead")


def require_same_mandate(old: Order, new: AskedOrder, *, begun: bool, same_steps: bool) -> None:
    """A replace changes the terms of the mandate, and makes no other one of it. `begun`: the old order has slices;
    `same_steps`: the new order's steps are as long as the old one's. Raises InvalidInput("replace_changes_order")."""
    kept: dict[str, tuple[object, object]] = {
        "instrument": (old.instrument, new.instrument),
        "side": (old.side, new.side),
        old.size_mode.value: (old.size_mode, new.size_mode),
        "fills": (old.fills, new.fills),
        "account": (old.account, new.account),
    }
    if begun:
        kept["horizon/step_seconds"] = (True, same_steps)
        kept["start_time"] = (old.start_time, new.start_time or old.start_time)
    for field, (was, would_be) in kept.items():
        if was != would_be:
            name = field.rpartition("/")[2]
            raise InvalidInput(
                "replace_changes_order",
                f"{name} is not that of the order which is replaced; cancel that order and send another one",
                f"#/{field}",
            )


def without_unbegun(state: OrderState, now: datetime) -> OrderState:
    """The order as its successor finds it. A slice whose window has not begun by `now` is decided anew, unless the OMS
    reports its fills: it may have sent the slice on already."""
    piece = state.current
    if piece is None or piece.window.start <= now or state.order.fills is Fills.REPORTED:
        return state
    return evolve(
        state,
        current=None,
        asked=state.asked[:-1],
        executed=state.executed[:-1],
        next_open=piece.window.start,
        withheld=0 if state.withheld == piece.step else state.withheld,
    )


def replaced(state: OrderState, successor_id: str) -> OrderState:
    """The old order: it asks for nothing and awaits nothing any more."""
    require_replaceable(state)
    return evolve(
        state,
        status=status_after(state.status, Move.REPLACE),
        current=None,
        overdue=(),
        reports_due=(),
        replaced_by=successor_id,
    )


def succeed(state: OrderState, order: Order, usable_steps: int | None = None) -> OrderState:
    """The new order, in the place of the one in `state` (see `without_unbegun`). Whether the order had decided to stop
    is decided anew, and whether it can be done in time is told anew. `usable_steps` counts the steps to come in which
    the new order may trade; None: all of them.

    Raises InvalidInput("not_whole_lots" | "slice_cap_infeasible"), Conflict("size_committed" | "horizon_used_up").
    """
    total = whole_lots(order.size_mode.value, order.size, state.lot)
    committed = EXACT.add(state.filled, state.in_flight)
    if order.size < committed:
        raise Conflict(
            "size_committed",
            f"{order.size_mode} is {plain(order.size)}; it must be at least {plain(committed)}, of which "
            f"{plain(state.filled)} is filled and {plain(state.in_flight)} in flight",
            f"#/{order.size_mode}",
        )
    rest = EXACT.subtract(order.size, committed) >= state.lot
    steps_left = order.horizon.max_steps - state.step
    if steps_left < 0 or (rest and not steps_left):
        raise Conflict(
            "horizon_used_up",
            f"max_steps is {order.horizon.max_steps}; the order has had {state.step} steps, and needs at least "
            f"{state.step + rest}",
            "#/horizon/max_steps",
        )
    slice_cap = slice_cap_lots(total, order.limits.max_slice_fraction, order.horizon.max_steps)
    left = int(EXACT.subtract(order.size, committed) / state.lot)
    slices_left = steps_left if usable_steps is None else usable_steps
    if left > slice_cap * slices_left:
        raise InvalidInput(
            "slice_cap_infeasible",
            f"{slices_left} slices of at most {plain(EXACT.multiply(slice_cap, state.lot))} cannot make the "
            f"{plain(EXACT.multiply(left, state.lot))} that is left; max_slice_fraction must be larger",
            "#/limits/max_slice_fraction",
        )
    return _carried(state, order, total, slice_cap)


def _carried(state: OrderState, order: Order, total: int, slice_cap: int) -> OrderState:
    changes: dict[str, Any] = {
        "order": order,
        "total": total,
        "slice_cap": slice_cap,
        "version": 0,
        "stopping": False,
        "out_of_reach": ZERO,
        "stopped_by": None,
        "over_filled": ZERO,  # the new order's size has room for it
        "earlier": (*state.earlier, Earlier(order_id=state.order_id, last_step=state.step)),
    }
    if state.current is not None:
        changes["current"] = evolve(state.current, final=False, stop_reason=None)
    if state.status is not Status.PAUSED:
        changes["status"] = Status.WORKING if state.step else Status.ACCEPTED
    after = evolve(state, **changes)
    if EXACT.subtract(order.size, after.filled) < after.lot:
        return evolve(after, status=status_after(after.status, Move.FILLED))
    return after
