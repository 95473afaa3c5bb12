"""What holds of every order after every transition."""

from __future__ import annotations

from app.domain.lifecycle import Status
from app.domain.numbers import ZERO
from app.domain.order import Fills
from app.domain.state import OrderState


def require_sound(state: OrderState) -> None:
    """Raises AssertionError: a failure is a bug of ours, and nothing of the order may be recorded."""
    order, booked = state.order, sum(state.executed, ZERO)
    _must(booked == state.filled, f"{booked} is booked by step, {state.filled} in all")
    _must(len(state.asked) == len(state.executed) <= order.horizon.max_steps, "steps and slices differ")
    _must(all(0 <= lots <= state.slice_cap for lots in state.asked), "a slice is negative or above the cap")
    if order.fills is Fills.ASSUMED:
        _must(state.filled + state.in_flight <= order.size, "more is asked for than the order has")
        _must(state.filled + state.leaves == order.size, "filled and leaves do not make the order")
    if state.status is Status.COMPLETED:
        _must(state.leaves < state.lot, "completed with something left")
    if state.current is not None:
        _must(state.current.step == state.step, "the current slice is not the newest")


def _must(holds: bool, otherwise: str) -> None:
    if not holds:
        raise AssertionError(otherwise)
