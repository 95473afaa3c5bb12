"""What to trade in the steps of an order."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from lem_client.words import Basis, Bound, Status, StepState, StopReason


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """From `start` to before `end`."""

    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Slice:
    """What to trade in one step, and how that was decided. Of `quantity` (base units) and `notional` (quote currency)
    the one that the order fixes is exact, the other an estimate at the last close. `allocation` and `stop_probability`
    are what was proposed before the limits, as text; `inputs` is a digest of all that was decided on."""

    slice_id: str
    step: int
    window: Window
    quantity: Decimal
    notional: Decimal
    fraction: Decimal
    cumulative_fraction: Decimal
    final: bool
    stop_reason: StopReason | None
    limit_price: Decimal | None
    basis: Basis
    fallback_reason: str | None
    bound_by: Bound | None
    model: str
    allocation: str
    stop_probability: str
    decided_on: datetime | None
    decided_at: datetime
    inputs: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class GivenSlice(Slice):
    """A slice that the order has had, and what was `executed` of it in the unit that the order fixes."""

    executed: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class NextSlice:
    """`slice` is None while there is nothing to trade: see `status`."""

    order_id: str
    status: Status
    slice: Slice | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """`fraction` of the order that is asked for, or of a projected step its mean; `executed` in the unit that the order
    fixes; `end_probability`: the chance, seen from now, that the order ends with the step."""

    step: int
    state: StepState
    window: Window
    fraction: Decimal
    executed: Decimal
    end_probability: Decimal
    slice: Slice | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """The slices so far, the current one, and the projected rest."""

    order_id: str
    status: Status
    steps: tuple[Step, ...]
