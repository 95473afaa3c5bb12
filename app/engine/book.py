"""What the engine keeps in memory of one instrument. All of it can be read again from the store."""

from __future__ import annotations

from datetime import datetime

from app.domain.bar import Bar
from app.domain.instrument import Instrument
from app.engine.ports import Calendar
from app.engine.series import StepHistory


class Book:
    """The newest bar, and one series for each step length in use. `due` is when the watchdog must look again: the
    earliest opening of a window without a slice."""

    def __init__(self, instrument: Instrument, calendar: Calendar, lookback: int) -> None:
        self.instrument = instrument
        self.calendar = calendar
        self.newest: Bar | None = None
        self.due: datetime | None = None
        self._lookback = lookback
        self._series: dict[int, StepHistory] = {}

    @property
    def last(self) -> Bar:
        """The newest bar, where there must be one."""
        if self.newest is None:
            raise AssertionError(f"{self.instrument.symbol} has no bars")
        return self.newest

    @property
    def frontier(self) -> datetime:
        """When the window after the newest bar opens."""
        return self.first_open(self.last.close_time, self.instrument.bar_seconds)

    def push(self, bar: Bar) -> None:
        """Take the next bar of the feed into every series."""
        if self.newest is not None and self._hole_before(bar):
            for series in self._series.values():
                series.restart()
        self.newest = bar
        for series in self._series.values():
            series.push(bar)

    def series(self, step_seconds: int) -> StepHistory | None:
        return self._series.get(step_seconds)

    def add_series(self, step_seconds: int, bars: list[Bar]) -> StepHistory:
        """Start a series from the bars up to the newest one, oldest first."""
        series = StepHistory(step_seconds, self.instrument.bar_seconds, self._lookback)
        previous: Bar | None = None
        for bar in bars:
            if previous is not None and self._missing(previous, bar):
                series.restart()
            series.push(bar)
            previous = bar
        self._series[step_seconds] = series
        return series

    def note_due(self, opens: datetime) -> None:
        """A window that opens then may come to lack a slice."""
        self.due = opens if self.due is None else min(self.due, opens)

    def first_open(self, at: datetime, step_seconds: int) -> datetime:
        return self.calendar.first_open(at, step_seconds, self.last.open_time)

    def close_of(self, open_time: datetime, step_seconds: int) -> datetime:
        return self.calendar.close_of(open_time, step_seconds)

    def _hole_before(self, bar: Bar) -> bool:
        return self._missing(self.last, bar)

    def _missing(self, earlier: Bar, later: Bar) -> bool:
        if earlier.close_time == later.open_time:
            return False
        return bool(self.calendar.missing(earlier.open_time, later.open_time, self.instrument.bar_seconds, 1))
