"""What happened to an order, as typed values. Names and fields are stable: `EVENT_VERSION` counts up when a reader of
the form before could not go on."""

from __future__ import annotations

from dataclasses import dataclass

from app.domain.lifecycle import Status, StopReason

EVENT_VERSION = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusChanged:
    """The order has another status. `stop_reason` is set where the order has taken its last slice."""

    status: Status
    stop_reason: StopReason | None = None

    @property
    def name(self) -> str:
        return f"order.{self.status}"


@dataclass(frozen=True, slots=True, kw_only=True)
class SliceCommitted:
    """The order has a new slice."""

    slice_id: str
    name: str = "slice.committed"


@dataclass(frozen=True, slots=True, kw_only=True)
class FillBooked:
    """A reported fill is booked."""

    execution_id: str
    slice_id: str
    name: str = "fill.booked"


Happening = StatusChanged | SliceCommitted | FillBooked


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderEvent:
    """Something happened to the order at its commit number `version`, when `step` was its newest step."""

    order_id: str
    version: int
    step: int
    what: Happening
