"""What a missing bar means.

A series with bars on Saturdays or Sundays trades round the clock: a missing bar becomes a marked synthetic one, as in
the service, and no order runs over it; after a hole of more than `GAP_BARS_MAX` bars the history starts anew. Any other
series follows an exchange's sessions: nights and weekends are no gaps, its bars are consecutive trading windows.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np

from app.bars.series import DAY_SECONDS, THURSDAY, Series
from app.domain.errors import InvalidInput

GAP_WINDOWS_MAX = 200
GAP_BARS_MAX = 288
SATURDAY = 5
PRICES = ("open", "high", "low")
TRADED = ("volume", "notional", "trades")


def round_the_clock(series: Series) -> bool:
    """Whether any bar opens on a weekend (UTC)."""
    weekday = (series.open_time // DAY_SECONDS + THURSDAY) % 7
    return bool((weekday >= SATURDAY).any())


def segments(series: Series) -> list[Series]:
    """The stretches whose bars can be taken as consecutive, short gaps filled."""
    if not round_the_clock(series):
        return [series]
    missing = np.diff(series.open_time) // series.bar_seconds - 1
    cuts = np.flatnonzero(missing > GAP_BARS_MAX) + 1
    edges = [0, *cuts.tolist(), len(series)]
    return [filled(series.part(first, end)) for first, end in pairwise(edges)]


def filled(series: Series) -> Series:
    """The twin of `app.domain.bar.fill_gap`: no volume, the last close, marked.

    Raises InvalidInput where a bar does not open a whole number of bars after the first one.
    """
    place, beside = np.divmod(series.open_time - series.open_time[0], series.bar_seconds)
    if beside.any():
        raise InvalidInput(
            "misaligned", f"{series.instrument}: the bar at {series.open_time[np.argmax(beside > 0)]} s is off the grid"
        )
    count = int(place[-1]) + 1
    source = np.searchsorted(place, np.arange(count), side="right") - 1
    made = place[source] != np.arange(count)
    spread = series.pick(source)
    changes: dict[str, Any] = {name: np.where(made, spread.close, getattr(spread, name)) for name in PRICES}
    changes |= {name: np.where(made, 0.0, getattr(spread, name)) for name in TRADED}
    open_time = series.open_time[0] + np.arange(count) * series.bar_seconds
    return replace(spread, open_time=open_time, synthetic=made, **changes)
