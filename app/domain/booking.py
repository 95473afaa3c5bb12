"""What changes in an order because something of it is traded, or is assumed to be."""

from __future__ import annotations

from typing import Any

from app.domain.bar import Bar
from app.domain.lifecycle import Move, StopReason, status_after
from app.domain.numbers import EXACT, ZERO, lots_within
from app.domain.order_words import Completion
from app.domain.projection import last_steps
from app.domain.sizing import Amounts, amounts_at, fixed_of, size_of
from app.domain.slice import Slice
from app.domain.state import OrderState, beyond_price


def assumed_traded(state: OrderState, piece: Slice, bar: Bar) -> dict[str, Any]:
    """What changes in the order because its slice was presumably traded over `bar`, within the slice's own limit price:
    that of the order may be another one since."""
    order, step, price = state.order, piece.step, bar.price
    lots = 0 if step == state.withheld else state.asked[step - 1]
    if order.limits.max_participation_rate is not None and not bar.synthetic:
        volume = size_of(order.size_mode, bar.volume, price)
        market_cap = lots_within(EXACT.multiply(order.limits.max_participation_rate, volume), state.lot)
        lots = min(lots, max(market_cap, _lots_in_need(state, piece)))
    if not lots or beyond_price(order.side, piece.limit_price, price):
        return {}
    amounts = amounts_at(order.size_mode, EXACT.multiply(lots, state.lot), price)
    changes = booked_changes(state, step, amounts)
    if bar.synthetic:
        changes["unpriced_quantity"] = EXACT.add(state.unpriced_quantity, amounts.quantity)
        changes["unpriced_notional"] = EXACT.add(state.unpriced_notional, amounts.notional)
    return changes


def _lots_in_need(state: OrderState, piece: Slice) -> int:
    """What the slice must trade whatever the market's volume, so that an order which is to be done can be: all of it in
    the last steps, and before them what the slices to come have no room for under the slice cap."""
    order, max_steps = state.order, state.order.horizon.max_steps
    if order.completion is not Completion.ALWAYS:
        return 0
    if max_steps - piece.step < last_steps(max_steps) or piece.stop_reason is StopReason.MAX_STEPS:
        return state.asked[piece.step - 1]
    elsewhere = max(ZERO, EXACT.subtract(state.in_flight, state.unexecuted(piece.step)))
    rest = max(ZERO, EXACT.subtract(state.leaves, elsewhere))
    return lots_within(rest, state.lot) - (max_steps - state.step) * state.slice_cap


def booked_changes(state: OrderState, step: int, amounts: Amounts) -> dict[str, Any]:
    """What changes in the order because the amounts are traded of its slice of `step`. The order is completed where
    less than a lot is left."""
    executed, size_mode = list(state.executed), state.order.size_mode
    executed[step - 1] = EXACT.add(executed[step - 1], amounts.fixed(size_mode))
    quantity = EXACT.add(state.filled_quantity, amounts.quantity)
    notional = EXACT.add(state.filled_notional, amounts.notional)
    changes = {"executed": tuple(executed), "filled_quantity": quantity, "filled_notional": notional}
    if EXACT.subtract(state.order.size, fixed_of(size_mode, quantity, notional)) < state.lot:
        return changes | {"status": status_after(state.status, Move.FILLED)}
    return changes
