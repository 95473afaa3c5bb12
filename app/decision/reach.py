"""How much of an order can still be traded within its limits, if the market trades as much as is expected.

Shapes: N steps.
"""

from __future__ import annotations

from decimal import Decimal

import numpy as np

from app.decision.chain import ChainReading
from app.domain.numbers import EXACT, ZERO
from app.domain.projection import Projection, Room, last_steps
from app.domain.sizing import size_of
from app.domain.state import OrderState
from app.domain.steps_ahead import StepsAhead

ROUNDING = 1e-9
"""Of a cap in lots: what floats lose must not cost a lot of every step."""


def lots_within_reach(
    reading: ChainReading,
    state: OrderState,
    last_price: Decimal,
    windows_unseen: int,
    ahead: StepsAhead | None = None,
    after: int = 0,
) -> int:
    """The lots that the order's steps to come can trade, without the first `after` of them. `windows_unseen` lie
    between the newest bar and the first step to come; `ahead` as in `room`. Where no policy expects a volume, an order
    with a participation limit can trade nothing."""
    first = state.step + 1 + after
    steps = state.order.horizon.max_steps - first + 1
    rate = state.order.limits.max_participation_rate
    if rate is None:
        return state.slice_cap * (steps if ahead is None else ahead.usable_after(first - 1))
    volumes = reading.expected_volumes(windows_unseen + after, max(0, steps))
    if volumes is None:
        return 0
    lots_per_unit = float(rate) * float(size_of(state.order.size_mode, Decimal(1), last_price)) / float(state.lot)
    caps = np.minimum(np.floor(volumes * lots_per_unit * (1.0 + ROUNDING)), float(state.slice_cap))
    if ahead is not None:
        caps = caps[[ahead.at(step) is None for step in range(first, first + len(caps))]]
    return int(caps.sum())


def out_of_reach(
    reading: ChainReading,
    state: OrderState,
    room: Room,
    projection: Projection,
    windows_unseen: int,
    last_price: Decimal,
    ahead: StepsAhead | None = None,
) -> Decimal:
    """What the projected slice and those after it cannot trade of the order, in the unit that the order fixes. In the
    last steps, a price beyond the limit and a pause count as lasting."""
    rest = room.leaves - projection.lots
    if rest <= 0:
        return ZERO
    if (room.price_blocked or room.paused) and room.steps_after < last_steps(room.max_steps):
        return EXACT.multiply(rest, state.lot)
    missing = rest - lots_within_reach(reading, state, last_price, windows_unseen, ahead, after=1)
    return EXACT.multiply(missing, state.lot) if missing > 0 else ZERO
