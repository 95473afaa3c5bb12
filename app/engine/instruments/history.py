"""The bars of one step length that the policies read, kept at hand.

Aggregated windows are aligned to multiples of the step since the epoch. A hole in the history that is not filled (see
app/bars/gaps.py) starts it anew: a policy must not take bars for neighbours that are not.
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

STEP_BARS_MAX = 96
"""A step lasts at most that many bars of the feed: the store keeps bars for a lookback of such steps."""


class StepHistory:
    """The newest `lookback` complete bars of `step_seconds`, from bars of `bar_seconds` pushed in order."""

    def __init__(self, step_seconds: int, bar_seconds: int, lookback: int) -> None:
        self.step_seconds = step_seconds
        self._parts_needed = step_seconds // bar_seconds
        self._lookback = lookback
        self._bars: deque[Bar] = deque(maxlen=lookback)
        self._rows: deque[tuple[float, ...]] = deque(maxlen=lookback)
        self._parts: list[Bar] = []

    @property
    def newest(self) -> Bar | None:
        return self._bars[-1] if self._bars else None

    @property
    def busiest_volume(self) -> Decimal:
        """The volume (base units) of the busiest kept bar; zero where there is none."""
        return max((bar.volume for bar in self._bars), default=ZERO)

    def push(self, bar: Bar) -> None:
        """Add the next bar of the feed; a step's bar appears with the last of its parts."""
        if self._parts_needed == 1:
            self._add(bar)
            return
        if int(bar.open_time.timestamp()) % self.step_seconds == 0:
            self._parts = []
        self._parts.append(bar)
        last_part = int(bar.close_time.timestamp()) % self.step_seconds == 0
        if last_part and len(self._parts) == self._parts_needed:
            self._add(aggregate(self._parts))

    def restart(self) -> None:
        """Forget everything: the next bar does not follow on the last one."""
        self._bars.clear()
        self._rows.clear()
        self._parts = []

    def bar_at(self, open_time: datetime) -> Bar | None:
        """The bar that opens then, if it is among the kept ones."""
        return next((bar for bar in reversed(self._bars) if bar.open_time == open_time), None)

    def window(self, newest: Bar) -> BarWindow:
        """What a policy reads as of `newest`, from rows that were made once."""
        bars = np.zeros((1, self._lookback, len(COLUMNS)), dtype=np.float32)
        if self._rows:
            bars[0, self._lookback - len(self._rows) :] = self._rows
        return BarWindow(bars=bars, count=len(self._rows), newest=newest)

    def _add(self, bar: Bar) -> None:
        self._bars.append(bar)
        self._rows.append(bar_row(bar))
