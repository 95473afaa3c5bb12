"""What the OMS reports moves an order: a fill, that a fill was another or none, and that no more come for a slice."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from app.domain.booking import booked_changes
from app.domain.errors import Conflict, InvalidInput, NotFound
from app.domain.evolve import evolve
from app.domain.fills import Fill
from app.domain.lifecycle import Move, Status, status_after
from app.domain.numbers import EXACT, ZERO
from app.domain.order import Fills, SizeMode
from app.domain.sizing import Amounts, amounts_at
from app.domain.state import OrderState
from app.domain.transitions import give_up


def apply_fill(state: OrderState, fill: Fill) -> OrderState:
    """Book a reported fill, however much and however late it is. After the order's end, such as a cancel, the status
    stays and the quantities move.

    What a fill has beyond what its slice has in flight is over-filled. For a notional slice, which whole lots seldom
    make exactly, the lot that rounds it up is not, where the order has room for it.

    Raises Conflict("fills_assumed"), InvalidInput("unknown_slice").
    """
    _require_reported(state)
    step = state.step_of(fill.slice_id)
    if step is None:
        raise InvalidInput("unknown_slice", f"the order has no slice {fill.slice_id}", "#/slice_id")
    amounts = amounts_at(SizeMode.QUANTITY, fill.quantity, fill.price)
    after = evolve(state, **booked_changes(state, step, amounts))
    due = tuple(each for each in after.reports_due if after.unexecuted(each.step))
    after = evolve(after, reports_due=due)
    return give_up(evolve(after, over_filled=EXACT.add(state.over_filled, _over_filled(state, after, step, fill))))


def revise_fill(state: OrderState, booked: Fill, after: Fill, now: datetime) -> OrderState:
    """A booked fill was another one, or, where it is busted, none at all. What it has more than before is booked as a
    fill is; what it has less may be asked for again. A completed order of which a lot or more is left again goes on
    with its next window; where that has opened by `now`, the order is expired instead: nothing is traded by surprise.

    Raises Conflict("fills_assumed" | "fill_busted").
    """
    _require_reported(state)
    if booked.busted:
        raise Conflict("fill_busted", f"execution {booked.execution_id!r} is busted, and cannot be corrected")
    step = state.step_of(booked.slice_id)
    if step is None:
        raise AssertionError(f"a fill of {booked.slice_id} is booked, which the order does not have")
    was, now_is = (amounts_at(SizeMode.QUANTITY, each.quantity, each.price) for each in (booked, after))
    if after.busted:
        now_is = Amounts(ZERO, ZERO)
    moved = Amounts(EXACT.subtract(now_is.quantity, was.quantity), EXACT.subtract(now_is.notional, was.notional))
    revised = evolve(state, **booked_changes(state, step, moved))
    due = tuple(each for each in revised.reports_due if revised.unexecuted(each.step))
    revised = evolve(revised, reports_due=due)
    revised = evolve(revised, over_filled=_over_filled_then(state, revised, step, after))
    if revised.status is Status.COMPLETED and revised.leaves >= revised.lot:
        late = state.at_last_step or state.next_open < now
        revised = evolve(revised, status=status_after(revised.status, Move.BUSTED_LATE if late else Move.BUSTED))
    return give_up(revised)


def _over_filled_then(before: OrderState, after: OrderState, step: int, fill: Fill) -> Decimal:
    """More of a fill is over-filled as a new fill would be; less of one takes away what was too much before."""
    if after.filled >= before.filled:
        return EXACT.add(before.over_filled, _over_filled(before, after, step, fill))
    committed, was = (EXACT.add(each.filled, each.in_flight) for each in (after, before))
    return max(ZERO, EXACT.add(before.over_filled, EXACT.subtract(committed, was)))


def close_slice(state: OrderState, step: int) -> OrderState:
    """The OMS says that no more fills come for the slice of `step`: what is in flight of the slice may be asked for
    again. Twice is once.

    Raises Conflict("fills_assumed"), NotFound("unknown_step").
    """
    _require_reported(state)
    if not 1 <= step <= state.step:
        raise NotFound("unknown_step", f"the order has no slice of step {step}")
    due = tuple(each for each in state.reports_due if each.step != step)
    return state if len(due) == len(state.reports_due) else give_up(evolve(state, reports_due=due))


def give_back(state: OrderState, now: datetime) -> OrderState:
    """What is in flight of slices whose reports are overdue at `now` may be asked for again."""
    if not state.reports_due:
        return state
    due = tuple(each for each in state.reports_due if each.until >= now)
    return state if len(due) == len(state.reports_due) else evolve(state, reports_due=due)


def _require_reported(state: OrderState) -> None:
    if state.order.fills is not Fills.REPORTED:
        raise Conflict("fills_assumed", "the order's fills are assumed; it takes no reports")


def _over_filled(before: OrderState, after: OrderState, step: int, fill: Fill) -> Decimal:
    """How much of the fill, which leads from `before` to `after`, its slice did not have in flight."""
    in_flight = before.unexecuted(step) if any(due.step == step for due in before.reports_due) else ZERO
    beyond = max(ZERO, EXACT.subtract(EXACT.subtract(after.filled, before.filled), in_flight))
    rounds_up = before.order.size_mode is SizeMode.NOTIONAL and in_flight > ZERO
    if rounds_up and beyond <= EXACT.multiply(fill.price, before.base_lot):
        allowed = EXACT.add(before.order.size, before.over_filled)
        return max(ZERO, EXACT.subtract(EXACT.add(after.filled, after.in_flight), allowed))
    return beyond
