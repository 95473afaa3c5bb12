"""One step of an order's life as it goes to the store, the facts in it, and what must hold of every order."""

from __future__ import annotations

from dataclasses import dataclass, replace

from app.domain.numbers import ZERO
from app.domain.order import Fills
from app.domain.slice import Slice
from app.domain.state import Fill, OrderState, Status


@dataclass(frozen=True, slots=True)
class Change:
    """`after` replaces `before` (None: the order is new) where the store still holds `before`'s version and step."""

    before: OrderState | None
    after: OrderState
    fill: Fill | None = None

    @property
    def slice(self) -> Slice | None:
        """The slice that this change adds."""
        known = self.before.step if self.before else 0
        return self.after.current if self.after.step > known else None

    @property
    def status(self) -> Status | None:
        """The status that this change leads to, where it is another one."""
        return self.after.status if self.before is None or self.before.status is not self.after.status else None

    @property
    def events(self) -> tuple[str, ...]:
        """What happened, in words for the event stream."""
        names = [self.status.value] if self.status else []
        if self.slice:
            names.append("slice")
        if self.fill:
            names.append("fill")
        return tuple(names)


def change(before: OrderState | None, after: OrderState, fill: Fill | None = None) -> Change:
    """The next commit: counts the version up, and refuses a state that must not be."""
    committed = replace(after, version=(before.version if before else 0) + 1)
    assert_sound(committed)
    return Change(before, committed, fill)


def assert_sound(working: OrderState) -> None:
    """What holds after every transition; a failure is a bug of ours, and nothing of it may be recorded."""
    order, booked = working.order, sum(working.executed, ZERO)
    _must(booked == working.filled, f"{booked} is booked by step, {working.filled} in all")
    _must(len(working.asked) == len(working.executed) <= order.horizon.max_steps, "steps and slices differ")
    _must(all(0 <= lots <= working.slice_cap for lots in working.asked), "a slice is negative or above the cap")
    if order.fills is Fills.ASSUMED:
        _must(working.filled + working.in_flight <= order.size, "more is asked for than the order has")
        _must(working.filled + working.leaves == order.size, "filled and leaves do not make the order")
    if working.status is Status.COMPLETED:
        _must(working.leaves < working.lot, "completed with something left")
    if working.current is not None:
        _must(working.current.step == working.step, "the current slice is not the newest")


def _must(holds: bool, otherwise: str) -> None:
    if not holds:
        raise AssertionError(otherwise)
