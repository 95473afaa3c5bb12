"""What a shadow would have done, over many orders."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from statistics import fmean

from app.engine.distribution import Distribution
from app.engine.models.ports import ShadowedOrder


@dataclass(frozen=True, slots=True, kw_only=True)
class ShadowTotals:
    """Over the `orders` that the bundle `own` has decided. `stops_alike` is the share of common states in which both
    would stop or both would not, `fraction_apart` how far their slices lie apart there, as a fraction of the order.
    `saved_bps` is what the shadow would have saved of each order: positive where it would have been cheaper. The
    distributions are over the orders whose slippage is known for both, None where there is none."""

    own: str
    orders: int
    steps: int
    stops_alike: Decimal
    fraction_apart: Decimal
    own_steps: Decimal
    shadow_steps: Decimal
    own_slippage_bps: Distribution | None
    shadow_slippage_bps: Distribution | None
    saved_bps: Distribution | None


def totals_of(orders: Sequence[ShadowedOrder]) -> list[ShadowTotals]:
    """One for each bundle that has decided orders, by name."""
    groups: dict[str, list[ShadowedOrder]] = defaultdict(list)
    for order in orders:
        groups[order.own].append(order)
    return [_totals(own, groups[own]) for own in sorted(groups)]


def _totals(own: str, orders: Sequence[ShadowedOrder]) -> ShadowTotals:
    steps = sum(order.steps for order in orders)
    known = [
        (order.own_slippage_bps, order.shadow_slippage_bps)
        for order in orders
        if order.own_slippage_bps is not None and order.shadow_slippage_bps is not None
    ]
    mine, silent = [pair[0] for pair in known], [pair[1] for pair in known]
    return ShadowTotals(
        own=own,
        orders=len(orders),
        steps=steps,
        stops_alike=_rounded(sum(order.stops_alike for order in orders) / steps if steps else 1.0),
        fraction_apart=_rounded(sum(each.fraction_apart * each.steps for each in orders) / steps if steps else 0.0),
        own_steps=_rounded(fmean(order.own_steps for order in orders)),
        shadow_steps=_rounded(fmean(order.shadow_steps for order in orders)),
        own_slippage_bps=Distribution.of(mine) if known else None,
        shadow_slippage_bps=Distribution.of(silent) if known else None,
        saved_bps=Distribution.of([one - other for one, other in known]) if known else None,
    )


def _rounded(value: float) -> Decimal:
    return Decimal(repr(round(value, 6)))
