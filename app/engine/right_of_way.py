"""Bars and late slices go first: the slices of accepted orders hang on them. Other work asks here whether it must give
way."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event
from time import monotonic

PAUSE_SECONDS_MAX = 1.0
"""How long one schedule or quote gives way in all: under bars without end it must end too."""


class RightOfWay:
    """Who moves accepted orders holds it; several may at the same time. It stops nobody: others ask."""

    def __init__(self) -> None:
        self._holders = 0
        self._free = Event()
        self._free.set()
        self._waiting: list[Callable[[], None]] = []

    @property
    def taken(self) -> bool:
        return self._holders > 0

    @contextmanager
    def held(self) -> Iterator[None]:
        self._holders += 1
        self._free.clear()
        try:
            yield
        finally:
            self._holders -= 1
            if not self._holders:
                self._free.set()
                waiting, self._waiting = self._waiting, []
                for go_on in waiting:
                    go_on()

    def when_free(self, go_on: Callable[[], None]) -> None:
        """Call `go_on` once, when nobody holds it any more."""
        self._waiting.append(go_on)

    def pausing(self) -> Callable[[], None]:
        """For work on a thread: a function that the work calls now and then, and that returns once nobody holds it, or
        once this work has waited for `PAUSE_SECONDS_MAX` in all."""
        left = PAUSE_SECONDS_MAX

        def pause() -> None:
            nonlocal left
            if left > 0 and not self._free.is_set():
                began = monotonic()
                self._free.wait(left)
                left -= monotonic() - began

        return pause
