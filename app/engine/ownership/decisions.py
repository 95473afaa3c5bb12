"""Bars that this process has taken and another one decides on: who waits for the decisions, and how far they are."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime

DECIDED_SECONDS_MAX = 5.0
"""How long the answer to bars waits for the owner's decisions: longer than it takes to notice that an owner is dead
and to take its instruments over."""
ASK_SECONDS = 0.25
"""A notice that was lost costs no more than that. An owner that is slow is asked less often."""
ASK_SECONDS_MAX = 0.5
"""Who takes the place of a dead owner is asked that soon: a pause that doubles without end is two seconds by then."""

Ask = Callable[[list[str]], Awaitable[None]]
"""Asks the owners of instruments to decide, whoever they are by now."""


class Decisions:
    """By instrument, the opening of the newest bar on which its owner has decided."""

    def __init__(self) -> None:
        self._newest: dict[str, datetime] = {}
        self._waiting: set[asyncio.Event] = set()

    def learn(self, newest: Mapping[str, datetime]) -> None:
        for symbol, at in newest.items():
            if symbol not in self._newest or self._newest[symbol] < at:
                self._newest[symbol] = at
        for event in self._waiting:
            event.set()

    def forget(self, symbol: str) -> None:
        """Its bars are others now: what was decided on the old ones says nothing."""
        self._newest.pop(symbol, None)

    async def wait(self, newest: Mapping[str, datetime], told: frozenset[str], ask: Ask) -> bool:
        """Until the owners have decided on these bars; of those of `told` instruments they know already. False where
        that takes more than `DECIDED_SECONDS_MAX`."""
        loop, changed = asyncio.get_running_loop(), asyncio.Event()
        deadline = loop.time() + DECIDED_SECONDS_MAX
        self._waiting.add(changed)
        try:
            missing = self._missing(newest)
            if untold := [symbol for symbol in missing if symbol not in told]:
                await ask(untold)
            pause = ASK_SECONDS
            ask_at = loop.time() + pause
            while missing := self._missing(missing):
                changed.clear()
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout_at(min(ask_at, deadline)):
                        await changed.wait()
                if loop.time() >= deadline:
                    return not self._missing(missing)
                if loop.time() >= ask_at:
                    await ask(list(missing))
                    pause = min(2 * pause, ASK_SECONDS_MAX)
                    ask_at = loop.time() + pause
        finally:
            self._waiting.discard(changed)
        return True

    def _missing(self, newest: Mapping[str, datetime]) -> dict[str, datetime]:
        return {symbol: at for symbol, at in newest.items() if symbol not in self._newest or self._newest[symbol] < at}
