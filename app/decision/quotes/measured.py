"""Finds the measured orders that stand for the one that is quoted."""

from __future__ import annotations

import math
from dataclasses import dataclass

from app.decision.chain import ChainReading
from app.decision.quotes.asked import QuotedOrder
from app.decision.quotes.calibration import Calibration, MarketCalibration
from app.decision.quotes.trading import Trading
from app.domain.order import Benchmark
from app.domain.quote import Gains

CAP_TOLERANCE = 1e-6
"""In slices: a cap of 0.083333333333 is meant as 1/12, and lets an order end with its 12th slice."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """`gains` in units of sigma * sqrt(N), from the orders of `market`. `slice_cap_multiple` is the tighter one of the
    order's slice cap and its participation limit, as a multiple of an even slice; None where neither binds."""

    gains: Gains
    market: MarketCalibration
    slice_cap_multiple: float | None


def measured_gains(
    reading: ChainReading, asked: QuotedOrder, trading: Trading | None, calibration: Calibration
) -> Measured | None:
    """None where nothing is calibrated, where the model cannot read the market, so that another policy would decide,
    and for an order of one step: its slice is its benchmark."""
    horizon = asked.order.horizon
    if reading.model.market is None or horizon.max_steps == 1:
        return None
    benchmark = asked.order.benchmark if trading else Benchmark.TWAP  # a VWAP of nothing is a TWAP
    market = calibration.nearest(asked.step_seconds, benchmark)
    if market is None:
        return None
    multiple = _cap_multiple(asked, trading)
    # Under a cap no order ends before that many full slices, however tight the calibrated caps are.
    earliest = 1 if multiple is None else math.ceil(horizon.max_steps / multiple - CAP_TOLERANCE)
    gains = market.gains(
        max_steps=horizon.max_steps,
        min_steps=min(horizon.max_steps, max(horizon.min_steps, earliest)),
        risk_aversion=asked.risk_aversion,
        slice_cap_multiple=multiple,
    )
    return Measured(gains=gains, market=market, slice_cap_multiple=multiple)


def _cap_multiple(asked: QuotedOrder, trading: Trading | None) -> float | None:
    steps, fraction = asked.order.horizon.max_steps, asked.order.limits.max_slice_fraction
    caps = [
        steps if fraction is None else float(fraction) * steps,
        math.inf if trading is None or trading.market_cap_multiple is None else trading.market_cap_multiple,
    ]
    tighter = min(caps)
    return None if tighter >= steps else max(1.0, tighter)
