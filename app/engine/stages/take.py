"""Stage "project": each order takes its projected slice as its next one."""

from __future__ import annotations

from collections.abc import Sequence

from app.domain.state import OrderState
from app.domain.transitions import take
from app.engine.stages.batch import InstrumentOrders
from app.engine.stages.decide import DecidedSlice


def take_slices(batch: Sequence[InstrumentOrders], decided: Sequence[DecidedSlice]) -> list[OrderState]:
    """All orders of the batch in its order, those with a decided slice moved on by it."""
    taken = {
        each.state.order_id: take(
            each.state,
            each.projection,
            each.window,
            each.decided,
            each.last_price,
            each.expected_volume,
            each.out_of_reach,
        )
        for each in decided
    }
    return [taken.get(state.order_id, state) for part in batch for state in part.orders]
