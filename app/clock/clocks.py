"""The two clocks of the engine (see engine/ports.py: Clock)."""

from __future__ import annotations

from datetime import UTC, datetime


class WallClock:
    """Live: the time of this machine, in UTC."""

    def now(self, newest_close: datetime) -> datetime:
        return datetime.now(UTC)


class BarsClock:
    """For replays, the demo and tests: the time is the close of the newest bar."""

    def now(self, newest_close: datetime) -> datetime:
        return newest_close
