"""Whoever has heard all events of an order knows its status, what was asked for, and what is filled."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal

from app.domain.events import FillBooked, FillBusted, FillCorrected, SliceCommitted, StatusChanged
from app.domain.lifecycle import Status
from app.domain.order import Fills
from app.outbox.log import OLDEST, RecordedEvent
from tests.builders import a_fill, bars
from tests.engine.desk import Desk
from tests.outbox.following import a_tail

HISTORY = 40


@dataclass
class Rebuilt:
    """An order as its events tell it."""

    version: int = 0
    status: Status | None = None
    filled_quantity: Decimal | None = None
    filled_notional: Decimal | None = None
    slices: dict[str, Decimal] = field(default_factory=dict)
    fills: dict[str, tuple[Decimal, Decimal]] = field(default_factory=dict)

    def hear(self, told: RecordedEvent) -> None:
        assert told.event.version >= self.version
        self.version = told.event.version
        self.filled_quantity, self.filled_notional = told.event.filled_quantity, told.event.filled_notional
        match told.event.what:
            case StatusChanged(status=status):
                self.status = status
            case SliceCommitted(slice_id=slice_id):
                assert told.piece is not None
                self.slices[slice_id] = told.piece.quantity
            case FillBooked(execution_id=execution_id, quantity=quantity, price=price):
                assert quantity is not None
                assert price is not None
                self.fills[execution_id] = quantity, price
            case FillCorrected(execution_id=execution_id, quantity=quantity, price=price):
                self.fills[execution_id] = quantity, price
            case FillBusted(execution_id=execution_id):
                del self.fills[execution_id]


async def rebuilt(desk: Desk) -> dict[str, Rebuilt]:
    """All orders, by id, from the stream alone."""
    found: dict[str, Rebuilt] = {}
    async with a_tail(desk) as tail:
        place, more = OLDEST, True
        while more:
            batch = await tail.log.read(place)
            await tail.log.learn(batch.events)
            for each in batch.events:
                found.setdefault(each.order_id, Rebuilt()).hear(each)
            place, more = batch.until, batch.more or batch.held
    return found


async def test_orders_are_rebuilt_from_their_events(desk: Desk) -> None:
    made = bars(HISTORY + 14)
    await desk.feed(made[:HISTORY])
    assumed = await desk.order("assumed", min_steps=4, max_steps=6)
    reported = await desk.order("reported", min_steps=4, max_steps=8, fills=Fills.REPORTED)
    cancelled = await desk.order("cancelled")
    for number, bar in enumerate(made[HISTORY:]):
        state = await desk.again(reported)
        if state.status.live and state.current is not None:
            fill = a_fill(state, execution_id=f"exec-{number}", quantity=state.current.quantity)
            await desk.engine.fills.report(state.order_id, fill)
            if number == 2:
                await desk.engine.fills.bust(state.order_id, fill.execution_id)
        if number == 3:
            await desk.engine.orders.cancel(cancelled.order_id)
        await desk.feed([bar])

    found = await rebuilt(desk)

    for order in (assumed, reported, cancelled):
        state, known = await desk.again(order), found[order.order_id]
        assert known.status is state.status
        assert (known.filled_quantity, known.filled_notional) == (state.filled_quantity, state.filled_notional)
        assert known.slices == {piece.slice_id: piece.quantity for piece in await desk.slices(order)}
        booked = [fill for fill in await desk.store.fills(order.order_id) if not fill.busted]
        assert known.fills == {fill.execution_id: (fill.quantity, fill.price) for fill in booked}
