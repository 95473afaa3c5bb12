"""The use cases of an OMS that reports what it traded, perhaps more than once, and says when nothing more comes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

from app.domain.bar import Bar
from app.domain.errors import Conflict, InvalidInput, NotFound, Unavailable
from app.domain.fills import Fill
from app.domain.plausibility import require_plausible, warnings_of
from app.domain.reports import apply_fill, close_slice, revise_fill
from app.domain.state import OrderState
from app.engine.changes import Change, change
from app.engine.commit_transition import RACES_MAX, Transition, commit_transition
from app.engine.instruments.cache import CANNOT_OPEN, LiveInstruments
from app.engine.ports import Clock, Store
from app.engine.queries import Queries
from app.engine.results import BookedFill
from app.engine.stages.commit import Committer


class _Market(NamedTuple):
    """What fills are held against. `newest` is the latest time that the order knows of: its newest window may still
    run."""

    last_price: Decimal
    now: datetime
    newest: datetime


class _ReplacedMeanwhile(Exception):
    """Another order has taken the place of the one that was to be moved."""


class FillReports:
    """What is reported for an order that is replaced moves the order in its place: it is booked once, to the chain."""

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
            known = await self._known(recorded.chain_id, fill)
            if known is not None:
                return [None for _ in orders]
            changes = [await self._booked(state, fill) for state in orders]
            booked = changes[0].fill
            return list(changes)

        state = await self._moved(recorded, transition)
        if known is not None:
            standing = await self._queries.standing(await self._queries.order(order_id))
            return BookedFill(order=standing, fill=known, new=False)
        return BookedFill(order=state, fill=booked or fill, new=True)

    async def close(self, order_id: str, step: int, account: str | None = None) -> OrderState:
        """No more fills come for the slice of `step`; twice is once. `account` as in `Queries.order`.
        Raises NotFound("unknown_order" | "unknown_step"), Conflict("fills_assumed"), Unavailable("busy")."""

        async def transition(orders: Sequence[OrderState]) -> list[Change | None]:
            return [
                change(state, after) if (after := close_slice(state, step)) is not state else None for state in orders
            ]

        order = await self._queries.order(order_id, account)
        return await self._moved(order, transition)

    async def bust(self, order_id: str, execution_id: str, account: str | None = None) -> BookedFill:
        """The fill counts for nothing any more; twice is once. `account` as in `Queries.order`.
        Raises NotFound("unknown_order" | "unknown_execution"), Conflict("fills_assumed"), Unavailable("busy")."""
        return await self._revise(order_id, execution_id, account, lambda booked: replace(booked, busted=True))

    async def correct(
        self,
        order_id: str,
        execution_id: str,
        *,
        quantity: Decimal,
        price: Decimal,
        executed_at: datetime | None,
        account: str | None = None,
    ) -> BookedFill:
        """The fill was another one; the same correction twice is once. Raises as `bust`, Conflict("fill_busted"), and
        what `require_plausible` does."""

        def corrected(booked: Fill) -> Fill:
            at = executed_at or booked.executed_at
            return replace(booked, quantity=quantity, price=price, executed_at=at, original=booked.first)

        return await self._revise(order_id, execution_id, account, corrected)

    async def _revise(
        self, order_id: str, execution_id: str, account: str | None, revision: Callable[[Fill], Fill]
    ) -> BookedFill:
        recorded = await self._queries.order(order_id, account)
        booked = await self._fill(recorded.chain_id, execution_id)
        moved = False

        async def transition(orders: Sequence[OrderState]) -> list[Change | None]:
            nonlocal booked, moved
            booked = await self._fill(recorded.chain_id, execution_id)
            after = revision(booked)
            moved = not (after == booked and after.busted == booked.busted)
            if not moved:
                return [None for _ in orders]
            changes = [await self._revised(state, booked, after) for state in orders]
            booked = changes[0].fill or after
            return list(changes)

        state = await self._moved(recorded, transition)
        self._instruments.note_known(state)
        return BookedFill(order=state, fill=booked, new=moved)

    async def _moved(self, recorded: OrderState, transition: Transition) -> OrderState:
        """The order moved by what the OMS tells of it, or the order that stands in its place."""

        async def unless_replaced(orders: Sequence[OrderState]) -> Sequence[Change | None]:
            if any(state.replaced_by is not None for state in orders):
                raise _ReplacedMeanwhile
            return await transition(orders)

        standing = recorded
        for _ in range(RACES_MAX):
            standing = await self._queries.standing(standing)
            try:
                [state] = await commit_transition(self._committer, [standing], unless_replaced)
            except _ReplacedMeanwhile:
                standing = await self._queries.order(standing.order_id)
            else:
                return state
        raise Unavailable("busy", "the order is replaced faster than a report can be booked; repeat the request")

    async def _fill(self, chain_id: str, execution_id: str) -> Fill:
        found = await self._store.fill(chain_id, execution_id)
        if found is None:
            raise NotFound("unknown_execution", f"the order has no fill {execution_id!r}")
        return found

    async def _revised(self, state: OrderState, booked: Fill, fill: Fill) -> Change:
        market = await self._market_of(state, fill)
        after = revise_fill(state, booked, fill, market.now)
        if not fill.busted:
            require_plausible(fill, market.last_price, market.newest)
            fill = replace(fill, warnings=warnings_of(state, after, fill, market.last_price, market.newest))
        return change(state, after, fill)

    async def _booked(self, state: OrderState, fill: Fill) -> Change:
        market = await self._market_of(state, fill)
        after = apply_fill(state, fill)
        require_plausible(fill, market.last_price, market.newest)
        warnings = warnings_of(state, after, fill, market.last_price, market.newest)
        return change(state, after, replace(fill, warnings=warnings))

    async def _market_of(self, state: OrderState, fill: Fill) -> _Market:
        bar = await self._newest_bar(state.order.instrument)
        now = self._clock.now(bar.close_time) if bar else state.next_open
        return _Market(
            last_price=bar.close if bar else state.avg_price or state.arrival_price or fill.price,
            now=now,
            newest=max(now, state.next_open),
        )

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

    async def _known(self, chain_id: str, fill: Fill) -> Fill | None:
        """This very fill, where it is booked already, perhaps corrected or busted since."""
        known = await self._store.fill(chain_id, fill.execution_id)
        if known is not None and fill not in (known, known.first):
            raise Conflict("execution_id_reused", f"execution {fill.execution_id!r} is booked with other values")
        return known
