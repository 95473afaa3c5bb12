"""A cost analysis on the wire, as JSON."""

from __future__ import annotations

from typing import Any, Self

from pydantic import ConfigDict

from app.api.analyses.example import EXAMPLE, SUMMARY_EXAMPLE
from app.api.values import Answer, BpsOut, DecimalOut, TimeOut
from app.domain.analysis import AgainstMarket, GainParts, Participation
from app.domain.lifecycle import Status
from app.domain.order import Benchmark, Side, SizeMode
from app.engine.analyses import AnalysedOrder, AnalysedOrders
from app.engine.analysis_totals import Totals, by_kind, totals_of
from app.engine.distribution import Distribution


class AgainstMarketOut(Answer):
    """The market's prices over `steps` windows of `steps_max`, and the order's slippage against them; a cost where it
    is positive. `partial`: a window, or a part of one, was not seen, and the prices leave it out."""

    steps: int
    steps_max: int
    partial: bool
    vwap: DecimalOut | None
    twap: DecimalOut | None
    vwap_slippage_bps: BpsOut | None
    twap_slippage_bps: BpsOut | None

    @classmethod
    def of(cls, against: AgainstMarket) -> Self:
        return cls.model_validate(against, from_attributes=True)


class GainPartsOut(Answer):
    """What the gain against the order's benchmark over its own windows is made of; positive is a gain, and the three
    add up to it. `stop_bps`: what the choice of the last window earned, for an even pace over max_steps. `pace_bps`:
    what the order's own slices earned beyond that pace. `convexity_bps`: what a fixed notional earns by being fixed."""

    stop_bps: BpsOut
    pace_bps: BpsOut
    convexity_bps: BpsOut

    @classmethod
    def of(cls, parts: GainParts) -> Self:
        return cls.model_validate(parts, from_attributes=True)


class ParticipationOut(Answer):
    """The order's quantity over the market's volume in the same windows: over all of them, and in the busiest one,
    which is that of `busiest_step`. Windows without volume, or that were not seen, are left out."""

    overall: DecimalOut
    busiest: DecimalOut
    busiest_step: int

    @classmethod
    def of(cls, participation: Participation) -> Self:
        return cls.model_validate(participation, from_attributes=True)


class AnalysisOut(Answer):
    """The costs of one order so far; slippage is a cost where it is positive. `final` tells that no figure will change:
    the order has ended, the windows up to max_steps have closed, and so have the 30 bars after its last window.

    `arrival_slippage_bps` is against `arrival_price`, the last close before the first step. `shortfall_bps` counts what
    is not filled, too, at `last_price`. `to_end` is the market over the order's own windows, `to_max_steps` over those
    that it might have had; `stop_earned_bps` is the slippage against the latter less that against the former, for the
    order's benchmark: known once the last of them has closed. `reversion_bps` says by how much the price had gone back
    1, 5 and 30 bars after the last window: positive where the price of a buy fell. `unpriced` is the part of what is
    filled whose price nobody knows, in the unit that the order fixes: all prices leave it out. What is not known is
    null. `models` decided the slices, in the order in which they came."""

    model_config = ConfigDict(json_schema_extra={"examples": [EXAMPLE]})

    order_id: str
    client_order_id: str
    status: Status
    final: bool
    partial: bool
    instrument: str
    side: Side
    benchmark: Benchmark
    size_mode: SizeMode
    min_steps: int
    max_steps: int
    steps_used: int
    started_at: TimeOut | None
    models: list[str]
    size: DecimalOut
    filled: DecimalOut
    leaves: DecimalOut
    unpriced: DecimalOut
    avg_price: DecimalOut | None
    arrival_price: DecimalOut | None
    last_price: DecimalOut | None
    benchmark_price: DecimalOut | None
    slippage_bps: BpsOut | None
    arrival_slippage_bps: BpsOut | None
    shortfall_bps: BpsOut | None
    to_end: AgainstMarketOut
    to_max_steps: AgainstMarketOut
    stop_earned_bps: BpsOut | None
    gain_parts: GainPartsOut | None
    participation: ParticipationOut | None
    reversion_bps: dict[int, BpsOut | None]

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
            participation=ParticipationOut.of(found.participation) if found.participation else None,
            reversion_bps=dict(found.reversion_bps),
        )


class DistributionOut(Answer):
    """Of the orders for which the figure is known: how many they are, mean, standard deviation, median, quartiles and
    the 5th and 95th percentile."""

    orders: int
    mean: DecimalOut
    std: DecimalOut
    p5: DecimalOut
    q25: DecimalOut
    median: DecimalOut
    q75: DecimalOut
    p95: DecimalOut

    @classmethod
    def of(cls, spread: Distribution) -> Self:
        quantiles = {name: getattr(spread, name) for name in ("p5", "q25", "median", "q75", "p95")}
        return cls(orders=spread.count, mean=spread.mean, std=spread.std, **quantiles)


class TotalsOut(Answer):
    """`orders` of them, of which so many are `final`, `partial` (a window of the benchmark was not seen) and `unpriced`
    (something was filled at a price that nobody knows). `figures` has the distribution of every figure that is known
    of at least one order."""

    orders: int
    final: int
    partial: int
    unpriced: int
    figures: dict[str, DistributionOut]

    @classmethod
    def of(cls, totals: Totals) -> Self:
        return cls(**_values(totals))


class GroupOut(TotalsOut):
    """Orders that are alike. `model` decided their first slice; null before it."""

    side: Side
    size_mode: SizeMode
    benchmark: Benchmark
    min_steps: int
    max_steps: int
    model: str | None


class AnalysesOut(Answer):
    """All orders that fit, and each group of them. `left_out` are instruments that cannot be opened now: their orders
    are missing here."""

    model_config = ConfigDict(json_schema_extra={"examples": [SUMMARY_EXAMPLE]})

    all: TotalsOut
    groups: list[GroupOut]
    left_out: list[str]

    @classmethod
    def of(cls, found: AnalysedOrders) -> Self:
        groups = [GroupOut(**kind._asdict(), **_values(totals)) for kind, totals in by_kind(found.orders).items()]
        return cls(all=TotalsOut.of(totals_of(found.orders)), groups=groups, left_out=list(found.left_out))


def _values(totals: Totals) -> dict[str, Any]:
    figures = {name: DistributionOut.of(spread) for name, spread in totals.figures.items()}
    counts = {name: getattr(totals, name) for name in ("orders", "final", "partial", "unpriced")}
    return counts | {"figures": figures}
