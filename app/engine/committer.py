"""Takes changes to the store, and tells the metrics and those who wait."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence

from app.domain.slice import Basis
from app.domain.state import OrderState
from app.engine.changes import Change
from app.engine.ports import Metrics, Store
from app.engine.waiters import Waiters


class Committer:
    """Every change of an order passes here."""

    def __init__(self, store: Store, metrics: Metrics, waiters: Waiters) -> None:
        self._store = store
        self._metrics = metrics
        self._waiters = waiters

    async def commit(self, changes: Sequence[Change]) -> list[OrderState | None]:
        """As `Store.commit`: None where the change stands, what is recorded instead where it lost."""
        if not changes:
            return []
        started = time.perf_counter()
        answers = await self._store.commit(changes)
        self._metrics.committed(len(changes), time.perf_counter() - started)
        self.tell([change for change, recorded in zip(changes, answers, strict=True) if recorded is None])
        self._waiters.wake(change.after.order.order_id for change in changes)
        return answers

    def tell(self, changes: Sequence[Change]) -> None:
        """Count what this process has committed."""
        for change in changes:
            if change.status is not None:
                self._metrics.order_changed(change.status)
        reasons = Counter(
            change.slice.decided.fallback_reason or "unknown"
            for change in changes
            if change.slice is not None and change.slice.decided.basis is Basis.FALLBACK
        )
        for reason, count in reasons.items():
            self._metrics.fell_back(reason, count)
