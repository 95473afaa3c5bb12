"""The use cases of an OMS that reports what it traded, perhaps more than once, and says when nothing more comes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from app.domain.bar import Bar
from app.domain.errors import Conflict, InvalidInput, NotFound, Unavailable
from app.domain.fills import Fill
from app.domain.plausibility import require_plausible, warnings_of
from app.domain.reports import apply_fill, close_slice
from app.domain.state import OrderState
from app.engine.changes import Change, change
from app.engine.commit_transition import commit_transition
from app.engine.instruments.cache import CANNOT_OPEN, LiveInstruments
from app.engine.ports import Clock, Store
from app.engine.queries import Queries
from app.engine.results import BookedFill
from app.engine.stages.commit import Committer


class FillReports:
    def __init__(
        self, store: Store, queries: Queries, committer: Committer, instruments: LiveInstruments, clock: Clock
    ) -> None:
        self._store = store
        self._queries = queries
        self._committer = committer
        self._instruments = instruments
        self._clock = clock

    async def report(self, order_id: str, fill: Fill, account: str | None = None) -> BookedFill:
        """Book a fill; the same report twice is booked once. `account` as in `Queries.order`.
        Raises NotFound("unknown_order"), Conflict("execution_id_reused"), Unavailable("busy"), and what
        `require_plausible` and `apply_fill` do."""
        recorded = await self._queries.order(order_id, account)
        booked = known = None

        async def transition(orders: Sequence[OrderState]) -> list[Change | None]:
            nonlocal booked, known
            known = await self._known(order_id, fill)
            if known is not None:
                return [None for _ in orders]
            changes = [await self._booked(state, fill) for state in orders]
            booked = changes[0].fill
            return list(changes)

        [state] = await commit_transition(self._committer, [recorded], transition)
        if known is not None:
            return BookedFill(order=await self._queries.order(order_id), fill=known, new=False)
        return BookedFill(order=state, fill=booked or fill, new=True)

    async def close(self, order_id: str, step: int, account: str | None = None) -> OrderState:
        """No more fills come for the slice of `step`; twice is once. `account` as in `Queries.order`.
        Raises NotFound("unknown_order" | "unknown_step"), Conflict("fills_assumed"), Unavailable("busy")."""

        async def transition(orders: Sequence[OrderState]) -> list[Change | None]:
            return [
                change(state, after) if (after := close_slice(state, step)) is not state else None for state in orders
            ]

        order = await self._queries.order(order_id, account)
        [closed] = await commit_transition(self._committer, [order], transition)
        return closed

    async def _booked(self, state: OrderState, fill: Fill) -> Change:
        bar = await self._newest_bar(state.order.instrument)
        last_price = bar.close if bar else state.avg_price or state.arrival_price or fill.price
        now = self._clock.now(bar.close_time) if bar else state.next_open
        newest = max(now, state.next_open)  # the order's newest window may still run
        after = apply_fill(state, fill)
        require_plausible(fill, last_price, newest)
        warnings = warnings_of(state, after, fill, last_price, newest)
        return change(state, after, replace(fill, warnings=warnings))

    async def _newest_bar(self, symbol: str) -> Bar | None:
        """None where the instrument has no bars, or cannot be opened: fills are booked all the same."""
        try:
            return (await self._instruments.get(symbol)).newest
        except (NotFound, InvalidInput):
            return None
        except Unavailable as error:
            if error.code not in CANNOT_OPEN:
                raise
            return None

    async def _known(self, order_id: str, fill: Fill) -> Fill | None:
        """This very fill, where it is booked already."""
        known = await self._store.fill(order_id, fill.execution_id)
        if known is not None and known != fill:
            raise Conflict("execution_id_reused", f"execution {fill.execution_id!r} is booked with other values")
        return known
