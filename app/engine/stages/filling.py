"""Stage "check": the synthetic bars that stand for missing ones.

A gap that is too long (app/bars/gaps.py) is not filled: the history starts anew after it, and only as many synthetic
bars are made as the orders under way need to reach their end.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from itertools import pairwise

from app.bars.gaps import GAP_WINDOWS_MAX
from app.domain.bar import Bar, fill_gap
from app.domain.state import OrderState
from app.engine.bar_request import SYNTHETIC_BARS_MAX, SentBar
from app.engine.instruments.live import LiveInstrument


def has_long_gap(live: LiveInstrument, sent: Sequence[SentBar]) -> bool:
    """Whether a gap might be too long to be filled: a cheap upper bound that counts nights as windows."""
    newest = [live.newest.open_time] if live.newest else []
    opens = newest + [each.bar.open_time for each in sent]
    longest = timedelta(seconds=GAP_WINDOWS_MAX * live.instrument.bar_seconds)
    return any(later - earlier > longest for earlier, later in pairwise(opens))


def windows_wanted(live: LiveInstrument, orders: Sequence[OrderState]) -> int:
    """How many windows of the feed, from the newest bar on, it takes at most to bring every order to its end."""
    bar_seconds, wanted = live.instrument.bar_seconds, 0
    for state in orders:
        until_next = max(timedelta(), state.next_open - live.last.close_time) // timedelta(seconds=bar_seconds)
        steps_left = state.order.horizon.max_steps - state.step + 2
        wanted = max(wanted, until_next + steps_left * live.step_seconds_of(state.order) // bar_seconds)
    return min(wanted, SYNTHETIC_BARS_MAX)


def filling(live: LiveInstrument, last: Bar, bar: Bar, windows_wanted: int = 0) -> list[Bar]:
    """The synthetic bars between two bars of the feed; `windows_wanted` of them where the gap is too long."""
    if last.close_time == bar.open_time:
        return []
    seconds = live.instrument.bar_seconds
    opens = live.calendar.missing(last.open_time, bar.open_time, seconds, GAP_WINDOWS_MAX + 1)
    if len(opens) > GAP_WINDOWS_MAX:
        opens = live.calendar.missing(last.open_time, bar.open_time, seconds, windows_wanted) if windows_wanted else []
    return [fill_gap(last, open_time, live.close_of(open_time, seconds)) for open_time in opens]
