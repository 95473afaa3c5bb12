"""What happened to an order, as typed values. Names and fields are stable: `EVENT_VERSION` counts up when a reader of
the form before could not go on."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from app.domain.evolve import built_quickly
from app.domain.fills import FillWarning
from app.domain.lifecycle import Status, StatusReason, StopReason

EVENT_VERSION = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusChanged:
    """The order has another status, and `reason` says who has moved it: None in what earlier releases have written.
    `stop_reason` is set where the order has taken its last slice, `replaces` where the order is new and stands in the
    place of that one, `replaced_by` where that one stands in the place of this order."""

    status: Status
    stop_reason: StopReason | None = None
    reason: StatusReason | None = None
    replaces: str | None = None
    replaced_by: str | None = None

    @property
    def name(self) -> str:
        return f"order.{self.status}"


@built_quickly
@dataclass(frozen=True, slots=True, kw_only=True)
class SliceCommitted:
    """The order has a new slice, which is recorded beside the event."""

    slice_id: str
    name: str = "slice.committed"


@dataclass(frozen=True, slots=True, kw_only=True)
class SliceFilled:
    """What the slice is assumed to have traded is booked, and nothing else has happened: no slice follows now. Where
    something has, that event tells what is filled."""

    slice_id: str
    name: str = "slice.filled"


@dataclass(frozen=True, slots=True, kw_only=True)
class SliceEnded:
    """The window of the slice is over, and nothing else has happened: nothing more of it is assumed to be traded, and
    no slice follows now. So every version of an order has an event."""

    slice_id: str
    name: str = "slice.ended"


@dataclass(frozen=True, slots=True, kw_only=True)
class SliceWithheld:
    """A pause has taken the slice back before its window began: it is offered to nobody."""

    slice_id: str
    name: str = "slice.withheld"


@dataclass(frozen=True, slots=True, kw_only=True)
class SliceOffered:
    """The slice was withheld, and is offered again: the order has resumed before its window began."""

    slice_id: str
    name: str = "slice.offered"


@dataclass(frozen=True, slots=True, kw_only=True)
class FillBooked:
    """A reported fill is booked; `warnings` say what is odd about it. How much at which price is None in events of
    earlier releases."""

    execution_id: str
    slice_id: str
    warnings: tuple[FillWarning, ...] = ()
    quantity: Decimal | None = None
    price: Decimal | None = None
    name: str = "fill.booked"


@dataclass(frozen=True, slots=True, kw_only=True)
class FillBusted:
    """A booked fill counts for nothing any more."""

    execution_id: str
    slice_id: str
    name: str = "fill.busted"


@dataclass(frozen=True, slots=True, kw_only=True)
class FillCorrected:
    """A booked fill was another one: so much, at that price."""

    execution_id: str
    slice_id: str
    quantity: Decimal
    price: Decimal
    name: str = "fill.corrected"


@dataclass(frozen=True, slots=True, kw_only=True)
class OverFilled:
    """A fill has `amount` more than its slice had in flight, in the unit that the order fixes; `over_filled` in all."""

    execution_id: str
    slice_id: str
    amount: Decimal
    over_filled: Decimal
    name: str = "order.over_filled"


@dataclass(frozen=True, slots=True, kw_only=True)
class SliceClosed:
    """No more fills are expected for the slice; `given_back`, in the unit that the order fixes, may be asked for again.
    Either the OMS has said so, or the reports are overdue."""

    slice_id: str
    given_back: Decimal
    name: str = "slice.closed"


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderBehind:
    """The order can no longer be done in time within its limits, at the volume that is expected: so much of it, in the
    unit that the order fixes, is out of reach."""

    behind: Decimal
    name: str = "order.behind"


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderOnTrack:
    """The order was behind, and can be done in time again."""

    name: str = "order.on_track"


Happening = (
    StatusChanged
    | SliceCommitted
    | SliceFilled
    | SliceEnded
    | SliceWithheld
    | SliceOffered
    | FillBooked
    | FillBusted
    | FillCorrected
    | OverFilled
    | SliceClosed
    | OrderBehind
    | OrderOnTrack
)


@built_quickly
@dataclass(frozen=True, slots=True, kw_only=True)
class OrderEvent:
    """Something happened to the order at its commit number `version`, when `step` was its newest step. What follows the
    happening is how the order stood once the whole commit had happened, but for the filled amounts in the unit that the
    order fixes; None in events of earlier releases."""

    order_id: str
    version: int
    step: int
    what: Happening
    filled_quantity: Decimal | None = None
    filled_notional: Decimal | None = None
    in_flight: Decimal | None = None
    behind: Decimal | None = None
    over_filled: Decimal | None = None
    unpriced: Decimal | None = None

    @property
    def begins(self) -> bool:
        """Whether this is the first event of an order."""
        match self.what:
            case StatusChanged(status=status, replaces=replaces):
                return self.version == 1 and (replaces is not None or status is Status.ACCEPTED)
        return False
