"""The cost analysis of many orders on the wire, as JSON."""

from __future__ import annotations

from typing import Any, Self

from pydantic import ConfigDict

from app.api.analyses.example import SUMMARY_EXAMPLE
from app.api.values import Answer, DecimalOut
from app.domain.order import Benchmark, Side, SizeMode
from app.engine.analyses import AnalysedOrders
from app.engine.analysis_totals import Totals, by_kind, totals_of
from app.engine.distribution import Distribution


class DistributionOut(Answer):
    """How a figure is spread over orders."""

    orders: int
    """Number of orders for which the figure is known."""
    mean: DecimalOut
    """Mean."""
    std: DecimalOut
    """Standard deviation; 0 for a single order."""
    p5: DecimalOut
    """5th percentile."""
    q25: DecimalOut
    """First quartile."""
    median: DecimalOut
    """Median."""
    q75: DecimalOut
    """Third quartile."""
    p95: DecimalOut
    """95th percentile."""

    @classmethod
    def of(cls, spread: Distribution) -> Self:
        quantiles = {name: getattr(spread, name) for name in ("p5", "q25", "median", "q75", "p95")}
        return cls(orders=spread.count, mean=spread.mean, std=spread.std, **quantiles)


class TotalsOut(Answer):
    """Orders together."""

    orders: int
    """Number of orders."""
    final: int
    """How many of them have figures that will not change."""
    partial: int
    """How many of them have a window that was not seen, or not whole."""
    unpriced: int
    """How many of them have something filled at a price that nobody knows."""
    figures: dict[str, DistributionOut]
    """The distribution of every figure that is known of at least one order, by the figure's name."""

    @classmethod
    def of(cls, totals: Totals) -> Self:
        return cls(**_values(totals))


class GroupOut(TotalsOut):
    """Orders that are alike."""

    side: Side
    """Whether the orders buy or sell."""
    size_mode: SizeMode
    """Whether they fix their quantity or their notional."""
    benchmark: Benchmark
    """What they are held against."""
    min_steps: int
    """They do not end before this step."""
    max_steps: int
    """They end with this step at the latest."""
    model: str | None
    """Who decided their first slice; null before it."""


class AnalysesOut(Answer):
    """The costs of many orders."""

    model_config = ConfigDict(json_schema_extra={"examples": [SUMMARY_EXAMPLE]})

    all: TotalsOut
    """All orders that fit."""
    groups: list[GroupOut]
    """The same orders, by what they have in common."""
    left_out: list[str]
    """Symbols of the instruments that cannot be opened now: their orders are missing here."""

    @classmethod
    def of(cls, found: AnalysedOrders) -> Self:
        groups = [GroupOut(**kind._asdict(), **_values(totals)) for kind, totals in by_kind(found.orders).items()]
        return cls(all=TotalsOut.of(totals_of(found.orders)), groups=groups, left_out=list(found.left_out))


def _values(totals: Totals) -> dict[str, Any]:
    figures = {name: DistributionOut.of(spread) for name, spread in totals.figures.items()}
    counts = {name: getattr(totals, name) for name in ("orders", "final", "partial", "unpriced")}
    return counts | {"figures": figures}
