"""What an OMS asks: orders, the next slice, the schedule."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext

from app.domain.errors import NotFound
from app.domain.evolve import evolve
from app.domain.fills import Fill
from app.domain.lifecycle import Status
from app.domain.order import order_id_of
from app.domain.slice import Slice
from app.domain.state import OrderState
from app.engine.instruments.cache import LiveInstruments
from app.engine.instruments.loading import Loader
from app.engine.order_reads import OrderReads
from app.engine.ports import Clock, Store
from app.engine.results import NextSlice, Page, Schedule
from app.engine.schedule import schedule_of
from app.engine.stages.decide import Decider
from app.engine.waiters import Waiters

Departures = Callable[[Callable[[], None]], AbstractContextManager[None]]
"""Opens a context in which a function is called once the asker goes away."""


class Queries:
    def __init__(
        self,
        store: Store,
        instruments: LiveInstruments,
        loader: Loader,
        decider: Decider,
        waiters: Waiters,
        clock: Clock,
    ) -> None:
        self._store = store
        self._reads = OrderReads(store)
        self._instruments = instruments
        self._loader = loader
        self._decider = decider
        self._waiters = waiters
        self._clock = clock

    async def order(self, order_id: str, account: str | None = None) -> OrderState:
        """Who asks for an `account` knows of no other account's orders; None sees all of them.
        Raises NotFound("unknown_order")."""
        found = await self._reads.order(order_id)
        if found is None or account not in (None, found.order.account):
            raise NotFound("unknown_order", f"no order has the id {order_id!r}")
        self._instruments.note_known(found)
        return found

    async def standing(self, state: OrderState) -> OrderState:
        """The order that stands in the place of that one by now; the order itself where none does."""
        while state.replaced_by is not None:
            state = await self.order(state.replaced_by)
        return state

    async def orders(
        self,
        *,
        status: Status | None = None,
        instrument: str | None = None,
        client_order_id: str | None = None,
        account: str | None = None,
        limit: int = 100,
        cursor: str | None = None,
    ) -> Page:
        """Those of one account; with None those of all accounts, but by `client_order_id` only the order that belongs
        to no account. Raises InvalidInput("bad_cursor")."""
        if client_order_id is None:
            return await self._store.page(
                status=status, instrument=instrument, account=account, limit=limit, cursor=cursor
            )
        found = await self._store.order(order_id_of(client_order_id, account))
        fits = found and status in (None, found.status) and instrument in (None, found.order.instrument)
        return Page(orders=(found,) if found and fits else (), next_cursor=None)

    async def live_orders(self) -> Mapping[Status, int]:
        """How many orders are in each of the statuses in which bars can move them."""
        return await self._store.live_orders()

    async def next_slice(
        self,
        order_id: str,
        wait_seconds: float = 0.0,
        departures: Departures = lambda _: nullcontext(),
        account: str | None = None,
    ) -> NextSlice:
        """The slice to trade now; waits while the order is live without one, at most `wait_seconds`, and no longer than
        the asker is there, where `departures` tells. `account` as in `order`.
        Raises NotFound("unknown_order"), and Unavailable("too_many_waiters") for an order that must be waited for."""
        deadline = asyncio.get_running_loop().time() + wait_seconds
        with self._waiters.watching(order_id) as watch, departures(watch.leave):
            state = await self.order(order_id, account)
            while not self._has_answer(state) and await watch.change(deadline):
                newest = watch.newest or await self.order(order_id)
                state = newest if newest.version > state.version else state
        if wait_seconds and not (self._has_answer(state) or self._waiters.closed or watch.left):
            state = await self.order(order_id)  # another process may have moved the order
        return NextSlice(order_id=state.order_id, status=state.status, slice=self._offered(state))

    def _has_answer(self, state: OrderState) -> bool:
        """Whether there is a slice, or none will come."""
        return self._offered(state) is not None or not state.status.live

    def _offered(self, state: OrderState) -> Slice | None:
        """The newest slice, unless its window is over: nobody can trade in it any more, though its bar may be late."""
        piece = state.offered
        if piece is None or piece.window.end <= self._clock.now(piece.window.start):
            return None
        return piece

    async def slices(self, order_id: str, account: str | None = None) -> tuple[OrderState, Sequence[Slice]]:
        """The order with its slices, by step. `account` as in `order`. Raises NotFound("unknown_order")."""
        state = await self.order(order_id, account)
        slices = await self._store.slices(order_id)
        if state.replaced_by is None:
            return state, slices
        standing = await self.standing(state)  # reports that came since count too
        last = next(each.last_step for each in standing.earlier if each.order_id == state.order_id)
        return evolve(state, executed=standing.executed[:last] + state.executed[last:]), slices

    async def fills(self, order_id: str, account: str | None = None) -> list[Fill]:
        """What was reported of the order, by time. `account` as in `order`. Raises NotFound("unknown_order")."""
        state = await self.order(order_id, account)
        found = [fill for fill in await self._store.fills(state.chain_id) if state.step_of(fill.slice_id)]
        return sorted(found, key=lambda fill: (fill.executed_at, fill.execution_id))

    async def schedule(self, order_id: str, account: str | None = None) -> Schedule:
        """Every step: done, current, projected. `account` as in `order`. Raises NotFound("unknown_order")."""
        state, slices = await self.slices(order_id, account)
        live = await self._instruments.get(state.order.instrument)
        step_seconds = live.step_seconds_of(state.order)
        await self._loader.ensure_history(live, step_seconds)
        rest = await self._decider.foresee(live, step_seconds, state) if state.status.live else None
        now = self._clock.now(live.last.close_time)
        return schedule_of(state, slices, rest, lambda at: live.window_from(at, step_seconds), now)
