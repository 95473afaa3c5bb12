"""Bars of an instrument that other processes have appended and this one has not taken yet."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from app.domain.bar import Bar

TOLD_MAX = 64
"""Bars that are kept as they were told; where there are more, all of them are read."""


class UnreadBars:
    """Where notices have told all of them, they need not be read from the store. There are some where this is true."""

    def __init__(self) -> None:
        self._told: list[Bar] | None = []

    def __bool__(self) -> bool:
        return self._told is None or bool(self._told)

    def doubt(self) -> None:
        """There may be bars that nobody has told."""
        self._told = None

    def tell(self, taken: Bar | None, bars: Sequence[Bar], after: datetime | None, newest: datetime) -> None:
        """Another process has appended bars behind the one that opens at `after`, the last of them opens at `newest`.
        `bars` is empty where nobody says what they are; `taken` is the newest bar that this process has taken."""
        if self._told is None or (taken is not None and newest <= taken.open_time):
            return
        known = self._told[-1] if self._told else taken
        follow = bars and after == (known.open_time if known is not None else None)
        if follow and len(self._told) + len(bars) <= TOLD_MAX:
            self._told += bars
        else:
            self._told = None

    def take(self, taken: Bar | None) -> list[Bar] | None:
        """The bars behind the newest one that this process has taken; None where they must be read. What is appended
        from now on is told anew."""
        told, self._told = self._told, []
        if told is None or taken is None:
            return told
        return [bar for bar in told if bar.open_time > taken.open_time]
