"""One step of an order's life as it goes to the store, and what happened in it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from app.domain.events import (
    FillBooked,
    FillBusted,
    FillCorrected,
    Happening,
    OrderBehind,
    OrderEvent,
    OrderOnTrack,
    OverFilled,
    SliceClosed,
    SliceCommitted,
    SliceEnded,
    SliceFilled,
    SliceOffered,
    SliceWithheld,
    StatusChanged,
)
from app.domain.evolve import built_quickly, evolve
from app.domain.fills import Fill
from app.domain.instrument import Instrument
from app.domain.invariants import require_sound
from app.domain.lifecycle import Status, StatusReason, reason_of
from app.domain.numbers import EXACT, ZERO
from app.domain.slice import Slice
from app.domain.state import OrderState


@built_quickly
@dataclass(frozen=True, slots=True)
class Change:
    """`after` replaces `before` (None: the order is new) where the store still holds `before`'s version and step, and,
    where the change stands on the terms of an `instrument`, still holds those terms; where it has a `fence`, only the
    process that owns the instrument under that number may make it."""

    before: OrderState | None
    after: OrderState
    fill: Fill | None = None
    instrument: Instrument | None = None
    fence: int | None = None

    @property
    def slice(self) -> Slice | None:
        """The slice that this change adds."""
        known = len(self.before.asked) if self.before is not None else self.after.first_own_step - 1
        return self.after.current if len(self.after.asked) > known else None

    @property
    def status(self) -> Status | None:
        """The status that this change leads to, where it is another one."""
        return self.after.status if self.before is None or self.before.status is not self.after.status else None

    @property
    def events(self) -> tuple[OrderEvent, ...]:
        """What happened, in order."""
        after = self.after
        happened = list(self._happenings()) or list(self._closed_alone())
        in_flight = after.in_flight
        return tuple(
            OrderEvent(
                order_id=after.order_id,
                version=after.version,
                step=after.step,
                what=what,
                filled_quantity=after.filled_quantity,
                filled_notional=after.filled_notional,
                in_flight=in_flight,
                behind=after.behind,
                over_filled=after.over_filled,
                unpriced=after.unpriced,
            )
            for what in happened
        )

    def _happenings(self) -> Iterator[Happening]:
        yield from self._of_status()
        if self.before:
            yield from self._of_withheld(self.before)
        if self.slice:
            yield SliceCommitted(slice_id=self.slice.slice_id)
        if self.fill:
            yield from self._of_fill(self.fill)
        if self.before and self.before.reports_due and self.after.replaced_by is None:
            yield from self._given_back(self.before)
        was_behind = bool(self.before and self.before.out_of_reach)
        if bool(self.after.out_of_reach) is not was_behind and self.after.status.live:
            yield OrderOnTrack() if was_behind else OrderBehind(behind=self.after.out_of_reach)

    def _of_status(self) -> Iterator[StatusChanged]:
        """A new order is accepted first, whatever its first slice makes of it; one that stands in another's place goes
        on as that one was."""
        if self.status is None:
            return
        after, before = self.after, self.before.status if self.before else Status.ACCEPTED
        reason = reason_of(before, self.status) if before is not self.status else StatusReason.OMS
        if self.before is None and after.order.replaces is not None:
            reason = StatusReason.OMS
        elif self.before is None and self.status is not Status.ACCEPTED:
            yield StatusChanged(status=Status.ACCEPTED, reason=StatusReason.OMS)
        yield StatusChanged(
            status=self.status,
            stop_reason=after.stop_reason,
            reason=reason,
            replaces=after.order.replaces if self.before is None else None,
            replaced_by=after.replaced_by,
        )

    def _of_withheld(self, before: OrderState) -> Iterator[Happening]:
        if self.after.withheld == before.withheld:
            return
        if self.after.withheld:
            yield SliceWithheld(slice_id=self.after.slice_id_of(self.after.withheld))
        else:
            yield SliceOffered(slice_id=before.slice_id_of(before.withheld))

    def _closed_alone(self) -> Iterator[Happening]:
        """A window has closed, and that is all."""
        if self.before is None or self.before.oldest_open is None:
            return
        slice_id = self.before.oldest_open.slice_id
        if self.after.filled_quantity != self.before.filled_quantity:
            yield SliceFilled(slice_id=slice_id)
        else:
            yield SliceEnded(slice_id=slice_id)

    def _of_fill(self, fill: Fill) -> Iterator[Happening]:
        named = {"execution_id": fill.execution_id, "slice_id": fill.slice_id}
        if fill.busted:
            yield FillBusted(**named)
        elif fill.original is not None:
            yield FillCorrected(**named, quantity=fill.quantity, price=fill.price)
        else:
            yield FillBooked(**named, warnings=fill.warnings, quantity=fill.quantity, price=fill.price)
        known = self.before.over_filled if self.before else ZERO
        if self.after.over_filled > known:
            yield OverFilled(
                execution_id=fill.execution_id,
                slice_id=fill.slice_id,
                amount=EXACT.subtract(self.after.over_filled, known),
                over_filled=self.after.over_filled,
            )

    def _given_back(self, before: OrderState) -> Iterator[SliceClosed]:
        """The slices that were in flight, are so no more, and have not been made up."""
        due = {each.step for each in self.after.reports_due}
        for each in before.reports_due:
            missing = self.after.unexecuted(each.step)
            if each.step not in due and missing:
                yield SliceClosed(slice_id=before.slice_id_of(each.step), given_back=missing)


def change(
    before: OrderState | None,
    after: OrderState,
    fill: Fill | None = None,
    instrument: Instrument | None = None,
    fence: int | None = None,
) -> Change:
    """The next commit: counts the version up, and refuses a state that must not be (AssertionError)."""
    committed = evolve(after, version=(before.version if before else 0) + 1)
    require_sound(committed)
    return Change(before, committed, fill, instrument, fence)
