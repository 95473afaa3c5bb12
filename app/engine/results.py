"""What the use cases take and give back, besides the words of the domain."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from app.domain.bar import Bar
from app.domain.errors import LemError
from app.domain.fills import Fill
from app.domain.lifecycle import Status
from app.domain.slice import Slice, Window
from app.domain.state import OrderState


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedBar:
    """A closed bar as a feed sends it. The instrument says how long it lasts; prices are quote currency per unit,
    `volume` base units, `notional` quote currency. It may be invalid: the engine refuses it then."""

    instrument: str
    open_time: datetime
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: Decimal
    notional: Decimal | None = None
    trades: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RejectedBar:
    """A bar that was not taken: its index in the request, and why."""

    index: int
    code: str
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Ingested:
    """What became of a request's bars: new ones, identical repeats, windows filled with synthetic bars, and bars that
    are recorded with other values. `rejected` is empty unless the sender takes parts. Where another process is to
    decide on the bars, and has not in time, they are not `decided`: they are durable, and slices follow."""

    accepted: int
    duplicates: int
    gaps_filled: int
    revised: int = 0
    rejected: tuple[RejectedBar, ...] = ()
    decided: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class BookedFill:
    """The order with a reported fill booked, and the fill with its warnings; `new` is False for a repeated report."""

    order: OrderState
    fill: Fill
    new: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Orders by instrument and, within it, in order of acceptance; `next_cursor` is None on the last page."""

    orders: tuple[OrderState, ...]
    next_cursor: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class BarPage:
    """Recorded bars of one instrument, newest first. The next page has those that open before `next_before`, None on
    the last page."""

    bars: tuple[Bar, ...]
    next_before: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class NewestBar:
    """The newest recorded `bar` of an instrument: None where it has none, or where a `refusal` says why nothing is
    known of it."""

    symbol: str
    bar: Bar | None = None
    refusal: LemError | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NextSlice:
    """What the order is to trade now; `slice` is None while there is nothing."""

    order_id: str
    status: Status
    slice: Slice | None


class StepState(StrEnum):
    """A step of a schedule: its window has closed, it has a slice that runs, or it is yet to be decided."""

    DONE = "done"
    CURRENT = "current"
    PROJECTED = "projected"


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduledStep:
    """`fraction` is the share of the whole order asked for in the step, or the mean of what may be: an order that ends
    before asks for nothing more. `executed` is what was traded in it, in the unit that the order fixes; `slice` is None
    for a projected step. `end_probability` is the chance, seen from now, that the order ends at this step: they sum to
    1 over the schedule of a live order."""

    step: int
    state: StepState
    window: Window
    fraction: Decimal
    executed: Decimal
    end_probability: float
    slice: Slice | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """The slices so far, the current one, and the projected rest: the mean over what the market may do."""

    order_id: str
    status: Status
    steps: tuple[ScheduledStep, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Readiness:
    """`reasons` are stable codes of what keeps the service from serving; empty when ready. `feeds_silent` are
    instruments whose orders await a feed that is silent, `instruments_failed` those that cannot be opened now; both
    hold the first of them by name."""

    ready: bool
    reasons: tuple[str, ...] = ()
    feeds_silent: tuple[str, ...] = ()
    instruments_failed: tuple[str, ...] = ()
