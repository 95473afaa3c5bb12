"""The two clocks of the engine (see engine/ports.py: Clock)."""

from __future__ import annotations

from datetime import UTC, datetime


class WallClock:
    """Live: it is what it is."""

    def now(self, newest_close: datetime) -> datetime:
        return datetime.now(UTC)


class BarsClock:
    """Replay, demo, tests: it is the close of the newest bar."""

    def now(self, newest_close: datetime) -> datetime:
        return newest_close
