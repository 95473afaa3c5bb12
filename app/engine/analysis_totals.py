"""The figures of a cost analysis by name, and how they are spread over orders that are alike."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple

from app.domain.analysis import REVERSION_BARS
from app.domain.order import Benchmark, Side, SizeMode
from app.engine.analyses import AnalysedOrder
from app.engine.distribution import Distribution


class Kind(NamedTuple):
    """What orders of a group have in common. `model` decided their first slice, None before it."""

    side: Side
    size_mode: SizeMode
    benchmark: Benchmark
    min_steps: int
    max_steps: int
    model: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals:
    """How many orders there are, how many of them are final, partial and in part unpriced, and the distribution of
    every figure that is known of at least one of them."""

    orders: int
    final: int
    partial: int
    unpriced: int
    figures: Mapping[str, Distribution]


FIGURES = (
    *("slippage_bps", "arrival_slippage_bps", "shortfall_bps", "vwap_slippage_bps", "twap_slippage_bps"),
    *("vwap_slippage_to_max_steps_bps", "twap_slippage_to_max_steps_bps", "stop_earned_bps"),
    *("stop_gain_bps", "pace_gain_bps", "convexity_gain_bps", "participation", "busiest_participation"),
    *(f"reversion_{bars}_bps" for bars in REVERSION_BARS),
)


def figures_of(analysed: AnalysedOrder) -> dict[str, Decimal | None]:
    """Slippage and costs are positive where they are costs, gains where they are gains."""
    found, parts, share = analysed.analysis, analysed.analysis.gain, analysed.analysis.participation
    values = (
        *(analysed.state.slippage_bps, found.arrival_bps, found.shortfall_bps),
        *(found.to_end.vwap_slippage_bps, found.to_end.twap_slippage_bps),
        *(found.to_max_steps.vwap_slippage_bps, found.to_max_steps.twap_slippage_bps, found.stop_earned_bps),
        *((parts.stop_bps, parts.pace_bps, parts.convexity_bps) if parts else (None, None, None)),
        *((share.overall, share.busiest) if share else (None, None)),
        *(found.reversion_bps[bars] for bars in REVERSION_BARS),
    )
    return dict(zip(FIGURES, values, strict=True))


def totals_of(orders: Sequence[AnalysedOrder]) -> Totals:
    values: dict[str, list[Decimal]] = defaultdict(list)
    for each in orders:
        for name, value in figures_of(each).items():
            if value is not None:
                values[name].append(value)
    return Totals(
        orders=len(orders),
        final=sum(each.analysis.final for each in orders),
        partial=sum(each.analysis.partial for each in orders),
        unpriced=sum(each.state.unpriced > 0 for each in orders),
        figures={name: Distribution.of(known) for name, known in values.items()},
    )


NO_MODEL = "none"
DIMENSIONS: Mapping[str, Callable[[AnalysedOrder], str]] = {
    "side": lambda each: each.state.order.side.value,
    "benchmark": lambda each: each.state.order.benchmark.value,
    "model": lambda each: each.models[0] if each.models else NO_MODEL,
    "horizon": lambda each: f"{each.state.order.horizon.min_steps} to {each.state.order.horizon.max_steps} steps",
}
"""What orders can be held beside each other by, with what an order has of it. The model is that of its first slice."""


def by_dimension(orders: Sequence[AnalysedOrder], dimension: str) -> dict[str, Totals]:
    """The groups with the most orders first."""
    groups: dict[str, list[AnalysedOrder]] = defaultdict(list)
    for each in orders:
        groups[DIMENSIONS[dimension](each)].append(each)
    return {name: totals_of(groups[name]) for name in sorted(groups, key=lambda name: (-len(groups[name]), name))}


def by_kind(orders: Sequence[AnalysedOrder]) -> dict[Kind, Totals]:
    """The groups, in the order in which their first orders come."""
    groups: dict[Kind, list[AnalysedOrder]] = defaultdict(list)
    for each in orders:
        order = each.state.order
        kind = Kind(
            side=order.side,
            size_mode=order.size_mode,
            benchmark=order.benchmark,
            min_steps=order.horizon.min_steps,
            max_steps=order.horizon.max_steps,
            model=each.models[0] if each.models else None,
        )
        groups[kind].append(each)
    return {kind: totals_of(alike) for kind, alike in groups.items()}
