"""What a shadow would have done with an order, beside what the order's own bundle does: both decide the whole order on
the recorded bars, with assumed fills, so that what the OMS has reported, paused or cancelled does not come between
them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from app.domain.bar import Bar
from app.domain.order import Fills
from app.domain.projection import STOP_THRESHOLD
from app.domain.slice import Slice
from app.domain.state import OrderState
from app.engine.models.ports import ShadowedOrder
from app.engine.models.rerun import Rerun
from app.engine.stages.decide import DecidedSlice, Decider


def as_it_began(state: OrderState, first: Slice) -> OrderState:
    """The order before its first slice, with assumed fills."""
    return OrderState(
        order=replace(state.order, fills=Fills.ASSUMED),
        lot=state.lot,
        base_lot=state.base_lot,
        total=state.total,
        slice_cap=state.slice_cap,
        min_notional=state.min_notional,
        next_open=first.window.start,
        arrival_price=state.arrival_price,
        bundle=state.bundle,
    )


@dataclass(slots=True)
class Tally:
    """What both have said about the same states."""

    steps: int = 0
    stops_alike: int = 0
    apart: float = 0.0

    def count(self, own: DecidedSlice, shadow: DecidedSlice, total: int) -> None:
        self.steps += 1
        self.stops_alike += _stops(own) == _stops(shadow)
        self.apart += abs(own.projection.lots - shadow.projection.lots) / total


def _stops(decided: DecidedSlice) -> bool:
    return float(decided.decided.stop_probability) > STOP_THRESHOLD


@dataclass(frozen=True, slots=True, kw_only=True)
class Contender:
    """A bundle by its `name`, and the order as the bundle would have it. Both contenders have orders of their own."""

    name: str
    decider: Decider
    rerun: Rerun


async def compare(own: Contender, shadow: Contender, bars: Sequence[Bar]) -> ShadowedOrder | None:
    """Move both orders over the bars that follow, oldest first. None where the bars end before both orders have."""
    tally, upcoming = Tally(), iter(bars)
    while True:
        await _decide(own, shadow, tally)
        await _decide(shadow)
        if not (own.rerun.state.awaits_bars or shadow.rerun.state.awaits_bars):
            return _outcome(own, shadow, tally)
        bar = next(upcoming, None)
        if bar is None:
            return None
        for each in (own, shadow):
            each.rerun.push(bar)


async def _decide(one: Contender, other: Contender | None = None, tally: Tally | None = None) -> None:
    """The next slice, where one is due; the `other` is asked about the same state and only counted."""
    groups = one.rerun.wanted()
    decided = await one.decider.decide(groups)
    if decided and other is not None and tally is not None:
        [beside] = await other.decider.decide(groups)
        tally.count(decided[0], beside, one.rerun.state.total)
    one.rerun.take(decided)


def _outcome(own: Contender, shadow: Contender, tally: Tally) -> ShadowedOrder:
    mine, silent = own.rerun.state, shadow.rerun.state
    return ShadowedOrder(
        order_id=mine.order_id,
        own=own.name,
        shadow=shadow.name,
        steps=tally.steps,
        stops_alike=tally.stops_alike,
        fraction_apart=tally.apart / tally.steps if tally.steps else 0.0,
        own_steps=mine.step,
        shadow_steps=silent.step,
        own_slippage_bps=mine.slippage_bps,
        shadow_slippage_bps=silent.slippage_bps,
    )
