"""Quotes an order: its calibrated gain times the current volatility, and its pace over simulated continuations.

The gain's distribution is that of measured orders in units of sigma * sqrt(N); where the model has no calibration, that
of the continuations (app/decision/foresight.py). When the order ends, what it trades in each step and what part of the
volume that is comes from the continuations either way.

Shapes: N steps, P continuations.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from app.decision.chain import BarWindow, ChainReading
from app.decision.continuations import volatility
from app.decision.foresight import foresee
from app.decision.market import seen_bars
from app.decision.policies.raw_windows import SIGMA_BARS
from app.decision.quotes.asked import QuotedOrder
from app.decision.quotes.calibration import Calibration
from app.decision.quotes.convexity import convexity
from app.decision.quotes.gains import gains_of
from app.decision.quotes.measured import Measured, measured_gains
from app.decision.quotes.trading import trading_of
from app.decision.quotes.warnings import warnings_of
from app.domain.order import SizeMode
from app.domain.order_words import RiskAversion, RiskAversions
from app.domain.quote import CalibratedOn, Grounds, Quote, QuoteBasis
from app.domain.sizing import amounts_at

Vector = NDArray[np.float64]

BPS = 1e4


def quote(
    reading: ChainReading,
    window: BarWindow,
    asked: QuotedOrder,
    calibration: Calibration,
    before_each_step: Callable[[], None] = lambda: None,
) -> Quote:
    """Quote an order as of the newest bar of `window`. `before_each_step` as in `foresee`."""
    order, sigma = asked.order, volatility(window)
    known = RiskAversions(**dict.fromkeys(RiskAversion, asked.risk_aversion))
    ahead = foresee(reading, window, asked.state, asked.windows_unseen, known, before_each_step, asked.steps)
    trading = trading_of(ahead.traded, reading, asked.state, float(window.last_price), asked.windows_unseen)
    measured = measured_gains(reading, asked, trading, calibration)
    if measured is None:
        gains = gains_of(ahead.gain_bps)
    else:
        gains = measured.gains.times(BPS * sigma * math.sqrt(order.horizon.max_steps))
    bent = _convexity_gain_bps(ahead.traded, asked, sigma)
    fraction = _by_step(ahead.traded.mean(axis=1) / asked.state.total, asked)
    return Quote(
        notional=amounts_at(order.size_mode, order.size, window.last_price).notional,
        last_price=window.last_price,
        gain_bps=gains.plus(bent),
        convexity_gain_bps=bent,
        half_spread_bps=asked.costs.half_spread_bps,
        impact_bps=BPS * sigma * asked.costs.impact * trading.impact_per_sigma if trading else None,
        end_probability=_by_step(ahead.end_probability, asked),
        fraction=fraction,
        participation=trading.participation if trading else None,
        busiest_participation=trading.busiest_participation if trading else None,
        grounds=_grounds(reading, window, asked, measured, sigma, len(ahead.gain_bps)),
        warnings=tuple(warnings_of(reading, asked, measured, trading, sigma, sum(fraction))),
    )


def _convexity_gain_bps(traded: NDArray[np.int64], asked: QuotedOrder, sigma: float) -> float:
    """The mean over the continuations, for a fixed notional; positive for a buy, negative for a sell."""
    if asked.order.size_mode is SizeMode.QUANTITY:
        return 0.0
    return asked.order.side.sign * BPS * float(convexity(traded, sigma).mean())


def _by_step(values: Vector, asked: QuotedOrder) -> tuple[float, ...]:
    """All N steps, from those that some continuation reaches."""
    return (*values.tolist(), *[0.0] * (asked.order.horizon.max_steps - len(values)))


def _grounds(
    reading: ChainReading,
    window: BarWindow,
    asked: QuotedOrder,
    measured: Measured | None,
    sigma: float,
    continuations: int,
) -> Grounds:
    history = int(seen_bars(window.bars)[0])
    return Grounds(
        basis=QuoteBasis.RANDOM_WALK if measured is None else QuoteBasis.CALIBRATION,
        calibrated_on=None if measured is None else _calibrated_on(measured, asked.order.horizon.max_steps),
        model=reading.model.policy.name,
        risk_aversion=asked.risk_aversion,
        volatility_bps=BPS * sigma,
        volatility_bars=min(history, SIGMA_BARS + 1),
        history_bars=history,
        continuations=continuations,
        as_of=window.newest.close_time,
    )


def _calibrated_on(measured: Measured, max_steps: int) -> CalibratedOn:
    table = measured.market.first
    return CalibratedOn(
        market=table.market,
        bar_seconds=table.bar_seconds,
        orders=measured.market.orders_near(max_steps),
        start=table.start,
        end=table.end,
    )
