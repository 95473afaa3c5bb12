"""What a missing bar means, for the service, the backtest and the training alike.

A gap of at most `GAP_WINDOWS_MAX` windows is filled with marked synthetic bars, over which no order of a backtest runs.
After a longer gap the history starts anew. That holds for a series that trades round the clock; any other series
follows an exchange's sessions, where nights and weekends are no gaps: its bars are consecutive trading windows.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.bars.series import DAY_SECONDS, THURSDAY, Series
from app.domain.errors import InvalidInput

GAP_WINDOWS_MAX = 288
"""The most missing windows in a row that are filled."""
HOUR_SECONDS = 3_600
SATURDAY = 5
PRICES = ("open", "high", "low")
TRADED = ("volume", "notional", "trades")


def round_the_clock(series: Series) -> bool:
    """Whether the series shows no nights and no weekends (UTC) without trading.

    A weekend between its first bar and its last decides. Where there is no weekend, an hour of the day in which no bar
    ever opens is a night. A series of less than a day can show neither and counts as round the clock, as an instrument
    of the service does that names no calendar. Daily bars show no nights: a few of them within one week count as
    sessions.
    """
    days = series.open_time // DAY_SECONDS
    if _on_weekend(days).any():
        return True
    if _on_weekend(np.arange(days[0], days[-1] + 1)).any():
        return False
    if series.bar_seconds >= DAY_SECONDS:
        return False
    if series.open_time[-1] + series.bar_seconds - series.open_time[0] < DAY_SECONDS:
        return True
    slot_seconds = max(HOUR_SECONDS, series.bar_seconds)
    slots = np.unique(series.open_time % DAY_SECONDS // slot_seconds)
    return len(slots) >= DAY_SECONDS // slot_seconds


def segments(series: Series) -> list[Series]:
    """The stretches whose bars can be taken as consecutive, with short gaps filled."""
    if not round_the_clock(series):
        return [series]
    missing = np.diff(series.open_time) // series.bar_seconds - 1
    cuts = np.flatnonzero(missing > GAP_WINDOWS_MAX) + 1
    edges = [0, *cuts.tolist(), len(series)]
    return [filled(series.part(first, end)) for first, end in pairwise(edges)]


def filled(series: Series) -> Series:
    """The twin of `app.domain.bar.fill_gap`: a missing bar has no volume, the last close, and a mark.

    Raises InvalidInput where a bar does not open a whole number of bars after the first one.
    """
    index, remainder = np.divmod(series.open_time - series.open_time[0], series.bar_seconds)
    if remainder.any():
        raise InvalidInput(
            "misaligned",
            f"{series.instrument}: the bar at {series.open_time[np.argmax(remainder > 0)]} s is off the grid",
        )
    count = int(index[-1]) + 1
    source = np.searchsorted(index, np.arange(count), side="right") - 1
    missing = index[source] != np.arange(count)
    spread = series.pick(source)
    changes: dict[str, Any] = {name: np.where(missing, spread.close, getattr(spread, name)) for name in PRICES}
    changes |= {name: np.where(missing, 0.0, getattr(spread, name)) for name in TRADED}
    open_time = series.open_time[0] + np.arange(count) * series.bar_seconds
    return replace(spread, open_time=open_time, synthetic=missing, **changes)


def _on_weekend(days: NDArray[np.int64]) -> NDArray[np.bool_]:
    """[D] for days since the epoch."""
    on_weekend: NDArray[np.bool_] = (days + THURSDAY) % 7 >= SATURDAY
    return on_weekend
