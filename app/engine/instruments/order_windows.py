"""What an order awaits next on its instrument: the window that needs a slice, and the time at which somebody must look
though no bar has come."""

from __future__ import annotations

from datetime import datetime, timedelta

from app.domain.lifecycle import Move, permits
from app.domain.order import Fills
from app.domain.slice import Window
from app.domain.state import OrderState
from app.engine.instruments.live import LiveInstrument

INSTANT = timedelta(microseconds=1)
"""A report that comes at the last moment is in time."""


def next_window(state: OrderState, live: LiveInstrument) -> Window | None:
    """The window that needs a slice, whatever bars are there; None when the order needs no more."""
    if not permits(state.status, Move.SLICE) or state.at_last_step:
        return None
    if state.order.fills is Fills.ASSUMED and state.leaves - state.in_flight < state.lot:
        return None  # all is asked for; only the bars can tell whether it was traded
    return live.window_from(state.next_open, live.step_seconds_of(state.order))


def looks_at(state: OrderState, live: LiveInstrument) -> datetime | None:
    """When somebody must look whether a bar is late: when the order's next window opens, or when the order ends by the
    clock. None where neither is to come."""
    window = next_window(state, live)
    return window.start if window is not None else ends_by_clock(state, live)


def ends_by_clock(state: OrderState, live: LiveInstrument) -> datetime | None:
    """When an order that gets no more slices is over, whatever the feed does: one step after its last window, for whose
    bar that is time, and not before its reports are overdue. None where the order may get more slices, or awaits
    nothing."""
    if not state.awaits_bars or next_window(state, live) is not None:
        return None
    over = state.next_open + timedelta(seconds=live.step_seconds_of(state.order))
    return max([over, *(due.until + INSTANT for due in state.reports_due)])
