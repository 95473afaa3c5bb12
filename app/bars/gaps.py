"""What a missing bar means, for the service, the backtest and the training alike.

A gap of at most `GAP_WINDOWS_MAX` windows is filled with marked synthetic bars, over which no order of a backtest runs.
After a longer gap the history starts anew. That holds for a series that trades round the clock. Any other series
follows an exchange's sessions, where nights, weekends and holidays are no gaps: its bars are consecutive trading
windows. Its history starts anew after more than `GAP_WINDOWS_MAX` windows missing inside a session, and where it has no
bar for more than `HOLIDAY_DAYS_MAX` days.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.bars.rests import has_nights, trades_on_weekends
from app.bars.series import Series
from app.bars.session_holes import missing_inside
from app.bars.trading_days import trading_days
from app.domain.durations import DAY_SECONDS
from app.domain.errors import InvalidInput

GAP_WINDOWS_MAX = 288
"""The most missing windows in a row that are filled."""
HOLIDAY_DAYS_MAX = 12
"""The most days in a row, weekends among them, on which an exchange is closed by its calendar: Taiwan's closed so long
at the Lunar New Year of 2023. China's golden weeks and Japan's of 2019 took ten."""
PRICES = ("open", "high", "low")
TRADED = ("volume", "notional", "trades")


@dataclass(frozen=True, slots=True, kw_only=True)
class Missing:
    """What is missing between neighbours: `windows` [T - 1] counts bars, and after a gap with `new_history` [T - 1] the
    history starts anew. Holidays are not in it, nor are lost days that may be holidays."""

    windows: NDArray[np.int64]
    new_history: NDArray[np.bool_]


def round_the_clock(series: Series) -> bool:
    """Whether the series shows no nights and no weekends without trading.

    Weekends decide (app/bars/rests.py). Where the series shows none, its nights do. A series of less than a day can
    show neither and counts as round the clock, as an instrument of the service does that names no calendar. Daily bars
    show no nights: a few of them within one week count as sessions.
    """
    weekends = trades_on_weekends(series)
    if weekends is not None:
        return weekends
    if series.bar_seconds >= DAY_SECONDS:
        return False
    if series.open_time[-1] + series.bar_seconds - series.open_time[0] < DAY_SECONDS:
        return True
    return not has_nights(series)


def missing(series: Series) -> Missing:
    """The gaps of a series, by the rule of this module; times off the grid count no bar twice."""
    if not round_the_clock(series):
        return _missing_in_sessions(series)
    windows = np.maximum(-(-np.diff(_grid_seconds(series)) // series.bar_seconds) - 1, 0)
    return Missing(windows=windows, new_history=windows > GAP_WINDOWS_MAX)


def _missing_in_sessions(series: Series) -> Missing:
    days = trading_days(series)
    bar_days = max(1, series.bar_seconds // DAY_SECONDS)
    closed = np.diff(days.date) - bar_days
    too_long = closed > HOLIDAY_DAYS_MAX
    if bar_days > 1:
        return Missing(windows=np.where(too_long, closed // bar_days, 0), new_history=too_long)
    inside = missing_inside(series, days) if series.bar_seconds < DAY_SECONDS else np.zeros_like(closed)
    _, bars_a_day = np.unique(days.date, return_counts=True)
    lost = np.maximum(days.missing_between() * int(np.median(bars_a_day)), 1)
    windows = np.where(too_long, lost, inside)
    return Missing(windows=windows, new_history=windows > np.where(too_long, 0, GAP_WINDOWS_MAX))


def segments(series: Series) -> list[Series]:
    """The stretches whose bars can be taken as consecutive, with the short gaps of a series round the clock filled."""
    cuts = np.flatnonzero(missing(series).new_history) + 1
    edges = [0, *cuts.tolist(), len(series)]
    parts = [series.part(first, end) for first, end in pairwise(edges)]
    return [filled(part) for part in parts] if round_the_clock(series) else parts


def filled(series: Series) -> Series:
    """The twin of `app.domain.bar.fill_gap`: a missing bar has no volume, the last close, and a mark.

    Raises InvalidInput where a bar does not open a whole number of bars after the first one, or a daily bar has the
    date of the one before.
    """
    beside = off_grid(series)
    if beside.any():
        opens = datetime.fromtimestamp(int(series.open_time[np.argmax(beside)]), UTC)
        raise InvalidInput(
            "misaligned",
            f"{series.instrument}: the bar of {opens:%Y-%m-%d %H:%M:%S} UTC is off the grid of {series.bar_seconds} s "
            "that the first bar begins: take it out, or set its time to the bar's open",
        )
    grid = _grid_seconds(series)
    index = (grid - grid[0]) // series.bar_seconds
    count = int(index[-1]) + 1
    source = np.searchsorted(index, np.arange(count), side="right") - 1
    absent = index[source] != np.arange(count)
    spread = series.pick(source)
    changes: dict[str, Any] = {name: np.where(absent, spread.close, getattr(spread, name)) for name in PRICES}
    changes |= {name: np.where(absent, 0.0, getattr(spread, name)) for name in TRADED}
    open_time = spread.open_time + (np.arange(count) - index[source]) * series.bar_seconds
    return replace(spread, open_time=open_time, synthetic=absent, **changes)


def off_grid(series: Series) -> NDArray[np.bool_]:
    """[T]: the bars of a series round the clock that open beside the grid of the first one: between two of its times,
    or for daily bars, on the date of the bar before."""
    grid = _grid_seconds(series)
    beside: NDArray[np.bool_] = (grid - grid[0]) % series.bar_seconds != 0
    beside[1:] |= np.diff(grid) == 0
    return beside


def _grid_seconds(series: Series) -> NDArray[np.int64]:
    """[T]: the opens, or for daily bars, midnight of their trading days: local midnight moves with daylight saving."""
    if series.bar_seconds != DAY_SECONDS:
        return series.open_time
    return trading_days(series).date * DAY_SECONDS
