"""The use case of an OMS that asks whether an order would be taken, without sending it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from app.decision.chain import ChainReading
from app.domain.order import AskedOrder
from app.domain.order_words import Completion, OrderWarning
from app.domain.sizing import amounts_at
from app.domain.state import OrderState, at_finish_price, beyond_limit
from app.engine.feasibility import reach_of
from app.engine.instruments.avoided_windows import steps_ahead
from app.engine.instruments.live import LiveInstrument
from app.engine.orders import OrderEntry
from app.engine.ports import Store
from app.engine.stages.decide import Decider

ROOM_MIN = 0.8
"""An order that needs more of its limits than that has little room: where the market trades less, it is not done."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DryRun:
    """The order as it would be answered, and what is odd about it."""

    state: OrderState
    warnings: tuple[OrderWarning, ...] = ()


class DryRuns:
    """Nothing is recorded or decided, and no `client_order_id` is taken."""

    def __init__(self, store: Store, orders: OrderEntry, decider: Decider) -> None:
        self._store = store
        self._orders = orders
        self._decider = decider

    async def run(self, order: AskedOrder) -> DryRun:
        """The order before its first step; as it stands where it was sent before. Raises what `submit` does."""
        known = await self._orders.already_answered(order)
        if known is not None:
            return DryRun(state=known)
        live, state = await self._orders.as_it_would_begin(order)
        await self._store.require_place(order.instrument)
        reading = await self._decider.read(live, live.step_seconds_of(state.order), state.bundle)
        return DryRun(state=state, warnings=tuple(_warnings(state, live, reading)))


def _warnings(state: OrderState, live: LiveInstrument, reading: ChainReading) -> Iterator[OrderWarning]:
    """In the order in which they matter."""
    order, price = state.order, live.last.close
    yield from _of_reach(state, reach_of(state, live, reading))
    if beyond_limit(order, price):
        yield OrderWarning.BEYOND_LIMIT_PRICE
    if at_finish_price(order, price):
        yield OrderWarning.AT_FINISH_PRICE
    steps = steps_ahead(state, live, state.next_open)
    if steps is not None and steps.usable < order.horizon.max_steps:
        yield OrderWarning.STEPS_AVOIDED
    even_slices = order.horizon.max_steps if steps is None else steps.usable
    if amounts_at(order.size_mode, order.size, price).notional < state.min_notional * even_slices:
        yield OrderWarning.SLICES_BELOW_MINIMUM
    if reading.model.market is None:
        yield OrderWarning.MODEL_UNAVAILABLE


def _of_reach(state: OrderState, reach: int) -> Iterator[OrderWarning]:
    if state.order.limits.max_participation_rate is None:
        return
    if not reach:
        yield OrderWarning.NO_VOLUME
    if state.total > reach:
        gives_way = state.order.completion is Completion.ALWAYS
        yield OrderWarning.PARTICIPATION_GIVES_WAY if gives_way else OrderWarning.MAY_NOT_FINISH
    elif state.total > ROOM_MIN * reach:
        yield OrderWarning.LITTLE_ROOM
