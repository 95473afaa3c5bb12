"""The bars of one step length that the policies read, kept at hand.

The calendar says which bars of the feed make a step's bar: all of its window, which on an exchange is cut where a break
or the close comes first. A hole in the history that is not filled (see app/bars/gaps.py) starts it anew: a policy must
not take bars for neighbours that are not.
"""

from __future__ import annotations

from collections import deque
from datetime import datetime
from decimal import Decimal

import numpy as np

from app.decision.chain import BarWindow
from app.decision.market import COLUMNS, bar_row
from app.domain.bar import Bar, aggregate
from app.domain.numbers import ZERO
from app.domain.slice import Window
from app.engine.ports import Calendar

STEP_BARS_MAX = 96
"""A step lasts at most that many bars of the feed: the store keeps bars for a lookback of such steps."""
BARS_AT_HAND = 100
"""Windows close with the bar that ends them; some more bars are kept for those that closed while nobody looked."""


class StepHistory:
    """What policies read of the newest `lookback` complete bars of `step_seconds`, from bars of `bar_seconds` pushed in
    order. The bars themselves take ten times the memory of the rows made of them: only the newest are kept, which
    windows that close now may ask for."""

    def __init__(self, step_seconds: int, bar_seconds: int, lookback: int, calendar: Calendar) -> None:
        self.step_seconds = step_seconds
        self._single = step_seconds == bar_seconds
        self._calendar = calendar
        self._bars: deque[Bar] = deque(maxlen=min(lookback, BARS_AT_HAND))
        self._volumes: deque[Decimal] = deque(maxlen=lookback)
        self._rows = np.zeros((lookback, len(COLUMNS)), dtype=np.float32)
        self._parts: list[Bar] = []
        self._closes: datetime | None = None
        self._busiest: Decimal | None = None

    @property
    def newest(self) -> Bar | None:
        return self._bars[-1] if self._bars else None

    @property
    def busiest_volume(self) -> Decimal:
        """The volume (base units) of the busiest kept bar; zero where there is none. Looked for once a bar: every new
        order asks."""
        if self._busiest is None:
            self._busiest = max(self._volumes, default=ZERO)
        return self._busiest

    def push(self, bar: Bar) -> None:
        """Add the next bar of the feed; a step's bar appears with the last of its parts."""
        if self._single:
            self._add(bar)
            return
        if self._calendar.first_open(bar.open_time, self.step_seconds, None) == bar.open_time:
            self._parts, self._closes = [bar], self._calendar.close_of(bar.open_time, self.step_seconds)
        elif self._parts:
            self._parts.append(bar)
        if self._parts and bar.close_time == self._closes:
            self._add(aggregate(self._parts))
            self._parts = []

    def restart(self) -> None:
        """Forget everything: the next bar does not follow on the last one."""
        self._bars.clear()
        self._volumes.clear()
        self._rows[:] = 0.0
        self._parts = []
        self._busiest = None

    def bar_in(self, window: Window) -> Bar | None:
        """The bar of that window, if it is among the newest `BARS_AT_HAND`. Where daylight saving begins or ends, a
        daily feed may stamp the bar later than was foreseen."""
        for bar in reversed(self._bars):
            if bar.open_time < window.start:
                break
            if bar.open_time < window.end:
                return bar
        return None

    def window(self, newest: Bar) -> BarWindow:
        """What a policy reads as of `newest`, from rows that were made once."""
        return BarWindow(bars=self._rows[None].copy(), newest=newest)

    def _add(self, bar: Bar) -> None:
        self._bars.append(bar)
        self._volumes.append(bar.volume)
        self._rows[:-1] = self._rows[1:]
        self._rows[-1] = bar_row(bar)
        self._busiest = None
