"""Whether quotes hold on later bars: how many orders end within the interval that a quote would have given them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from app.backtest.setup import Setup
from app.bars.bar_files import bar_files
from app.bundles.bundle import LemPolicy
from app.bundles.calibration import DECIMALS
from app.decision.quotes.calibration import Calibration
from models.calibration.calibrate import starts_of
from models.calibration.grid import SCENARIOS, OrderKind, earliest_ends
from models.calibration.measuring import BarSpan, Vector, gains_on
from models.calibration.tables import pooled
from models.settings.train_plan import TrainMarket

LENGTH_SHARES, EARLIEST_SHARES = (0.4, 0.7, 1.0), (0.0, 1 / 3, 2 / 3, 1.0)
"""Horizons mostly between those that are calibrated: a quote reads between rows too."""
LOW, HIGH = 0.05, 0.95
ROUNDING = 0.5 * 10.0**-DECIMALS
"""Of the card: an order that tracks a TWAP misses it by less."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CoverageRow:
    """The orders of one kind, or of all kinds where `kind` is None. `within` is the share that ended from P5 to P95 of
    its quote, `below` under P5 and `above` over P95; the means are in sigma * sqrt(N), as quoted and as they came."""

    market: str
    kind: OrderKind | None
    orders: int
    within: float
    below: float
    above: float
    mean_quoted: float
    mean_came: float


def coverage(policy: LemPolicy, name: str, market: TrainMarket) -> list[CoverageRow]:
    """Orders at the default risk aversion without a slice cap, on the market's bars after those that were measured: by
    kind, and the last row for all of them. Empty where no order could start."""
    paths = bar_files([market.path])
    span = BarSpan(start=market.validation_end, end=None, starts_max=starts_of(market))
    files = [gains_on(policy, path, market.step_seconds, span, _orders(policy)) for path in paths]
    found = {kind: orders.gain for kind, orders in pooled(files).items() if len(orders)}
    rows = list(_rows(policy.calibration, name, files[0].bar_seconds, found))
    return [*rows, _whole(name, rows)] if rows else []


def _orders(policy: LemPolicy) -> list[list[tuple[float | None, Setup]]]:
    lengths = sorted({max(1, round(share * policy.max_steps)) for share in LENGTH_SHARES})
    return [
        [
            (
                None,
                Setup(
                    min_steps=earliest_ends(length, EARLIEST_SHARES),
                    max_steps=length,
                    every=1,
                    risk_aversion=policy.risk_aversion,
                    scenarios=SCENARIOS,
                ),
            )
        ]
        for length in lengths
    ]


def _rows(
    calibration: Calibration, name: str, bar_seconds: int, found: dict[OrderKind, Vector]
) -> Iterator[CoverageRow]:
    for kind, came in found.items():
        market = calibration.nearest(bar_seconds, kind.benchmark)
        if market is None:
            continue
        quoted = market.gains(
            max_steps=kind.max_steps,
            min_steps=kind.min_steps,
            risk_aversion=kind.risk_aversion,
            slice_cap_multiple=kind.slice_cap_multiple,
        )
        below, above = came < quoted.quantile(LOW) - ROUNDING, came > quoted.quantile(HIGH) + ROUNDING
        yield CoverageRow(
            market=name,
            kind=kind,
            orders=len(came),
            within=1.0 - float(below.mean()) - float(above.mean()),
            below=float(below.mean()),
            above=float(above.mean()),
            mean_quoted=quoted.mean,
            mean_came=float(came.mean()),
        )


def _whole(name: str, rows: list[CoverageRow]) -> CoverageRow:
    """All orders of the market together."""
    orders = np.array([row.orders for row in rows])

    def mean(figure: str) -> float:
        return float(np.average([getattr(row, figure) for row in rows], weights=orders))

    return CoverageRow(
        market=name,
        kind=None,
        orders=int(orders.sum()),
        within=mean("within"),
        below=mean("below"),
        above=mean("above"),
        mean_quoted=mean("mean_quoted"),
        mean_came=mean("mean_came"),
    )
