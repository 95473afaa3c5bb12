"""The use case of an OMS that reports what it traded, perhaps more than once."""

from __future__ import annotations

from collections.abc import Sequence

from app.domain.errors import Conflict
from app.domain.fills import Fill
from app.domain.state import OrderState
from app.domain.transitions import apply_fill
from app.engine.changes import Change, change
from app.engine.commit_transition import commit_transition
from app.engine.ports import Store
from app.engine.queries import Queries
from app.engine.stages.commit import Committer


class FillReports:
    def __init__(self, store: Store, queries: Queries, committer: Committer) -> None:
        self._store = store
        self._queries = queries
        self._committer = committer

    async def report(self, order_id: str, fill: Fill) -> tuple[OrderState, bool]:
        """The order with the fill booked, and whether the fill is new: the same report twice is booked once.
        Raises NotFound("unknown_order"), Conflict("execution_id_reused"), Unavailable("busy"), and what `apply_fill`
        does."""
        known = False

        async def transition(orders: Sequence[OrderState]) -> list[Change | None]:
            nonlocal known
            known = await self._known(order_id, fill)
            return [None if known else change(state, apply_fill(state, fill), fill) for state in orders]

        [booked] = await commit_transition(self._committer, [await self._queries.order(order_id)], transition)
        return (await self._queries.order(order_id), False) if known else (booked, True)

    async def _known(self, order_id: str, fill: Fill) -> bool:
        """Whether this very fill is booked already."""
        known = await self._store.fill(order_id, fill.execution_id)
        if known is not None and known != fill:
            raise Conflict("execution_id_reused", f"execution {fill.execution_id!r} is booked with other values")
        return known is not None
