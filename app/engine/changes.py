"""One step of an order's life as it goes to the store, and what happened in it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from app.domain.events import FillBooked, Happening, OrderEvent, SliceCommitted, StatusChanged
from app.domain.fills import Fill
from app.domain.instrument import Instrument
from app.domain.invariants import require_sound
from app.domain.lifecycle import Status
from app.domain.slice import Slice
from app.domain.state import OrderState


@dataclass(frozen=True, slots=True)
class Change:
    """`after` replaces `before` (None: the order is new) where the store still holds `before`'s version and step, and,
    where the change stands on the terms of an `instrument`, still holds those terms."""

    before: OrderState | None
    after: OrderState
    fill: Fill | None = None
    instrument: Instrument | None = None

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
    def events(self) -> tuple[OrderEvent, ...]:
        """What happened, in order."""
        after = self.after
        return tuple(
            OrderEvent(order_id=after.order_id, version=after.version, step=after.step, what=what)
            for what in self._happenings()
        )

    def _happenings(self) -> Iterator[Happening]:
        if self.status:
            yield StatusChanged(status=self.status, stop_reason=self.after.stop_reason)
        if self.slice:
            yield SliceCommitted(slice_id=self.slice.slice_id)
        if self.fill:
            yield FillBooked(execution_id=self.fill.execution_id, slice_id=self.fill.slice_id)


def change(
    before: OrderState | None, after: OrderState, fill: Fill | None = None, instrument: Instrument | None = None
) -> Change:
    """The next commit: counts the version up, and refuses a state that must not be (AssertionError)."""
    committed = replace(after, version=(before.version if before else 0) + 1)
    require_sound(committed)
    return Change(before, committed, fill, instrument)
