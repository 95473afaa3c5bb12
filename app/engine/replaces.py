"""The use case of an OMS that replaces an order by another one."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import datetime, timedelta

from app.decision.chain import PolicyChain
from app.domain.acceptance import require_fitting
from app.domain.errors import Conflict, LemError, Unavailable
from app.domain.evolve import evolve
from app.domain.order import AskedOrder, Horizon, Order, OrderInTime, order_id_of
from app.domain.replacing import replaced, require_replaceable, require_same_mandate, succeed, without_unbegun
from app.domain.state import OrderState
from app.domain.transitions import require_worth
from app.engine.changes import change
from app.engine.feasibility import reach_of, require_within_reach, usable_steps
from app.engine.horizons import in_steps
from app.engine.instruments.cache import LiveInstruments
from app.engine.instruments.live import LiveInstrument
from app.engine.instruments.loading import Loader
from app.engine.models.choice import Models
from app.engine.order_start import require_known, require_step, start_of
from app.engine.orders import RACES_MAX, OrderEntry, require_decidable, reused
from app.engine.pipeline import Pipeline
from app.engine.ports import Claim, Clock, Store
from app.engine.queries import Queries
from app.engine.spans import Spans
from app.engine.stages.announce import Announcer
from app.engine.stages.batch import InstrumentOrders

BEHIND_SECONDS = 0.05
"""How long the process that moves the order is given before somebody looks again."""


class Replaces:
    """See `replace`. `models` says which bundle decides the order on, and so how long it may be."""

    def __init__(
        self,
        *,
        store: Store,
        queries: Queries,
        instruments: LiveInstruments,
        loader: Loader,
        pipeline: Pipeline,
        entry: OrderEntry,
        announcer: Announcer,
        clock: Clock,
        models: Models,
        spans: Spans,
    ) -> None:
        self._store = store
        self._queries = queries
        self._instruments = instruments
        self._loader = loader
        self._pipeline = pipeline
        self._entry = entry
        self._announcer = announcer
        self._clock = clock
        self._models = models
        self._spans = spans

    async def replace(self, order_id: str, order: AskedOrder, account: str | None = None) -> tuple[OrderState, bool]:
        """`order` takes the place of the order of that id: with its next slice where that is due, and whether it is
        new. The new order belongs to the account of the old one. `account` as in `Queries.order`.

        Raises NotFound("unknown_order"), Conflict("order_replaced" | "order_ended" | "replaced_too_often" |
        "size_committed" | "horizon_used_up"), InvalidInput("replace_changes_order"), and what `OrderEntry.submit` does.
        """
        old = await self._queries.order(order_id, account)
        own = order.account if order.account is not None else old.order.account
        asked = replace(order, order_id=order_id_of(order.client_order_id, own), account=own, replaces=old.order_id)
        return await self._entry.answered(asked, self._placed(old, asked))

    async def _placed(self, old: OrderState, order: AskedOrder) -> tuple[OrderState, bool]:
        if order.order_id == old.order_id:
            raise reused(old.order.instrument, order)
        answer = await self._tried(old, order, await self._instruments.get(old.order.instrument))
        for _ in range(RACES_MAX):
            if isinstance(answer, tuple):
                return answer
            if answer is None or answer is old:
                await asyncio.sleep(BEHIND_SECONDS if answer is old else 0)
                old = await self._queries.order(old.order_id)
            else:
                old = answer
            answer = await self._tried_between_bars(old, order)
        raise Unavailable("busy", "the order changes faster than another one can take its place; repeat the request")

    async def _tried_between_bars(
        self, old: OrderState, order: AskedOrder
    ) -> tuple[OrderState, bool] | OrderState | None:
        """In line behind the bars that this process is taking."""
        refusal: LemError | None = None
        answer = None
        async with self._instruments.locked(old.order.instrument) as live:
            try:
                answer = await self._tried(old, order, live)
            except LemError as error:  # a refused order says nothing of the instrument
                refusal = error
            if answer is None and refusal is None:
                self._instruments.forget(live.symbol)  # another process has taken bars or changed the terms
        if refusal is not None:
            raise refusal
        return answer

    async def _tried(
        self, old: OrderState, order: AskedOrder, live: LiveInstrument
    ) -> tuple[OrderState, bool] | OrderState | None:
        """The old order as it is recorded now where somebody has moved it, or as it was where the newest bar has not
        reached it yet; None where a bar has overtaken this try."""
        successor = await self._successor(old, order, live)
        if successor is None:
            return old
        newest = live.last
        [state] = await self._pipeline.moved([InstrumentOrders(live=live, orders=(successor,))])
        new, gone = change(None, state, instrument=live.instrument), change(old, replaced(old, state.order_id))
        if live.last is not newest or not self._instruments.has(live):
            return None
        try:
            with self._spans.part("commit", orders=2):
                answer = await self._store.replace(gone, new, newest.open_time)
        finally:
            live.note_due(state.next_open)  # without an answer too: the order may be recorded
        if isinstance(answer, Claim):
            raise reused(answer.instrument, order)
        if answer is None:
            return None
        if answer.recorded is None:
            return answer.moved
        if answer.is_new:
            self._announcer.announce([gone, new])
        self._instruments.note_known(answer.recorded)
        self._announcer.wake([gone.after, answer.recorded])
        return answer.recorded, answer.is_new

    async def _successor(self, old: OrderState, order: AskedOrder, live: LiveInstrument) -> OrderState | None:
        """The new order as the old one leaves it; None where bars have passed that the old order has not seen."""
        require_replaceable(old)
        if live.newest is None:
            raise Conflict("no_bars", f"{live.symbol} has no bars")
        step_seconds = require_step(order, live)
        chain, bundle = await self._deciding(old, order)
        await self._loader.ensure_history(live, step_seconds)
        reading = await self._entry.reading_for(order, live, bundle)
        successor = self._succeeded(old, order, live, chain.max_steps)
        if successor is None:
            return None
        if reading is not None:
            require_within_reach(successor, reach_of(successor, live, reading))
        return evolve(successor, bundle=bundle)

    async def _deciding(self, old: OrderState, order: AskedOrder) -> tuple[PolicyChain, str | None]:
        """The chain that decides the order from here on, and the bundle that is recorded: the old order's, unless the
        new one asks for another."""
        if order.model is not None:
            chain = await self._models.chosen(order.model)
            return chain, chain.name
        await self._models.ensure([old.bundle])
        return self._models.of(old.bundle) or self._models.own, old.bundle

    def _succeeded(self, old: OrderState, order: AskedOrder, live: LiveInstrument, steps_max: int) -> OrderState | None:
        now = self._clock.now(live.last.close_time)
        kept = without_unbegun(old, now)
        same_steps = live.step_seconds_of(order) == live.step_seconds_of(old.order)
        require_same_mandate(old.order, order, begun=kept.step > 0, same_steps=same_steps)
        if kept.oldest_open is not None and kept.oldest_open.window.end < live.last.close_time:
            return None
        step_seconds = live.step_seconds_of(order)
        if not kept.step and not (same_steps and order.start_time == old.order.start_time):
            start = start_of(order, now, timedelta(seconds=step_seconds))
            kept = evolve(kept, next_open=live.first_open(start, step_seconds))
        in_order = _in_steps(order, live, kept.next_open, kept.step, steps_max)
        usable = usable_steps(in_order, live, kept.next_open, kept.step + 1)
        require_fitting(in_order, live.instrument, live.last.close, live.busiest_volume(step_seconds))
        require_worth(in_order, live.instrument, live.last.close)
        return succeed(kept, in_order, usable.usable if usable else None)


def _in_steps(order: AskedOrder, live: LiveInstrument, opens: datetime, steps: int, steps_max: int) -> Order:
    """The order with a horizon in steps, of which so many are behind it and the next one opens then."""
    if isinstance(order, OrderInTime):
        rest = in_steps(order, live, opens, max(1, steps_max - steps))
        counted = rest.horizon
        every = Horizon(
            min_steps=steps + counted.min_steps,
            max_steps=steps + counted.max_steps,
            step_seconds=counted.step_seconds,
        )
        rest = replace(rest, horizon=every)
        require_decidable(rest, steps_max)
        return rest
    require_decidable(order, steps_max)
    require_known(live, opens, live.step_seconds_of(order), max(0, order.horizon.max_steps - steps))
    return order
