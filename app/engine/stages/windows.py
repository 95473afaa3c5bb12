"""Stage "close windows": how orders meet the newest bar of their instrument: which of their windows have closed, and
which need a slice.

Everything here follows from the orders' states and the bars alone, so that bars may be replayed: what they have already
done to an order they do not do again.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace

from app.domain.reports import give_back
from app.domain.state import OrderState
from app.domain.transitions import close_window, give_up
from app.engine.instruments.avoided_windows import steps_ahead
from app.engine.instruments.live import LiveInstrument
from app.engine.instruments.order_windows import ends_by_clock, next_window
from app.engine.stages.batch import BAR_LATE, InstrumentOrders, WantedSlice, WantedSlices


def close_windows(batch: Sequence[InstrumentOrders]) -> list[InstrumentOrders]:
    """Close every window that the newest bar of its instrument has brought to its end, and, where bars are late, those
    of orders that the clock has brought to theirs."""
    return [replace(part, orders=tuple(_closed(state, part) for state in part.orders)) for part in batch]


def wanted_slices(batch: Sequence[InstrumentOrders]) -> list[WantedSlices]:
    """The orders that need a slice now, by instrument, step length and bundle."""
    return [group for part in batch for group in _wanted_of(part)]


def _closed(state: OrderState, part: InstrumentOrders) -> OrderState:
    settled = _settled(state, part.live)
    if part.late_since is None:
        return settled
    settled = give_up(give_back(settled, part.late_since))
    over = ends_by_clock(settled, part.live)
    if over is None or over > part.late_since:
        return settled
    step_seconds = part.live.step_seconds_of(state.order)
    while (piece := settled.oldest_open) is not None:
        settled = close_window(settled, part.live.bar_over(piece.window, step_seconds))
    return give_up(settled)


def _settled(state: OrderState, live: LiveInstrument) -> OrderState:
    closed, step_seconds = live.last.close_time, live.step_seconds_of(state.order)
    while (piece := state.oldest_open) is not None and piece.window.end <= closed:
        state = close_window(state, live.bar_over(piece.window, step_seconds))
    return give_up(give_back(state, closed))


def _wanted_of(part: InstrumentOrders) -> Iterator[WantedSlices]:
    groups: dict[tuple[int, str | None], list[WantedSlice]] = defaultdict(list)
    for state in part.orders:
        each = _late_slice(state, part) if part.late_since else _ready_slice(state, part.live)
        if each is not None:
            groups[part.live.step_seconds_of(state.order), state.bundle].append(each)
    late_reason = BAR_LATE if part.late_since else None
    for (step_seconds, bundle), wanted in groups.items():
        yield WantedSlices(
            live=part.live, step_seconds=step_seconds, late_reason=late_reason, wanted=wanted, bundle=bundle
        )


def _ready_slice(state: OrderState, live: LiveInstrument) -> WantedSlice | None:
    """The slice of the window that needs a slice and whose bar before it is the newest one.

    A window that the bars have passed by (the history has a hole) is given up for the one that opens next.
    """
    window = next_window(state, live) if state.oldest_open is None else None
    if window is None:
        return None
    closed = live.last.close_time
    if state.next_open < closed:
        window = live.window_from(closed, live.step_seconds_of(state.order))
    if window.start > live.frontier:
        return None
    return WantedSlice(state=state, window=window, ahead=steps_ahead(state, live, window.start))


def _late_slice(state: OrderState, part: InstrumentOrders) -> WantedSlice | None:
    window = next_window(state, part.live)
    if window is None or part.late_since is None or window.start > part.late_since:
        return None
    unseen = part.live.windows_unseen(window.start, part.live.step_seconds_of(state.order))
    ahead = steps_ahead(state, part.live, window.start)
    return WantedSlice(state=state, window=window, windows_unseen=unseen, ahead=ahead)
