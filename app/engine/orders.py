"""The use cases of an OMS that sends an order, perhaps more than once, and pauses or cancels it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta

from app.decision.chain import ChainReading
from app.domain.acceptance import require_fitting
from app.domain.errors import Conflict, InvalidInput, LemError, Unavailable
from app.domain.order import AskedOrder, Order, OrderInTime, order_id_of
from app.domain.order_words import Completion
from app.domain.state import OrderState
from app.domain.transitions import accept, cancel, pause, resume
from app.engine.changes import Change, change
from app.engine.commit_transition import commit_transition
from app.engine.feasibility import reach_of, require_within_reach, usable_steps
from app.engine.horizons import in_steps
from app.engine.instruments.cache import LiveInstruments
from app.engine.instruments.live import LiveInstrument
from app.engine.instruments.loading import Loader
from app.engine.models.choice import Models
from app.engine.order_start import require_known, require_step, start_of
from app.engine.pipeline import Pipeline
from app.engine.ports import STORE_AWAY, Claim, Clock, Store
from app.engine.queries import Queries
from app.engine.spans import Spans
from app.engine.stages.announce import Announcer
from app.engine.stages.batch import InstrumentOrders
from app.engine.stages.commit import Committer
from app.engine.stages.decide import Decider
from app.engine.terms import digest_of

RACES_MAX = 20
POINTERS = {
    "unknown_instrument": "#/instrument",
    "no_bars": "#/instrument",
    "outside_calendar": "#/horizon",
    "unknown_model": "#/model",
    "model_refused": "#/model",
}
"""The field of an order that is wrong, where what refuses it knows of no order."""


class OrderEntry:
    """`models` says which bundle decides a new order, and so how long it may be."""

    def __init__(
        self,
        *,
        store: Store,
        queries: Queries,
        instruments: LiveInstruments,
        loader: Loader,
        pipeline: Pipeline,
        committer: Committer,
        announcer: Announcer,
        clock: Clock,
        models: Models,
        spans: Spans,
        decider: Decider,
    ) -> None:
        self._store = store
        self._queries = queries
        self._instruments = instruments
        self._loader = loader
        self._pipeline = pipeline
        self._committer = committer
        self._announcer = announcer
        self._clock = clock
        self._models = models
        self._spans = spans
        self._decider = decider

    async def submit(self, order: AskedOrder) -> tuple[OrderState, bool]:
        """The order with its first slice where that is due, and whether it is new. Nothing is recorded before the order
        is known to be valid.

        Raises NotFound("unknown_instrument"), InvalidInput (what `accept`, `in_steps`, `require_fitting`,
        `usable_steps` and `require_within_reach` say,
        "step_seconds_unsupported", "start_time_too_far", "start_time_past"), NotFound("unknown_model"),
        Conflict("model_refused"),
        Conflict("client_order_id_reused" | "no_bars"), Unavailable("too_many_orders" | "busy").
        """
        if order.order_id != order_id_of(order.client_order_id, order.account):
            raise AssertionError("the order's id does not follow from its client_order_id and its account")
        return await self.answered(order, self._placed(order))

    async def answered(self, order: AskedOrder, placing: Awaitable[tuple[OrderState, bool]]) -> tuple[OrderState, bool]:
        """What comes of the order, or its first answer where it is refused now and was taken before."""
        try:
            return await placing
        except LemError as refusal:
            if refusal.code == STORE_AWAY:  # what is recorded is unknown then: the id stays the order's
                raise
            first = await self._first_answer(order)  # an order that is known need not be acceptable any more
            if first is not None:
                self._instruments.note_known(first)  # its creation may have been recorded without an answer
                return first, False
            await self._store.refuse_claim(order)
            _point(refusal)
            raise

    async def as_it_would_begin(self, order: AskedOrder) -> tuple[LiveInstrument, OrderState]:
        """The order before its first step, were it sent now, and its instrument. Nothing is recorded or decided.

        Raises what `submit` does of the order and its instrument."""
        try:
            live = await self._instruments.get(order.instrument)
            return live, await self._accepted(order, live)
        except LemError as refusal:
            _point(refusal)
            raise

    async def already_answered(self, order: AskedOrder) -> OrderState | None:
        """The order, where it was sent before. Raises Conflict("client_order_id_reused")."""
        claim = await self._store.claimed(order.order_id)
        return None if claim is None or claim.refused else await self._first_answer(order)

    async def cancel(self, order_id: str, account: str | None = None) -> OrderState:
        """`account` as in `Queries.order`.
        Raises NotFound("unknown_order"), Conflict("order_ended"), Unavailable("busy")."""
        return await self._told(order_id, account, cancel)

    async def pause(self, order_id: str, account: str | None = None) -> OrderState:
        """As `cancel`."""
        return await self._told(order_id, account, pause)

    async def resume(self, order_id: str, account: str | None = None) -> OrderState:
        """As `cancel`."""
        return await self._told(order_id, account, resume)

    async def _told(
        self, order_id: str, account: str | None, told: Callable[[OrderState, datetime], OrderState]
    ) -> OrderState:
        """The order as the OMS wants it from now on."""

        async def transition(orders: Sequence[OrderState]) -> list[Change | None]:
            return [change(state, after) if (after := told(state, now)) is not state else None for state in orders]

        state = await self._queries.order(order_id, account)
        now = self._clock.now(await self._newest_close(state))
        [moved] = await commit_transition(self._committer, [state], transition)
        self._instruments.try_again(moved.order.instrument)
        return moved

    async def _newest_close(self, state: OrderState) -> datetime:
        """An order can be told to end or to wait though the bars of its instrument are not understood."""
        try:
            newest = await self._store.bars_before(state.order.instrument, None, 1)
        except Unavailable as error:
            if error.code != "instrument_unreadable":
                raise
            newest = []
        return newest[-1].close_time if newest else state.next_open

    async def _first_answer(self, order: AskedOrder) -> OrderState | None:
        claim = await self._store.claimed(order.order_id)
        if claim is None:
            return None
        _require_own(claim, order)
        return await self._store.order(order.order_id)

    async def _placed(self, order: AskedOrder) -> tuple[OrderState, bool]:
        answer = await self._created(order, await self._instruments.get(order.instrument))
        for _ in range(RACES_MAX):
            if answer is not None:
                return answer
            answer = await self._created_between_bars(order)
        raise Unavailable("busy", f"bars of {order.instrument} come faster than the order can be placed between them")

    async def _created_between_bars(self, order: AskedOrder) -> tuple[OrderState, bool] | None:
        """In line behind the bars that this process is taking. Where the order is overtaken all the same, another
        process has taken bars or changed the terms: the instrument must be opened anew."""
        refusal: LemError | None = None
        answer = None
        async with self._instruments.locked(order.instrument) as live:
            try:
                answer = await self._created(order, live)
            except LemError as error:  # a refused order says nothing of the instrument
                refusal = error
            if answer is None and refusal is None:
                self._instruments.forget(order.instrument)
        if refusal is not None:
            raise refusal
        return answer

    async def _created(self, order: AskedOrder, live: LiveInstrument) -> tuple[OrderState, bool] | None:
        """None where a bar has overtaken the order: its first window is another one then."""
        accepted = await self._accepted(order, live)
        newest = live.last
        [state] = await self._pipeline.moved([InstrumentOrders(live=live, orders=(accepted,))])
        new = change(None, state, instrument=live.instrument)
        if live.last is not newest or not self._instruments.has(live):
            return None
        try:
            with self._spans.part("commit", orders=1):
                answer = await self._store.create(new, newest.open_time)
        finally:
            live.note_due(state.next_open)  # without an answer too: the order may be recorded
        if isinstance(answer, Claim):
            raise reused(answer.instrument, order)
        if answer is not None:
            if answer[1]:
                self._announcer.announce([new])
            self._instruments.note_known(answer[0])
            self._announcer.wake([answer[0]])
        return answer

    async def _accepted(self, order: AskedOrder, live: LiveInstrument) -> OrderState:
        if live.newest is None:
            raise Conflict("no_bars", f"{order.instrument} has no bars yet; an order needs a price to start from")
        step_seconds = require_step(order, live)
        start = start_of(order, self._clock.now(live.newest.close_time), timedelta(seconds=step_seconds))
        first = live.first_open(start, step_seconds)
        chain = await self._models.chosen(order.model)
        in_order = _in_steps(order, live, first, chain.max_steps)
        steps = usable_steps(in_order, live, first)
        await self._loader.ensure_history(live, step_seconds)
        reading = await self.reading_for(in_order, live, chain.name)
        require_fitting(in_order, live.instrument, live.last.close, live.busiest_volume(step_seconds))
        state = accept(
            in_order, live.instrument, first, live.last.close, steps.usable if steps else None, bundle=chain.name
        )
        if reading is not None:
            require_within_reach(state, reach_of(state, live, reading))
        return state

    async def reading_for(self, order: AskedOrder, live: LiveInstrument, bundle: str | None) -> ChainReading | None:
        """What the policies read of the market, where the order may ask for more than its participation limit allows;
        None for an order whose limit gives way, or that has none. `bundle` is to decide it."""
        if order.limits.max_participation_rate is None or order.completion is Completion.ALWAYS:
            return None
        return await self._decider.read(live, live.step_seconds_of(order), bundle)


def _in_steps(order: AskedOrder, live: LiveInstrument, first: datetime, steps_max: int) -> Order:
    """The order with a horizon that the model and the calendar know, in steps from the window that opens first."""
    if isinstance(order, OrderInTime):
        return in_steps(order, live, first, steps_max)
    require_decidable(order, steps_max)
    require_known(live, first, live.step_seconds_of(order), order.horizon.max_steps)
    return order


def require_decidable(order: Order, steps_max: int) -> None:
    """Raises InvalidInput("horizon_too_long")."""
    if order.horizon.max_steps > steps_max:
        raise InvalidInput(
            "horizon_too_long",
            f"max_steps is {order.horizon.max_steps}; the model decides at most {steps_max}",
            "#/horizon/max_steps",
        )


def _point(refusal: LemError) -> None:
    """To the field of the order that is wrong, where what refuses it knew of none."""
    if refusal.pointer is None and refusal.code in POINTERS:
        refusal.with_pointer(POINTERS[refusal.code])


def _require_own(claim: Claim, order: AskedOrder) -> None:
    if claim.digest != digest_of(order):
        raise reused(claim.instrument, order)


def reused(instrument: str, order: AskedOrder) -> Conflict:
    """Another order on that instrument has the order's name."""
    return Conflict(
        "client_order_id_reused",
        f"client_order_id {order.client_order_id!r} belongs to another order, on {instrument}",
    )
