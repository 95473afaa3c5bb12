"""What a shadow would have done, on the wire."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Self

from pydantic import ConfigDict
from pydantic.config import JsonDict

from app.api.analyses.totals_bodies import DistributionOut
from app.api.models.bodies import FORMER, NAME
from app.api.values import Answer, BpsOut, DecimalOut, TimeOut
from app.engine.distribution import Distribution
from app.engine.models.ports import ShadowedOrder
from app.engine.models.shadow_totals import ShadowTotals, totals_of

NEWEST_SHOWN = 100
SPREAD: JsonDict = {
    "orders": 1,
    **dict.fromkeys(("mean", "p5", "q25", "median", "q75", "p95"), "-1.5"),
    "std": "0",
}
TOTALS: JsonDict = {
    "own": NAME,
    "orders": 1,
    "steps": 5,
    "stops_alike": "0.8",
    "fraction_apart": "0.012",
    "own_steps": "5",
    "shadow_steps": "7",
    "own_slippage_bps": SPREAD,
    "shadow_slippage_bps": SPREAD,
    "saved_bps": SPREAD,
}
ORDER: JsonDict = {
    "order_id": "0b7e9f0e-5d0b-5a53-8c4c-2f6c2d6a3c11",
    "own": NAME,
    "steps": 5,
    "stops_alike": 4,
    "fraction_apart": "0.012",
    "own_steps": 5,
    "shadow_steps": 7,
    "own_slippage_bps": "-1.5",
    "shadow_slippage_bps": "-1.5",
}


class ShadowTotalsOut(Answer):
    """Orders of one bundle, decided by the shadow too."""

    own: str
    """The bundle that has decided the orders."""
    orders: int
    """Number of orders."""
    steps: int
    """Number of steps in which both were asked about the same state of an order."""
    stops_alike: DecimalOut
    """Share of these steps in which both would stop or both would not, 0 to 1."""
    fraction_apart: DecimalOut
    """How far their slices lie apart in these steps, in the mean, as a fraction of the order."""
    own_steps: DecimalOut
    """Steps that an order takes with its own bundle, in the mean."""
    shadow_steps: DecimalOut
    """Steps that an order would take with the shadow, in the mean."""
    own_slippage_bps: DistributionOut | None
    """Slippage with the own bundle, in basis points; null where no order's is known."""
    shadow_slippage_bps: DistributionOut | None
    """Slippage that the shadow would have had, in basis points; null where no order's is known."""
    saved_bps: DistributionOut | None
    """What the shadow would have saved of each order, in basis points; positive where the shadow is cheaper."""

    @classmethod
    def of(cls, totals: ShadowTotals) -> Self:
        return cls(
            own=totals.own,
            orders=totals.orders,
            steps=totals.steps,
            stops_alike=totals.stops_alike,
            fraction_apart=totals.fraction_apart,
            own_steps=totals.own_steps,
            shadow_steps=totals.shadow_steps,
            own_slippage_bps=_spread(totals.own_slippage_bps),
            shadow_slippage_bps=_spread(totals.shadow_slippage_bps),
            saved_bps=_spread(totals.saved_bps),
        )


class ShadowedOrderOut(Answer):
    """One order, decided twice on the same bars with assumed fills."""

    order_id: str
    """Our name of the order."""
    own: str
    """The bundle that has decided it."""
    steps: int
    """Steps in which both were asked about the same state of the order."""
    stops_alike: int
    """In how many of them both would stop or both would not."""
    fraction_apart: DecimalOut
    """How far their slices lie apart there, in the mean, as a fraction of the order."""
    own_steps: int
    """Steps that the order takes with its own bundle."""
    shadow_steps: int
    """Steps that the order would take with the shadow."""
    own_slippage_bps: BpsOut | None
    """Slippage with its own bundle, in basis points; null where no benchmark is known."""
    shadow_slippage_bps: BpsOut | None
    """Slippage that the shadow would have had, in basis points; null where no benchmark is known."""

    @classmethod
    def of(cls, order: ShadowedOrder) -> Self:
        return cls(
            order_id=order.order_id,
            own=order.own,
            steps=order.steps,
            stops_alike=order.stops_alike,
            fraction_apart=Decimal(repr(round(order.fraction_apart, 6))),
            own_steps=order.own_steps,
            shadow_steps=order.shadow_steps,
            own_slippage_bps=order.own_slippage_bps,
            shadow_slippage_bps=order.shadow_slippage_bps,
        )


class ShadowOut(Answer):
    """A bundle's silent decisions beside those that counted."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"name": FORMER, "since": "2025-01-06T14:30:00Z", "against": [TOTALS], "newest": [ORDER]}]
        }
    )

    name: str
    """Name and digest of the bundle that decided silently."""
    since: TimeOut | None
    """Since when it does, in UTC; null where it does so no more."""
    against: list[ShadowTotalsOut]
    """The figures over all orders that are kept, by the bundle that has decided them."""
    newest: list[ShadowedOrderOut]
    """The newest 100 orders of them, newest first."""

    @classmethod
    def of(cls, name: str, since: datetime | None, orders: Sequence[ShadowedOrder]) -> Self:
        return cls(
            name=name,
            since=since,
            against=[ShadowTotalsOut.of(each) for each in totals_of(orders)],
            newest=[ShadowedOrderOut.of(each) for each in orders[:NEWEST_SHOWN]],
        )


def _spread(spread: Distribution | None) -> DistributionOut | None:
    return None if spread is None else DistributionOut.of(spread)
