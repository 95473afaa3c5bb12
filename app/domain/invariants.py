"""What holds of every order after every transition."""

from __future__ import annotations

from app.domain.lifecycle import Status
from app.domain.numbers import EXACT, ZERO, exact_sum
from app.domain.order import Fills
from app.domain.state import OrderState


def require_sound(state: OrderState) -> None:
    """Raises AssertionError: a failure is a bug of ours, and nothing of the order may be recorded."""
    order, filled, booked = state.order, state.filled, exact_sum(state.executed)
    if booked != filled:
        raise AssertionError(f"{booked} is booked by step, {filled} in all")
    _must(len(state.asked) == len(state.executed) <= order.horizon.max_steps, "steps and slices differ")
    own = state.asked[state.first_own_step - 1 :] if state.earlier else state.asked  # earlier orders had other caps
    lowest, highest = min(own, default=0), max(own, default=0)  # quicker than looking at each
    _must(0 <= lowest <= highest <= state.slice_cap, "a slice is negative or above the cap")
    _require_sound_reports(state)
    committed, allowed = EXACT.add(filled, state.in_flight), EXACT.add(order.size, state.over_filled)
    _must(committed <= allowed, "more is asked for than the order has")
    if order.fills is Fills.ASSUMED:
        _must(filled <= order.size, "filled and leaves do not make the order")
    if state.status is Status.COMPLETED:
        _must(state.leaves < state.lot, "completed with something left")
    _must(0 <= state.withheld <= state.step, "a slice is withheld that there is not")
    if state.current is not None:
        _must(state.current.step == state.step, "the current slice is not the newest")


def _require_sound_reports(state: OrderState) -> None:
    _must(state.over_filled >= ZERO, "less than nothing is over-filled")
    if state.order.fills is Fills.ASSUMED:
        _must(not state.reports_due and not state.over_filled, "reports are due though fills are assumed")
    if not state.reports_due:
        return
    steps = [due.step for due in state.reports_due]
    _must(steps == sorted({step for step in steps if 1 <= step <= state.step}), "reports are due of no slice, or twice")
    _must(all(state.unexecuted(step) for step in steps), "reports are due of a slice that is made up")


def _must(holds: bool, otherwise: str) -> None:
    if not holds:
        raise AssertionError(otherwise)
