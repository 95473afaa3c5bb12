"""How long somebody who is asked has been silent, as far as this process has listened."""

from __future__ import annotations

import asyncio

LOOKS = 8
"""An answer that has come is passed on in two or three turns of the event loop; between two looks there is one at
least."""


class Silence:
    """Says whether questions that are open have been left without any answer for `seconds`.

    The time is counted in looks of the event loop. While the loop begins ten thousand requests in one turn, on a slow
    machine for seconds, it hears no answer, and the clock alone would call that the silence of whoever is asked. A look
    that comes late counts as one."""

    def __init__(self, seconds: float) -> None:
        self._pause = seconds / LOOKS
        self._open = 0
        self._looks = 0
        self._next: asyncio.TimerHandle | None = None

    @property
    def long(self) -> bool:
        return self._looks >= LOOKS

    def asked(self) -> None:
        """One more question is open."""
        self._open += 1
        if self._next is None:
            self._next = asyncio.get_running_loop().call_later(self._pause, self._look)

    def answered(self) -> None:
        """A question is closed, whatever its answer is."""
        self._open -= 1
        self._looks = 0

    def _look(self) -> None:
        self._next = None
        if self._open:
            self._looks += 1
            self._next = asyncio.get_running_loop().call_later(self._pause, self._look)
