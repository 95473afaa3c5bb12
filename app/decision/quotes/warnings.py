"""What a quote warns of: where the order lies outside what was measured, and what is not known of its market."""

from __future__ import annotations

from collections.abc import Iterator

from app.decision.chain import ChainReading
from app.decision.quotes.asked import QuotedOrder
from app.decision.quotes.measured import Measured
from app.decision.quotes.trading import Trading
from app.domain.quote import QuoteWarning

PARTICIPATION_MAX = 0.01
"""Orders too small to move the market were measured. Beyond this share of the volume a policy weighs the impact, and
trades otherwise than they did."""
FILLED_MIN = 0.999
CAP_ROUNDING = 1e-9


def warnings_of(
    reading: ChainReading,
    asked: QuotedOrder,
    measured: Measured | None,
    trading: Trading | None,
    sigma: float,
    filled_fraction: float,
) -> Iterator[QuoteWarning]:
    """In the order in which they matter."""
    if reading.model.market is None:
        yield QuoteWarning.MODEL_UNAVAILABLE
    elif measured is None and asked.order.horizon.max_steps > 1:
        yield QuoteWarning.NOT_CALIBRATED
    if measured is not None:
        yield from _outside(asked, measured)
        if trading is not None and trading.participation > PARTICIPATION_MAX:
            yield QuoteWarning.PARTICIPATION_NOT_CALIBRATED
    if filled_fraction < FILLED_MIN:
        yield QuoteWarning.MAY_NOT_FINISH
    if trading is None:
        yield QuoteWarning.NO_VOLUME
    if sigma == 0.0:
        yield QuoteWarning.NO_VOLATILITY


def _outside(asked: QuotedOrder, measured: Measured) -> Iterator[QuoteWarning]:
    """Where the nearest measured orders stand for the order."""
    if measured.market.first.bar_seconds != asked.step_seconds:
        yield QuoteWarning.BAR_LENGTH_NOT_CALIBRATED
    shortest, longest = measured.market.lengths
    if not shortest <= asked.order.horizon.max_steps <= longest:
        yield QuoteWarning.HORIZON_NOT_CALIBRATED
    least, most = measured.market.risk_aversions
    if not least <= asked.risk_aversion <= most:
        yield QuoteWarning.RISK_AVERSION_NOT_CALIBRATED
    tightest, multiple = measured.market.tightest_cap_multiple, measured.slice_cap_multiple
    if multiple is not None and (tightest is None or multiple < tightest - CAP_ROUNDING):
        yield QuoteWarning.SLICE_CAP_NOT_CALIBRATED
    limits = asked.order.limits
    if limits.limit_price is not None or limits.finish_price is not None:
        yield QuoteWarning.LIMIT_PRICE_NOT_CALIBRATED
