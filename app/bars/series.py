"""Bars as arrays: the vectorised twins of app/domain/bar.py and app/decision/market.py, held equal to them by tests.

Shapes: T bars, G windows, L lookback, C columns.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from app.decision.market import COLUMNS, UNSEEN_ROW, Floats
from app.domain.durations import DAY_SECONDS
from app.domain.errors import InvalidInput

Vector = NDArray[np.float64]

THURSDAY, SATURDAY = 3, 5
"""Weekdays, Monday being 0; the epoch's first day is a Thursday."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """One instrument's bars, oldest first; all arrays are [T].

    `open_time` is in seconds since the epoch. Where the feed has none, `notional` is NaN and `trades` 0. `synthetic`
    marks a bar that fills a gap. `lengths` are the seconds of each bar where some are shorter than `bar_seconds`: steps
    that end with a session or before a break.
    """

    instrument: str
    bar_seconds: int
    open_time: NDArray[np.int64]
    open: Vector
    high: Vector
    low: Vector
    close: Vector
    volume: Vector
    notional: Vector
    trades: Vector
    synthetic: NDArray[np.bool_]
    lengths: NDArray[np.int64] | None = None

    def __len__(self) -> int:
        return len(self.open_time)

    def part(self, first: int, end: int) -> Series:
        """The bars from index `first` up to `end`, exclusive."""
        return self.pick(np.arange(first, end))

    def pick(self, chosen: NDArray[np.int64]) -> Series:
        """The bars at the given indices."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        arrays: dict[str, Any] = {
            name: value[chosen] for name, value in values.items() if isinstance(value, np.ndarray)
        }
        return replace(self, **arrays)

    @property
    def seconds(self) -> NDArray[np.int64]:
        """[T]: how long each bar lasts."""
        return np.full(len(self), self.bar_seconds) if self.lengths is None else self.lengths

    @property
    def price(self) -> Vector:
        """[T]: the VWAP of each bar by the rule of `Bar.price`."""
        has = np.isfinite(self.notional) & (self.volume > 0.0)
        vwap = np.divide(self.notional, self.volume, out=np.full(len(self), np.nan), where=has)
        typical = (self.high + self.low + self.close) / 3.0
        price: Vector = np.where(has & (self.low <= vwap) & (vwap <= self.high), vwap, typical)
        return price


def raw_rows(series: Series) -> Floats:
    """[T, C]: the rows of the raw window, in the order of `COLUMNS`; the twin of `bar_row`."""
    days = series.open_time // DAY_SECONDS
    named = {
        "open": series.open,
        "high": series.high,
        "low": series.low,
        "close": series.close,
        "volume": series.volume,
        "notional": series.price * series.volume,
        "trades": series.trades,
        "second_of_day": series.open_time % DAY_SECONDS,
        "day_of_week": (days + THURSDAY) % 7,
        "bar_seconds": series.seconds,
    }
    rows = np.stack([named[name] for name in COLUMNS], axis=1).astype(np.float32)
    rows[series.synthetic] = UNSEEN_ROW
    return rows


def raw_windows(rows: Floats, lookback: int, newest: NDArray[np.int64]) -> Floats:
    """[G, L, C]: for each g the window that ends with bar `newest[g]`, rows of zeros where history is missing."""
    padded = np.concatenate([np.zeros((lookback - 1, rows.shape[1]), dtype=np.float32), rows])
    windows: Floats = sliding_window_view(padded, lookback, axis=0)[newest].transpose(0, 2, 1)
    return np.ascontiguousarray(windows)


def aggregated(series: Series, step_seconds: int) -> Series:
    """The twin of `app.domain.bar.aggregate`: bars of `step_seconds` from consecutive bars without gaps, aligned to
    multiples of `step_seconds` since the epoch.

    Windows that the series does not cover whole are left out. Raises InvalidInput where `step_seconds` is no multiple
    of the length of the bars.
    """
    require_multiple(step_seconds, series.bar_seconds)
    group = step_seconds // series.bar_seconds
    aligned = np.flatnonzero(series.open_time % step_seconds == 0)
    first = int(aligned[0]) if len(aligned) else len(series)
    count = (len(series) - first) // group

    def grouped(values: NDArray[Any]) -> NDArray[Any]:
        return values[first : first + count * group].reshape(count, group)

    return replace(
        series,
        bar_seconds=step_seconds,
        open_time=grouped(series.open_time)[:, 0],
        open=grouped(series.open)[:, 0],
        high=grouped(series.high).max(axis=1),
        low=grouped(series.low).min(axis=1),
        close=grouped(series.close)[:, -1],
        volume=grouped(series.volume).sum(axis=1),
        notional=grouped(series.price * series.volume).sum(axis=1),
        trades=grouped(series.trades).sum(axis=1),
        synthetic=grouped(series.synthetic).min(axis=1),
    )


def require_multiple(step_seconds: int, bar_seconds: int) -> None:
    """Raises InvalidInput("bad_step_seconds")."""
    if step_seconds % bar_seconds or step_seconds < bar_seconds:
        raise InvalidInput(
            "bad_step_seconds", f"step_seconds is {step_seconds}; it must be a multiple of the bars' {bar_seconds}"
        )
