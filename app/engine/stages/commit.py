"""Stage "commit": the one way in which an order that exists changes."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Sequence

from app.domain.errors import Unavailable
from app.domain.state import OrderState
from app.engine.changes import Change
from app.engine.ports import Metrics, Store
from app.engine.stages.announce import Announcer

RACES_MAX = 20

Transition = Callable[[Sequence[OrderState]], Awaitable[Sequence[Change | None]]]
"""For each order what is to be committed, None where the order stays as it is. Called again for those that somebody
else has moved meanwhile, as they are recorded then."""


class Commits:
    """Every change of an order that exists passes here."""

    def __init__(self, store: Store, metrics: Metrics, announcer: Announcer) -> None:
        self._store = store
        self._metrics = metrics
        self._announcer = announcer

    async def commit_transition(self, orders: Sequence[OrderState], transition: Transition) -> list[OrderState]:
        """Move each order by the transition and record it; returns the orders as they are then.

        An order that somebody else has moved meanwhile (a bar, a fill, a cancel) is moved from where it is recorded.
        Raises Unavailable("busy") where that goes on for too long, and what the transition raises.
        """
        recorded = {state.order_id: state for state in orders}
        pending = list(orders)
        for _ in range(RACES_MAX):
            changes = [change for change in await transition(pending) if change is not None]
            answers = await self._commit(changes)
            recorded |= {change.after.order_id: change.after for change in changes}
            pending = [answer for answer in answers if answer is not None]
            recorded |= {state.order_id: state for state in pending}
            if not pending:
                return list(recorded.values())
        raise Unavailable("busy", f"{len(pending)} orders change faster than they can be moved; repeat the request")

    async def _commit(self, changes: Sequence[Change]) -> list[OrderState | None]:
        """None where the change stands, what is recorded instead where it lost."""
        if not changes:
            return []
        started = time.perf_counter()
        answers = await self._store.commit(changes)
        self._metrics.committed(len(changes), time.perf_counter() - started)
        self._announcer.announce([each for each, other in zip(changes, answers, strict=True) if other is None])
        self._announcer.wake(each.after.order_id for each in changes)
        return answers
