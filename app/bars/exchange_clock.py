"""The local time of an exchange, found from the times of its bars.

Bar files hold UTC. An exchange keeps its hours in local time, so that in UTC the same session moves by an hour when
daylight saving begins and ends. Of the clocks below the exchange's own is the one on which bars open at the same times
of the week all year.
"""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache
from itertools import pairwise
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from app.domain.durations import WEEK_SECONDS

Seconds = NDArray[np.int64]

ZONES = (
    "America/New_York", "Europe/London", "Australia/Sydney", "Pacific/Auckland", "America/Santiago",
    "America/Sao_Paulo", "America/Mexico_City", "Asia/Jerusalem", "Africa/Cairo", "Africa/Casablanca",
    "Asia/Tehran", "Asia/Amman", "Asia/Beirut", "Europe/Istanbul", "Europe/Moscow", "America/Asuncion",
)  # fmt: skip
"""One clock for each rule of daylight saving under which an exchange trades or traded. Exchanges of one rule share a
clock: Frankfurt's is London's but for a constant hour."""

FIRST_YEAR, LAST_YEAR = 1970, 2070
"""Outside these years clocks are taken to stay as they were at the nearer end."""

SLOT_SECONDS = 1_800
"""Times of the week are compared in half hours: exchanges open and close on them."""


def wall_seconds(open_time: Seconds) -> Seconds:
    """[T]: the times of `open_time` [T] on the exchange's clock, in seconds since its own 1970-01-01 00:00.

    UTC stands unless another clock gathers the opens in fewer times of the week. The clock is right but for a constant:
    it says which opens are the same time of day, and not which city's clock it is.
    """
    slots = open_time // SLOT_SECONDS
    firsts = np.flatnonzero(np.diff(slots, prepend=slots[0] - 1))
    times, bars = slots[firsts] * SLOT_SECONDS, np.diff(firsts, append=len(slots))
    offsets = [np.zeros_like(times), *(_offsets(zone, times) for zone in ZONES)]
    best = int(np.argmax([_regularity(times + ahead, bars) for ahead in offsets]))
    wall: Seconds = open_time + np.repeat(offsets[best], bars)
    return wall


def _regularity(clock: Seconds, bars: Seconds) -> float:
    """How likely two bars, drawn at random, open at the same time of the week; at each `clock` [S] open `bars` [S]."""
    counts = np.bincount(clock % WEEK_SECONDS // SLOT_SECONDS, weights=bars)
    return float((counts**2).sum())


def _offsets(zone: str, open_time: Seconds) -> Seconds:
    """[T]: the seconds by which the zone is ahead of UTC at each of the times."""
    changes, offsets = _changes(zone)
    found: Seconds = offsets[np.searchsorted(changes, open_time, side="right")]
    return found


@cache
def _changes(zone: str) -> tuple[Seconds, Seconds]:
    """The moments at which the zone's clock is moved, [C], and its offset before the first and after each, [C + 1]."""
    clock = ZoneInfo(zone)

    def offset(seconds: int) -> int:
        ahead = datetime.fromtimestamp(seconds, clock).utcoffset()
        return 0 if ahead is None else int(ahead.total_seconds())

    months = [
        int(datetime(year, month, 15, tzinfo=UTC).timestamp())
        for year in range(FIRST_YEAR, LAST_YEAR)
        for month in range(1, 13)
    ]
    changes, offsets = [], [offset(months[0])]
    for before, after in pairwise(months):
        if offset(after) != offsets[-1]:
            low, high = before, after
            while high - low > 1:
                middle = (low + high) // 2
                low, high = (middle, high) if offset(middle) == offsets[-1] else (low, middle)
            changes.append(high)
            offsets.append(offset(after))
    return np.array(changes, dtype=np.int64), np.array(offsets, dtype=np.int64)
