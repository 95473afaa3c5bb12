"""What the market did in an order's windows, from the recorded bars of one instrument."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from datetime import datetime

from app.domain.bar import Bar, aggregate
from app.domain.slice import Slice, Window
from app.domain.state import OrderState
from app.engine.instruments.live import LiveInstrument
from app.engine.ports import Store
from app.engine.tasks import Breather

BARS_A_READ = 1_000


class RecordedMarket:
    """The feed's bars of an instrument from one time on, oldest first. A window's bar is made once: many orders ask."""

    def __init__(self, live: LiveInstrument, bars: Sequence[Bar]) -> None:
        self._live = live
        self._bars = bars
        self._opens = [bar.open_time for bar in bars]
        self._made: dict[Window, Bar | None] = {}

    @classmethod
    async def read(cls, store: Store, live: LiveInstrument, since: datetime) -> RecordedMarket:
        """All bars that open at or after `since`, and no more than the store keeps."""
        bars: list[Bar] = []
        breather = Breather(1)
        while found := await store.bars_since(live.symbol, since, BARS_A_READ):
            new = [bar for bar in found if not bars or bar.open_time > bars[-1].open_time]
            bars += new
            if len(found) < BARS_A_READ or not new:
                break
            since = bars[-1].close_time
            await breather.after()
        return cls(live, bars)

    @property
    def newest(self) -> Bar | None:
        return self._bars[-1] if self._bars else None

    def windows_of(self, state: OrderState, slices: Sequence[Slice]) -> Iterator[Window]:
        """The order's windows that have closed, and those that would have followed up to max_steps, as far as bars
        reach."""
        closed = state.sums.steps + state.sums.unseen_steps
        for piece in slices[:closed]:
            yield piece.window
        if state.awaits_bars:
            return
        opens, step_seconds = state.next_open, self._live.step_seconds_of(state.order)
        if slices[closed:]:
            opens = slices[closed].window.start  # one that was cancelled before its window opened
        for _ in range(closed, state.order.horizon.max_steps):
            window = self._live.window_from(opens, step_seconds)
            if self.newest is None or window.end > self.newest.close_time:
                return
            yield window
            opens = window.end

    def bar_in(self, window: Window) -> Bar | None:
        """None where no bar of the window is recorded."""
        if window not in self._made:
            parts = self._bars[self._place(window.start) : self._place(window.end)]
            self._made[window] = aggregate(parts) if len(parts) > 1 else parts[0] if parts else None
        return self._made[window]

    def after(self, at: datetime, count: int) -> Sequence[Bar]:
        """The first bars that open at or after `at`."""
        first = self._place(at)
        return self._bars[first : first + count]

    def _place(self, at: datetime) -> int:
        return bisect_left(self._opens, at)
