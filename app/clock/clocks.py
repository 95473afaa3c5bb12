"""The two clocks of the engine (see engine/ports.py: Clock)."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

LOG = logging.getLogger(__name__)

STEP_SECONDS_MAX = 60.0
"""A step of the machine's clock by more than that is followed at once: the clock was plainly wrong before it."""
SLEW = 0.02
"""Seconds by which a smaller step is followed in each second: 30 s are made up for in 25 minutes."""
STEP_SECONDS_TOLD = 1.0


class WallClock:
    """Live: the time of this machine, in UTC, without its jumps.

    The clock runs on with the machine's monotonic time where somebody sets the machine's clock, and follows the new
    setting slowly: a small step must neither make bars look unfinished nor windows look missed. A bar that has closed
    by the machine's own clock has closed.
    """

    def __init__(self, wall: Callable[[], float] = time.time, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._wall = wall
        self._monotonic = monotonic
        self._read_at = monotonic()
        self._ahead = wall() - self._read_at
        self._step = 0.0

    def now(self, newest_close: datetime) -> datetime:
        wall, monotonic = self._wall(), self._monotonic()
        self._follow(wall - monotonic, monotonic - self._read_at)
        self._read_at = monotonic
        return max(_utc(monotonic + self._ahead), min(_utc(wall), newest_close))

    def _follow(self, ahead: float, elapsed: float) -> None:
        """Take the wall clock's distance from monotonic time, as far as `elapsed` seconds allow."""
        step = ahead - self._ahead
        if abs(step - self._step) > STEP_SECONDS_TOLD:
            how = "slowly" if abs(step) <= STEP_SECONDS_MAX else "at once"
            LOG.warning("the machine's clock differs from its own course by %.1f s: followed %s", step, how)
        if abs(step) <= STEP_SECONDS_MAX:
            most = SLEW * elapsed
            followed = max(-most, min(step, most))
        else:
            followed = step
        self._ahead += followed
        self._step = step - followed


class BarsClock:
    """For replays, the demo and tests: the time is the close of the newest bar."""

    def now(self, newest_close: datetime) -> datetime:
        return newest_close


def _utc(seconds: float) -> datetime:
    return datetime.fromtimestamp(0, UTC) + timedelta(seconds=seconds)
