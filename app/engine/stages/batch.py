"""What passes from stage to stage: orders by the instrument that they stand on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from app.domain.evolve import built_quickly
from app.domain.slice import Window
from app.domain.state import OrderState
from app.domain.steps_ahead import StepsAhead
from app.engine.instruments.live import LiveInstrument

BAR_LATE = "bar_late"


@dataclass(frozen=True, slots=True, kw_only=True)
class InstrumentOrders:
    """One instrument's part of a batch: orders that stand on its newest bar.

    With `late_since`, windows that opened by then get their slice without the bar before them, which is late;
    otherwise only windows whose bar before them is the newest one get a slice. Windows that ended long before it are
    over, though nobody saw what the market did in them.
    """

    live: LiveInstrument
    orders: tuple[OrderState, ...]
    late_since: datetime | None = None


@built_quickly
@dataclass(frozen=True, slots=True, kw_only=True)
class WantedSlice:
    """An order that needs a slice for `window`. `windows_unseen` lie between the newest bar and that window. `ahead`
    are the steps from that one on, where the order avoids some."""

    state: OrderState
    window: Window
    windows_unseen: int = 0
    ahead: StepsAhead | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WantedSlices:
    """The orders of one instrument, one step length and one `bundle` that need a slice. `late_reason` says why the
    model is not asked, None where it is."""

    live: LiveInstrument
    step_seconds: int
    late_reason: str | None
    wanted: Sequence[WantedSlice]
    bundle: str | None = None
