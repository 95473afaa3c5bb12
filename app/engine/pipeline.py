"""The stages that follow on recorded bars: close windows -> read the market -> decide -> project -> commit -> announce.

A bar that is posted, a bar that is late, a new order and recovery all enter here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from app.domain.bar import Bar
from app.domain.errors import Unavailable
from app.domain.state import OrderState
from app.engine.changes import Change, change
from app.engine.commit_transition import commit_transition
from app.engine.instruments.order_windows import looks_at
from app.engine.ownership.lease import NotOwner, Ownership
from app.engine.ports import Metrics
from app.engine.right_of_way import RightOfWay
from app.engine.set_aside import SetAside
from app.engine.spans import Spans
from app.engine.stages.batch import InstrumentOrders
from app.engine.stages.commit import Committer
from app.engine.stages.decide import Decider
from app.engine.stages.take import take_slices
from app.engine.stages.windows import close_windows, wanted_slices
from app.engine.tasks import Breather, together

MOVED_AT_ONCE = 250
"""Orders that are moved without a pause: others have their turn after them, and the store records them while the next
ones are moved."""
PIECES_AT_ONCE = 2


class Pipeline:
    """Moves orders over the newest bar of their instruments. Moving them over the same bar again changes nothing. It
    holds the right of way while it does."""

    def __init__(
        self,
        decider: Decider,
        committer: Committer,
        metrics: Metrics,
        ownership: Ownership,
        right_of_way: RightOfWay,
        spans: Spans,
    ) -> None:
        self._decider = decider
        self._committer = committer
        self._ownership = ownership
        self._right_of_way = right_of_way
        self._spans = spans
        self.set_aside = SetAside(metrics)

    async def over_bars(
        self, batch: Sequence[InstrumentOrders], bars: Sequence[Sequence[Bar]]
    ) -> list[InstrumentOrders]:
        """Take recorded bars, `bars[i]` of the batch's instrument i and oldest first, one of each instrument at a time.
        Returns the orders that still await bars."""
        parts, breather = list(batch), Breather()
        for number in range(max(map(len, bars), default=0)):
            moving = [index for index, each in enumerate(bars) if number < len(each)]
            for index in moving:
                parts[index].live.push(bars[index][number])
            await breather.after(len(moving))
            moved = await self.advance([parts[index] for index in moving])
            for index, part in zip(moving, moved, strict=True):
                parts[index] = part
        return parts

    async def advance(self, batch: Sequence[InstrumentOrders]) -> list[InstrumentOrders]:
        """Close windows, decide slices, commit and announce. Returns the orders that still await bars.

        An order that cannot be moved stays as it is, and is tried again with the next bar: the others go on.
        """
        if not any(part.orders for part in batch):
            return list(batch)
        orders = sum(len(part.orders) for part in batch)
        with self._right_of_way.held(), self._spans.part("advance", orders=orders):
            return await self._advanced(batch)

    async def _advanced(self, batch: Sequence[InstrumentOrders]) -> list[InstrumentOrders]:
        healthy, suspects = self.set_aside.split([state for part in batch for state in part.orders])
        moved, failed = await self._moved_in_pieces(batch, healthy)
        for suspect in suspects:
            moved_too, failed_again = await self._moved_apart(batch, [suspect])
            moved, failed = moved + moved_too, failed + failed_again
        for part in _regrouped(batch, failed):
            self.set_aside.keep_only(part.live.symbol, {state.order_id for state in part.orders})
        return _regrouped(batch, [state for state in moved + failed if state.awaits_bars])

    async def _moved_in_pieces(
        self, batch: Sequence[InstrumentOrders], orders: Sequence[OrderState]
    ) -> tuple[list[OrderState], list[OrderState]]:
        """As `_moved_apart`. While the store records some orders, others are moved. The first ones go alone: what is
        read of the market for them is there for all."""
        moved, failed = await self._moved_apart(batch, orders[:MOVED_AT_ONCE])
        rest = range(MOVED_AT_ONCE, len(orders), MOVED_AT_ONCE)
        for moved_too, failed_too in await together(
            (self._moved_apart(batch, orders[first : first + MOVED_AT_ONCE]) for first in rest), PIECES_AT_ONCE
        ):
            moved, failed = moved + moved_too, failed + failed_too
        return moved, failed

    async def _moved_apart(
        self, batch: Sequence[InstrumentOrders], orders: Sequence[OrderState]
    ) -> tuple[list[OrderState], list[OrderState]]:
        """The orders as they are recorded then, and those that cannot be moved, found by halving."""
        live = {part.live.symbol: part.live for part in batch}

        async def transition(pending: Sequence[OrderState]) -> list[Change | None]:
            after = {state.order_id: state for state in await self.moved(_regrouped(batch, pending))}
            return [
                change(each, new, instrument=(at := live[each.order.instrument]).instrument, fence=at.fence)
                if (new := after[each.order_id]) is not each and new != each
                else None
                for each in pending
            ]

        try:
            recorded = await commit_transition(self._committer, orders, transition)
            for part in _regrouped(batch, recorded):
                _watch(part)
        except NotOwner:
            await self._ownership.fenced(list(live))
            raise
        except Unavailable:  # no fault of an order
            raise
        except Exception as error:  # noqa: BLE001 -- whatever it is, the other orders go on; SetAside logs it
            if len(orders) == 1:
                self.set_aside.add(orders[0], error)
                return [], list(orders)
        else:
            return recorded, []
        half = len(orders) // 2
        moved, failed = await self._moved_apart(batch, orders[:half])
        moved_too, failed_too = await self._moved_apart(batch, orders[half:])
        return moved + moved_too, failed + failed_too

    async def moved(self, batch: Sequence[InstrumentOrders]) -> list[OrderState]:
        """All orders of the batch as the newest bars move them. Commits nothing."""
        closed = close_windows(batch)
        decided = await self._decider.decide(wanted_slices(closed))
        return take_slices(closed, decided)


def _regrouped(batch: Sequence[InstrumentOrders], orders: Sequence[OrderState]) -> list[InstrumentOrders]:
    """The same instruments with these orders instead."""
    by_symbol: dict[str, list[OrderState]] = {part.live.symbol: [] for part in batch}
    for state in orders:
        by_symbol[state.order.instrument].append(state)
    return [replace(part, orders=tuple(by_symbol[part.live.symbol])) for part in batch]


def _watch(part: InstrumentOrders) -> None:
    """Note when somebody must look at an order although no bar has come."""
    for at in filter(None, (looks_at(state, part.live) for state in part.orders)):
        part.live.note_due(at)
