"""The parts of a quote's answer."""

from __future__ import annotations

import math
from decimal import Decimal
from itertools import accumulate
from typing import Self

from app.api.slices.bodies import WindowOut
from app.api.values import BPS_DECIMALS, Answer, BpsOut, DecimalOut, TimeOut
from app.domain.quote import Gains, Grounds, Quote, QuoteBasis
from app.domain.slice import Window

BPS = Decimal(10_000)
FRACTION_DIGITS, SHARE_DIGITS, STEP_DIGITS, MONEY_DIGITS = 6, 9, 2, 6


class GainOut(Answer):
    """How the gain is distributed, in basis points; positive where the order does better than its benchmark."""

    mean: BpsOut
    """Mean, in basis points."""
    std: BpsOut
    """Standard deviation, in basis points."""
    p5: BpsOut
    """5 of 100 such orders are meant to do worse; basis points."""
    p50: BpsOut
    """Median, in basis points."""
    p95: BpsOut
    """5 of 100 such orders are meant to do better; basis points."""

    @classmethod
    def of(cls, gains: Gains) -> Self:
        return cls(**{name: rounded(value) for name, value in _figures(gains).items()})


class GainNotionalOut(Answer):
    """As `gain_bps`, in quote currency, for the order's worth at `last_price`."""

    mean: DecimalOut
    """Mean, in quote currency."""
    std: DecimalOut
    """Standard deviation, in quote currency."""
    p5: DecimalOut
    """5 of 100 such orders are meant to do worse; quote currency."""
    p50: DecimalOut
    """Median, in quote currency."""
    p95: DecimalOut
    """5 of 100 such orders are meant to do better; quote currency."""

    @classmethod
    def of(cls, gains: Gains, notional: Decimal) -> Self:
        return cls(**{name: _money(value, notional) for name, value in _figures(gains).items()})


class CostOut(Answer):
    """What trading costs; positive is a cost."""

    half_spread_bps: BpsOut
    """Half the spread, in basis points."""
    impact_bps: BpsOut | None
    """Expected impact by the square-root law, in basis points; null where the feed has no volume: the sums then leave
    it out."""
    total_bps: BpsOut
    """Sum of both, in basis points."""
    total_notional: DecimalOut
    """Sum of both, in quote currency for the order's worth at `last_price`."""


class EndOut(Answer):
    """An end of the order."""

    step: DecimalOut
    """Step of the end, counted from 1. A mean may lie between two steps."""
    time: TimeOut
    """When the window of the step ends, in UTC; of a mean between two steps, that of the later one."""


class QuoteStepOut(Answer):
    """What is expected of one step."""

    step: int
    """Number of the step, counted from 1."""
    window: WindowOut
    """When the step is traded."""
    fraction: DecimalOut
    """Mean fraction of the order that the step trades, 0 to 1."""
    end_probability: DecimalOut
    """Chance that the order ends with the step, 0 to 1."""
    ended_by_probability: DecimalOut
    """Chance that the order has ended by then, 0 to 1."""


class ParticipationOut(Answer):
    """The order's share of the market's volume; means."""

    mean: DecimalOut
    """The order's share of the volume that is expected until it ends, as a fraction."""
    busiest_slice: DecimalOut
    """The same of its busiest slice, as a fraction."""


class CalibratedOnOut(Answer):
    """The market whose orders were measured."""

    market: str
    """Name of the market."""
    bar_seconds: int
    """Length of its bars in seconds."""
    orders: int
    """Number of orders of about this length that were measured."""
    start: TimeOut
    """First bar of the measurement, in UTC."""
    end: TimeOut
    """Last bar of the measurement, in UTC."""


class RestsOnOut(Answer):
    """What the quote rests on."""

    basis: QuoteBasis
    """Where the distribution of the gain comes from."""
    calibrated_on: CalibratedOnOut | None
    """The market whose orders were measured; null on a random walk."""
    model: str
    """The bundle, as slices record it."""
    risk_aversion: DecimalOut
    """That of the order, or the bundle's default."""
    volatility_bps: BpsOut
    """Volatility of one step, in basis points."""
    volatility_bars: int
    """Number of the newest bars that the volatility comes from."""
    history_bars: int
    """Number of bars that are known."""
    continuations: int
    """Number of continuations of the market that were simulated for the pace and the end."""
    as_of: TimeOut
    """Close of the newest bar, in UTC."""

    @classmethod
    def of(cls, grounds: Grounds) -> Self:
        on = grounds.calibrated_on
        return cls(
            basis=grounds.basis,
            calibrated_on=None if on is None else CalibratedOnOut.model_validate(on, from_attributes=True),
            model=grounds.model,
            risk_aversion=rounded(grounds.risk_aversion),
            volatility_bps=rounded(grounds.volatility_bps),
            volatility_bars=grounds.volatility_bars,
            history_bars=grounds.history_bars,
            continuations=grounds.continuations,
            as_of=grounds.as_of,
        )


def _figures(gains: Gains) -> dict[str, float]:
    quantiles = {name: gains.quantile(level) for name, level in (("p5", 0.05), ("p50", 0.5), ("p95", 0.95))}
    return {"mean": gains.mean, "std": gains.std, **quantiles}


def steps_of(quote: Quote, windows: tuple[Window, ...]) -> list[QuoteStepOut]:
    columns = (windows, quote.fraction, quote.end_probability, accumulate(quote.end_probability))
    return [
        QuoteStepOut(
            step=step,
            window=WindowOut(start=window.start, end=window.end),
            fraction=rounded(fraction, FRACTION_DIGITS),
            end_probability=rounded(end_probability, FRACTION_DIGITS),
            ended_by_probability=rounded(ended_by_probability, FRACTION_DIGITS),
        )
        for step, (window, fraction, end_probability, ended_by_probability) in enumerate(zip(*columns, strict=True), 1)
    ]


def end_of(step: float, windows: tuple[Window, ...]) -> EndOut:
    within = min(max(1, math.ceil(step)), len(windows))
    return EndOut(step=rounded(step, STEP_DIGITS), time=windows[within - 1].end)


def cost_of(quote: Quote) -> CostOut:
    return CostOut(
        half_spread_bps=rounded(quote.half_spread_bps),
        impact_bps=None if quote.impact_bps is None else rounded(quote.impact_bps),
        total_bps=rounded(quote.cost_bps),
        total_notional=_money(quote.cost_bps, quote.notional),
    )


def participation_of(quote: Quote) -> ParticipationOut | None:
    if quote.participation is None or quote.busiest_participation is None:
        return None
    return ParticipationOut(
        mean=rounded(quote.participation, SHARE_DIGITS),
        busiest_slice=rounded(quote.busiest_participation, SHARE_DIGITS),
    )


def rounded(value: float, digits: int = BPS_DECIMALS) -> Decimal:
    return Decimal(repr(round(value, digits)))


def _money(bps: float, notional: Decimal) -> Decimal:
    """So many bps of an order that is worth `notional`, in quote currency."""
    return round(notional * Decimal(repr(bps)) / BPS, MONEY_DIGITS)
