"""Readiness: whether the service can do its work. A service that answers and decides nothing must not look well."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from time import monotonic

from app.engine.feeds import Feeds
from app.engine.models.choice import MODEL_MISSING, Models
from app.engine.ports import STORE_AWAY
from app.engine.prompt_answers import PromptAnswers
from app.engine.recovery import Recovery
from app.engine.results import Readiness
from app.engine.stages.decide import Decider

WATCHDOG_LAG_SECONDS_MAX = 10.0
MODEL_HANGS_SECONDS_MAX = 10.0
FEEDS_TOLD_MAX = 20
STORE_SECONDS_MAX = 3.0
"""A store that has not answered for so long is away. Whoever asks whether the service is ready does not wait for that:
see `PromptAnswers`."""


class Health:
    """Joins what recovery says of the store with whether the tasks in the background still run.

    A silent feed does not make the service unready, not even where all are silent: other instruments must go on, and a
    service that nobody sends to any more would never hear the feed again. It is told instead.
    """

    def __init__(self, recovery: Recovery, decider: Decider, feeds: Feeds, models: Models) -> None:
        self._recovery = recovery
        self._decider = decider
        self._feeds = feeds
        self._models = models
        self._watchdog: asyncio.Task[None] | None = None
        self._looked_at = 0.0
        self._recovered = PromptAnswers(recovery.readiness)

    def watch(self, watchdog: asyncio.Task[None] | None) -> None:
        """From now on the watchdog is to look, until None takes its place."""
        self._watchdog = watchdog
        self.looked()

    def looked(self) -> None:
        """The watchdog has looked at every instrument."""
        self._looked_at = monotonic()

    async def readiness(self) -> Readiness:
        found = await self._found()
        reasons = (*found.reasons, *self._stopped())
        silent = tuple(self._feeds.silent()[:FEEDS_TOLD_MAX])
        return replace(found, ready=not reasons, reasons=reasons, feeds_silent=silent)

    async def _found(self) -> Readiness:
        """What recovery says."""
        found = await self._recovered.answer(STORE_SECONDS_MAX)
        return found or Readiness(ready=False, reasons=(STORE_AWAY,))

    def _stopped(self) -> Iterator[str]:
        if self._recovery.stopped:
            yield "recovery_stopped"
        if self._watchdog is not None and self._watchdog.done():
            yield "watchdog_stopped"
        elif self._watchdog is not None and monotonic() - self._looked_at > WATCHDOG_LAG_SECONDS_MAX:
            yield "watchdog_lags"
        if self._decider.hanging_seconds > MODEL_HANGS_SECONDS_MAX:
            yield "model_hangs"
        if self._models.missing:
            yield MODEL_MISSING
