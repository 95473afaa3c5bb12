"""The two clocks of the engine (see engine/ports.py: Clock)."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

LOG = logging.getLogger(__name__)

JUMP_SECONDS_MAX = 60.0
"""A jump of the machine's clock by more than that is followed at once: the clock was plainly wrong before it."""
SLEW = 0.02
"""Seconds by which a smaller jump is followed in each second: 30 s are made up for in 25 minutes."""
JUMP_SECONDS_TOLD = 1.0
"""The log tells of jumps by more than that."""


class WallClock:
    """Live: the time of this machine, in UTC, without its jumps.

    The clock runs on with the machine's monotonic time where somebody sets the machine's clock, and follows the new
    setting slowly: a small jump must neither make bars look unfinished nor windows look missed. A bar that has closed
    by the machine's own clock has closed.
    """

    def __init__(self, wall: Callable[[], float] = time.time, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._wall = wall
        self._monotonic = monotonic
        self._read_at = monotonic()
        self._ahead = wall() - self._read_at
        self._jump = 0.0

    def now(self, newest_close: datetime) -> datetime:
        wall, monotonic = self._wall(), self._monotonic()
        self._follow(wall - monotonic, monotonic - self._read_at)
        self._read_at = monotonic
        return max(_utc(monotonic + self._ahead), min(_utc(wall), newest_close))

    def _follow(self, ahead: float, elapsed: float) -> None:
        """Take the wall clock's distance from monotonic time, as far as `elapsed` seconds allow."""
        jump = ahead - self._ahead
        if abs(jump - self._jump) > JUMP_SECONDS_TOLD:
            how = "slowly" if abs(jump) <= JUMP_SECONDS_MAX else "at once"
            LOG.warning("the machine's clock differs from its own course by %.1f s: followed %s", jump, how)
        if abs(jump) <= JUMP_SECONDS_MAX:
            most = SLEW * elapsed
            followed = max(-most, min(jump, most))
        else:
            followed = jump
        self._ahead += followed
        self._jump = jump - followed


class BarsClock:
    """For replays, the demo and tests: the time is the close of the newest bar."""

    def now(self, newest_close: datetime) -> datetime:
        return newest_close


def _utc(seconds: float) -> datetime:
    return datetime.fromtimestamp(0, UTC) + timedelta(seconds=seconds)
