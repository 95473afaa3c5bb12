"""What is held in memory of one instrument. All of it can be read again from the store."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal

from app.decision.chain import BarWindow
from app.domain.bar import Bar, fill_gap
from app.domain.durations import DAY_SECONDS
from app.domain.errors import InvalidInput
from app.domain.instrument import Instrument
from app.domain.order import AskedOrder
from app.domain.projection import Bound
from app.domain.slice import Window
from app.engine.instruments.history import StepHistory
from app.engine.instruments.unread_bars import UnreadBars
from app.engine.ports import Calendar
from app.engine.tasks import Breather

WINDOWS_UNSEEN_MAX = 1_000
"""No forecast reaches further, so there is no need to count on."""

WINDOWS_KEPT_MAX = 1_000


class LiveInstrument:
    """The newest bar, and one history for each step length in use. `due` is when somebody must look whether a bar is
    late: the earliest opening of a window that lacks its slice, of all orders that the newest bar has moved or that
    were created on it.

    Where this process has not `owned` it since it was opened, another one moves its orders. `fence` is that of the
    lease, None where nobody else could own it. `unread` are bars that other processes have appended; `orders_changed`:
    another one has changed orders since somebody looked when their bars are late. `avoided` keeps until the next bar
    which windows from one on touch minutes that orders avoid (avoided_windows.py)."""

    def __init__(self, instrument: Instrument, calendar: Calendar, lookback: int) -> None:
        self.instrument = instrument
        self.calendar = calendar
        self.newest: Bar | None = None
        self.due: datetime | None = None
        self.owned = True
        self.fence: int | None = None
        self.unread = UnreadBars()
        self.orders_changed = False
        self._lookback = lookback
        self._daily = instrument.bar_seconds == DAY_SECONDS
        self._histories: dict[int, StepHistory] = {}
        self._windows: dict[int, BarWindow] = {}
        self._opening: dict[tuple[datetime, int], Window] = {}
        self.avoided: dict[tuple[datetime, int, tuple[int, int]], tuple[Bound | None, ...]] = {}
        self._frontier: datetime | None = None

    @property
    def symbol(self) -> str:
        return self.instrument.symbol

    @property
    def last(self) -> Bar:
        """The newest bar, where there must be one."""
        if self.newest is None:
            raise AssertionError(f"{self.symbol} has no bars")
        return self.newest

    @property
    def frontier(self) -> datetime:
        """When the window after the newest bar opens. Kept until the next bar, since every order asks."""
        if self._frontier is None:
            self._frontier = self.first_open(self.last.close_time, self.instrument.bar_seconds)
        return self._frontier

    def step_seconds_of(self, order: AskedOrder) -> int:
        """The length of the order's steps."""
        return order.horizon.step_seconds or self.instrument.bar_seconds

    def push(self, bar: Bar) -> None:
        """Take the next bar of the feed into every history."""
        if self.newest is not None and self._missing_between(self.newest, bar):
            for history in self._histories.values():
                history.restart()
        self.newest = bar
        self.due = None
        self._opening.clear()
        self.avoided.clear()
        self._frontier = None
        for history in self._histories.values():
            _push(history, bar)

    def has_history(self, step_seconds: int) -> bool:
        return step_seconds in self._histories

    def new_history(self, step_seconds: int) -> StepHistory:
        """An empty one of that step length, to be filled and added."""
        return StepHistory(step_seconds, self.instrument.bar_seconds, self._lookback, self.calendar)

    async def fill(self, history: StepHistory, bars: Iterable[Bar], previous: Bar | None = None) -> None:
        """Take the bars into it, oldest first; `previous` is the bar before them, where there is one. Others have their
        turn meanwhile: a long step takes tens of thousands of bars."""
        breather = Breather()
        for bar in bars:
            if previous is not None and self._missing_between(previous, bar):
                history.restart()
            _push(history, bar)
            previous = bar
            await breather.after()

    def add_history(self, history: StepHistory) -> None:
        """Keep a history that has all bars up to the newest one."""
        self._histories[history.step_seconds] = history

    def bar_window(self, step_seconds: int) -> BarWindow:
        """What policies read as of the newest bar; the same object until the next bar of that step length."""
        history = self._histories.get(step_seconds)
        if history is None:
            raise AssertionError(f"no history of {step_seconds} s for {self.symbol}")
        newest = history.newest or self.last
        known = self._windows.get(step_seconds)
        if known is None or known.newest is not newest:
            known = self._windows[step_seconds] = history.window(newest)
        return known

    def bar_over(self, window: Window, step_seconds: int) -> Bar:
        """The bar of a step. Where a hole in the history has swallowed it, a synthetic one stands for it."""
        history = self._histories.get(step_seconds)
        bar = history.bar_in(window) if history else None
        return bar or fill_gap(self.last, window.start, window.end)

    def windows_unseen(self, opens: datetime, step_seconds: int) -> int:
        """How many windows of that length lie between the newest bar that policies read and the window that opens
        then; at most `WINDOWS_UNSEEN_MAX` are counted."""
        first = self.first_open(self.bar_window(step_seconds).newest.close_time, step_seconds)
        if first >= opens:
            return 0
        return 1 + len(self.calendar.missing(first, opens, step_seconds, WINDOWS_UNSEEN_MAX))

    def busiest_volume(self, step_seconds: int) -> Decimal:
        """The volume (base units) of the busiest recent step, of those that the policies read; of a step like the
        newest bar where that is more, since no step may be complete yet."""
        history = self._histories.get(step_seconds)
        like_newest = self.last.volume * self.calendar.bars_in(step_seconds, self.instrument.bar_seconds)
        return max(like_newest, history.busiest_volume) if history else like_newest

    def note_due(self, opens: datetime) -> None:
        """A window that opens then may come to lack a slice. Whoever reads all orders anew clears `due` before, not
        after: an order may be created meanwhile."""
        self.due = opens if self.due is None else min(self.due, opens)

    def first_open(self, at: datetime, step_seconds: int) -> datetime:
        """When the first window of that length opens at or after `at`."""
        return self.calendar.first_open(at, step_seconds, self.last.open_time if self._daily else None)

    def window_from(self, at: datetime, step_seconds: int) -> Window:
        """The first window of that length that opens at or after `at`. Kept until the next bar: the orders of an
        instrument await few windows, and each asks several times."""
        window = self._opening.get((at, step_seconds))
        if window is None:
            start = self.first_open(at, step_seconds)
            window = Window(start, self.close_of(start, step_seconds))
            if len(self._opening) < WINDOWS_KEPT_MAX:
                self._opening[at, step_seconds] = window
        return window

    def close_of(self, open_time: datetime, step_seconds: int) -> datetime:
        return self.calendar.close_of(open_time, step_seconds, open_time if self._daily else None)

    def traded_from(self, at: datetime, step_seconds: int) -> tuple[Window, Window]:
        """The first window of that length that opens at or after `at`, and the time within it in which is traded: a
        window of a daily feed lasts from one stamp to the next, and its session opens later and closes earlier."""
        window = self.window_from(at, step_seconds)
        opens, closes = window.start, self.calendar.complete_at(window.start, step_seconds)
        if self._daily:
            session_opens = self.calendar.first_open(window.start, DAY_SECONDS, None)
            opens = session_opens if session_opens < closes else opens
        return window, Window(opens, closes)

    def _missing_between(self, earlier: Bar, later: Bar) -> bool:
        if earlier.close_time == later.open_time:
            return False
        return bool(self.calendar.missing(earlier.open_time, later.open_time, self.instrument.bar_seconds, 1))


def _push(history: StepHistory, bar: Bar) -> None:
    """A history starts anew where its bars make no step that can be carried: one bar must not stop the instrument."""
    try:
        history.push(bar)
    except InvalidInput:
        history.restart()
