"""The cost analysis of one order on the wire, as JSON."""

from __future__ import annotations

from typing import Self

from pydantic import ConfigDict

from app.api.analyses.example import EXAMPLE
from app.api.values import Answer, BpsOut, DecimalOut, TimeOut
from app.domain.analysis import AgainstMarket, GainParts, Participation
from app.domain.lifecycle import Status
from app.domain.order import Benchmark, Side, SizeMode
from app.engine.analyses import AnalysedOrder


class AgainstMarketOut(Answer):
    """The market's prices over some windows, and the order's slippage against them."""

    steps: int
    """How many of these windows have closed."""
    steps_max: int
    """How many windows there are up to `max_steps`."""
    partial: bool
    """Whether a window, or a part of one, was not seen: the prices leave it out."""
    vwap: DecimalOut | None
    """The market's price weighted by volume, in quote currency; null before the first window has closed."""
    twap: DecimalOut | None
    """The plain mean of the windows' prices, in quote currency; null before the first window has closed."""
    vwap_slippage_bps: BpsOut | None
    """The order's average price against `vwap` in basis points; positive is a cost."""
    twap_slippage_bps: BpsOut | None
    """The order's average price against `twap` in basis points; positive is a cost."""

    @classmethod
    def of(cls, against: AgainstMarket) -> Self:
        return cls.model_validate(against, from_attributes=True)


class GainPartsOut(Answer):
    """What the gain against the order's benchmark over its own windows is made of, in basis points. Positive is a gain,
    and the three add up to it."""

    stop_bps: BpsOut
    """What an even pace over `max_steps` would have gained by ending with the order's last window."""
    pace_bps: BpsOut
    """What the order's own slices gained beyond that even pace."""
    convexity_bps: BpsOut
    """What a fixed notional gains by being fixed; 0 for a fixed quantity."""

    @classmethod
    def of(cls, parts: GainParts) -> Self:
        return cls.model_validate(parts, from_attributes=True)


class TradedParticipationOut(Answer):
    """The order's quantity over the market's volume in the same windows. Windows without volume, or that were not seen,
    are left out."""

    overall: DecimalOut
    """A fraction, over all windows that were seen."""
    busiest: DecimalOut
    """The same in the busiest window."""
    busiest_step: int
    """The step of that window."""

    @classmethod
    def of(cls, participation: Participation) -> Self:
        return cls.model_validate(participation, from_attributes=True)


class AnalysisOut(Answer):
    """The costs of one order so far. What is not known is null."""

    model_config = ConfigDict(json_schema_extra={"examples": [EXAMPLE]})

    order_id: str
    """Our name of the order."""
    client_order_id: str
    """Your name of the order."""
    status: Status
    """Where the order is in its life."""
    final: bool
    """Whether no figure will change: the order has ended, the windows up to `max_steps` have closed, and so have the 30
    bars after its last window."""
    partial: bool
    """Whether a window of either benchmark was not seen, or not whole."""
    instrument: str
    """Symbol of the instrument."""
    side: Side
    """Whether the order buys or sells."""
    benchmark: Benchmark
    """What the order is held against."""
    size_mode: SizeMode
    """Whether the order fixes its quantity or its notional."""
    min_steps: int
    """The order does not end before this step."""
    max_steps: int
    """The order ends with this step at the latest."""
    steps_used: int
    """Newest step that has a slice."""
    started_at: TimeOut | None
    """When the first window opened; null before the first slice."""
    models: list[str]
    """Who decided the slices, in the order in which they came."""
    size: DecimalOut
    """In the unit that the order fixes."""
    filled: DecimalOut
    """What is traded, in the unit that the order fixes."""
    leaves: DecimalOut
    """What is not traded, in the unit that the order fixes."""
    unpriced: DecimalOut
    """What of it is filled at a price that nobody knows, in the unit that the order fixes; all prices leave it out."""
    avg_price: DecimalOut | None
    """Average price of what is traded, in quote currency; null before the first fill."""
    arrival_price: DecimalOut | None
    """Last close before the first step, in quote currency."""
    last_price: DecimalOut | None
    """The newest close while the order works, that of its last window afterwards; in quote currency."""
    benchmark_price: DecimalOut | None
    """The order's benchmark over its own windows, in quote currency."""
    slippage_bps: BpsOut | None
    """`avg_price` against `benchmark_price` in basis points; positive is a cost."""
    arrival_slippage_bps: BpsOut | None
    """`avg_price` against `arrival_price` in basis points; positive is a cost."""
    shortfall_bps: BpsOut | None
    """The same of the whole order, where what is not filled counts at `last_price`."""
    to_end: AgainstMarketOut
    """The market over the order's own windows so far."""
    to_max_steps: AgainstMarketOut
    """The market over all windows that the order might have had, as far as they have closed."""
    stop_earned_bps: BpsOut | None
    """Slippage against the order's benchmark up to `max_steps`, less that to its end, in basis points; positive is a
    gain. Null until the last window has closed."""
    gain_parts: GainPartsOut | None
    """What the gain is made of; null where a window was not seen, or something has no price."""
    participation: TradedParticipationOut | None
    """The order's share of the market's volume; null where the market had none."""
    reversion_bps: dict[int, BpsOut | None]
    """By how much the price had gone back 1, 5 and 30 bars after the last window, in basis points: positive where a
    buy's price fell. Null until these bars have closed."""

    @classmethod
    def of(cls, analysed: AnalysedOrder) -> Self:
        state, found = analysed.state, analysed.analysis
        order = state.order
        return cls(
            order_id=order.order_id,
            client_order_id=order.client_order_id,
            status=state.status,
            final=found.final,
            partial=found.partial,
            instrument=order.instrument,
            side=order.side,
            benchmark=order.benchmark,
            size_mode=order.size_mode,
            min_steps=order.horizon.min_steps,
            max_steps=order.horizon.max_steps,
            steps_used=state.step,
            started_at=analysed.started,
            models=list(analysed.models),
            size=order.size,
            filled=state.filled,
            leaves=state.leaves,
            unpriced=state.unpriced,
            avg_price=state.avg_price,
            arrival_price=state.arrival_price,
            last_price=found.last_price,
            benchmark_price=state.sums.price(order.benchmark),
            slippage_bps=state.slippage_bps,
            arrival_slippage_bps=found.arrival_bps,
            shortfall_bps=found.shortfall_bps,
            to_end=AgainstMarketOut.of(found.to_end),
            to_max_steps=AgainstMarketOut.of(found.to_max_steps),
            stop_earned_bps=found.stop_earned_bps,
            gain_parts=GainPartsOut.of(found.gain) if found.gain else None,
            participation=TradedParticipationOut.of(found.participation) if found.participation else None,
            reversion_bps=dict(found.reversion_bps),
        )
