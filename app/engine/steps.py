"""How one order meets one bar: which windows have closed, and which needs a slice.

Everything here follows from the order's state and the bars alone, so that bars may be replayed: what they have already
done to an order they do not do again.
"""

from __future__ import annotations

from datetime import datetime

from app.domain.bar import Bar, fill_gap
from app.domain.errors import InvalidInput
from app.domain.instrument import Instrument
from app.domain.order import Fills, Order
from app.domain.slice import Window
from app.domain.state import OrderState, Status, close_window, give_up
from app.engine.book import Book

PARTS_MAX = 96
"""A step lasts at most that many bars of the feed: the store keeps bars for a lookback of such steps."""


def step_seconds_of(working: OrderState, instrument: Instrument) -> int:
    return working.order.horizon.step_seconds or instrument.bar_seconds


def require_step(order: Order, book: Book) -> int:
    """The order's step in seconds. Raises InvalidInput("step_seconds_unsupported") where bars cannot make it."""
    bar_seconds = book.instrument.bar_seconds
    step_seconds = order.horizon.step_seconds or bar_seconds
    parts, rest = divmod(step_seconds, bar_seconds)
    if rest or not 1 <= parts <= PARTS_MAX:
        raise InvalidInput(
            "step_seconds_unsupported",
            f"step_seconds is {step_seconds}; it must be 1 to {PARTS_MAX} bars of {bar_seconds} s",
        )
    if parts > 1 and not book.calendar.continuous:
        raise InvalidInput(
            "step_seconds_unsupported",
            f"step_seconds is {step_seconds}; on {book.instrument.calendar} it must be the bars' {bar_seconds}",
        )
    return step_seconds


def settle(working: OrderState, book: Book) -> OrderState:
    """Close every window of the order that the newest bar has brought to its end."""
    closed = book.last.close_time
    while (piece := working.oldest_open) is not None and piece.window.end <= closed:
        working = close_window(working, _bar_over(piece.window, working, book))
    if working.oldest_open is None and working.step == working.order.horizon.max_steps:
        grace = _window_from(working.next_open, working, book)
        if grace.end <= closed:  # only reported fills leave an order waiting here
            return give_up(working)
    return working


def next_window(working: OrderState, book: Book) -> Window | None:
    """The window that needs a slice, whatever bars are there; None when the order needs no more."""
    if working.status not in (Status.ACCEPTED, Status.WORKING) or working.step == working.order.horizon.max_steps:
        return None
    if working.order.fills is Fills.ASSUMED and working.leaves - working.in_flight < working.lot:
        return None  # all is asked for; only the bars can tell whether it was traded
    return _window_from(working.next_open, working, book)


def ready_window(working: OrderState, book: Book) -> Window | None:
    """The window that needs a slice and whose bar before it is the newest one.

    A window that the bars have passed by (the history has a hole) is given up for the one that opens next.
    """
    if working.oldest_open is not None or next_window(working, book) is None:
        return None
    window = _window_from(max(working.next_open, book.last.close_time), working, book)
    return window if window.start <= book.frontier else None


def _window_from(at: datetime, working: OrderState, book: Book) -> Window:
    step_seconds = step_seconds_of(working, book.instrument)
    start = book.first_open(at, step_seconds)
    return Window(start, book.close_of(start, step_seconds))


def _bar_over(window: Window, working: OrderState, book: Book) -> Bar:
    """The bar of the step. Where a hole in the history has swallowed it, a synthetic one stands for it."""
    series = book.series(step_seconds_of(working, book.instrument))
    bar = series.at(window.start) if series else None
    return bar or fill_gap(book.last, window.start, window.end)
