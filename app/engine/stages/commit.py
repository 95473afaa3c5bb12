"""Stage "commit": changes of orders become durable, each where its order still stands as the change found it."""

from __future__ import annotations

import time
from collections.abc import Sequence

from app.domain.errors import Unavailable
from app.domain.state import OrderState
from app.engine.changes import Change
from app.engine.ports import Metrics, Store
from app.engine.spans import NO_SPANS, Spans
from app.engine.stages.announce import Announcer


class Committer:
    """Every change of an order that exists passes here."""

    def __init__(self, store: Store, metrics: Metrics, announcer: Announcer, spans: Spans = NO_SPANS) -> None:
        self._store = store
        self._metrics = metrics
        self._announcer = announcer
        self._spans = spans

    async def commit(self, changes: Sequence[Change]) -> list[OrderState]:
        """Record the changes, and announce those that stand. Returns what is recorded instead of those that lost: the
        orders that somebody else has moved meanwhile."""
        if not changes:
            return []
        started = time.perf_counter()
        try:
            with self._spans.part("commit", orders=len(changes)):
                answers = await self._store.commit(changes)
        except Unavailable:  # the changes may be recorded all the same
            self._announcer.wake_to_read(each.after.order_id for each in changes)
            raise
        self._metrics.committed(len(changes), time.perf_counter() - started)
        self._announcer.announce([each for each, other in zip(changes, answers, strict=True) if other is None])
        self._announcer.wake([other or each.after for each, other in zip(changes, answers, strict=True)])
        return [answer for answer in answers if answer is not None]
