"""Answers for operators: whoever asks whether the service lives well is answered soon, whatever the store does."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from time import monotonic
from typing import Any, Generic, TypeVar

PROMPT_SECONDS = 0.1
T = TypeVar("T")


class PromptAnswers(Generic[T]):
    """Asks a question, one at a time. Where its answer takes longer than `PROMPT_SECONDS`, the answer before it stands,
    until the question has been open for `open_seconds_max`. The first question of all is waited for as long."""

    def __init__(self, ask: Callable[[], Coroutine[Any, Any, T]]) -> None:
        self._ask = ask
        self._asked_at = 0.0
        self._known: tuple[T] | None = None
        self.asked: asyncio.Task[T] | None = None

    async def answer(self, open_seconds_max: float) -> T | None:
        """None where the question stays open. Raises what the question does. A question is not taken back: it is told
        in the log what becomes of it, and it is not asked again before that."""
        if self.asked is None or self.asked.done():
            self.asked, self._asked_at = asyncio.create_task(self._ask()), monotonic()
        left = max(0.0, open_seconds_max - (monotonic() - self._asked_at))
        await asyncio.wait([self.asked], timeout=min(PROMPT_SECONDS, left) if self._known else left)
        if self.asked.done():
            self._known = (self.asked.result(),)
        elif monotonic() - self._asked_at >= open_seconds_max:
            self._known = None
        return self._known[0] if self._known else None
