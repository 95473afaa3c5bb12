"""A quote on the wire."""

from __future__ import annotations

import math
from decimal import Decimal
from itertools import accumulate
from typing import Self

from pydantic import ConfigDict

from app.api.orders import bodies as order_bodies
from app.api.orders.bodies import ONE_SIZE, OrderIn
from app.api.quotes.example import OUT_EXAMPLE
from app.api.slices.bodies import WindowOut
from app.api.values import BPS_DECIMALS, Answer, BpsOut, DecimalOut, Edge, Name, NotNegativeIn, TimeOut
from app.domain.order import Benchmark, Side
from app.domain.quote import Gains, Grounds, Quote, QuoteBasis, QuoteWarning
from app.domain.sizing import amounts_at
from app.domain.slice import Window
from app.engine.quotes import OrderQuote

BPS = Decimal(10_000)
FRACTION_DIGITS, SHARE_DIGITS, STEP_DIGITS, MONEY_DIGITS = 6, 9, 2, 6


class CostsIn(Edge):
    """The costs of the market. Without `half_spread_bps` the spread counts as one tick; `impact` is the factor of the
    square-root law, 1 where it is not given."""

    half_spread_bps: NotNegativeIn | None = None
    impact: NotNegativeIn | None = None


class QuoteIn(OrderIn):
    """An order's body; `client_order_id` may be left out, and means nothing here."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [order_bodies.EXAMPLE | {"costs": {"half_spread_bps": "0.5", "impact": "1"}}],
            **ONE_SIZE,
        }
    )

    client_order_id: Name = "quote"
    costs: CostsIn = CostsIn()


class GainOut(Answer):
    """Positive where the order does better than its benchmark. 90 of 100 such orders are meant to end within `p5` and
    `p95`."""

    mean: BpsOut
    std: BpsOut
    p5: BpsOut
    p50: BpsOut
    p95: BpsOut

    @classmethod
    def of(cls, gains: Gains) -> Self:
        return cls(**{name: _decimal(value) for name, value in _figures(gains).items()})


class GainNotionalOut(Answer):
    """As `gain_bps`, in quote currency, for the order's worth at `last_price`."""

    mean: DecimalOut
    std: DecimalOut
    p5: DecimalOut
    p50: DecimalOut
    p95: DecimalOut

    @classmethod
    def of(cls, gains: Gains, notional: Decimal) -> Self:
        return cls(**{name: _money(value, notional) for name, value in _figures(gains).items()})


class CostOut(Answer):
    """Positive is a cost. `impact_bps` is null where the feed has no volume: the sums then leave it out."""

    half_spread_bps: BpsOut
    impact_bps: BpsOut | None
    total_bps: BpsOut
    total_notional: DecimalOut


class EndOut(Answer):
    """`time` is when the window of the step ends; of a mean between two steps, that of the later one."""

    step: DecimalOut
    time: TimeOut


class QuoteStepOut(Answer):
    """`fraction` of the order that the step trades in the mean; the chance that the order ends with the step, and that
    it has ended by then."""

    step: int
    window: WindowOut
    fraction: DecimalOut
    end_probability: DecimalOut
    ended_by_probability: DecimalOut


class ParticipationOut(Answer):
    """The order's share of the volume that is expected until it ends, and in its busiest slice; means."""

    mean: DecimalOut
    busiest_slice: DecimalOut


class CalibratedOnOut(Answer):
    """The market whose orders were measured: how many of about this length, on bars from `start` to `end`."""

    market: str
    bar_seconds: int
    orders: int
    start: TimeOut
    end: TimeOut


class RestsOnOut(Answer):
    """What the quote rests on. `volatility_bps` is that of one step, from the newest `volatility_bars` of the
    `history_bars` that are known; `continuations` of the market were simulated for the pace and the end, and as of
    `as_of`, the close of the newest bar, for all of it."""

    basis: QuoteBasis
    calibrated_on: CalibratedOnOut | None
    model: str
    risk_aversion: DecimalOut
    volatility_bps: BpsOut
    volatility_bars: int
    history_bars: int
    continuations: int
    as_of: TimeOut

    @classmethod
    def of(cls, grounds: Grounds) -> Self:
        on = grounds.calibrated_on
        return cls(
            basis=grounds.basis,
            calibrated_on=None if on is None else CalibratedOnOut.model_validate(on, from_attributes=True),
            model=grounds.model,
            risk_aversion=_decimal(grounds.risk_aversion),
            volatility_bps=_decimal(grounds.volatility_bps),
            volatility_bars=grounds.volatility_bars,
            history_bars=grounds.history_bars,
            continuations=grounds.continuations,
            as_of=grounds.as_of,
        )


class QuoteOut(Answer):
    """`gain_bps` and `gain_notional` (quote currency) are against the order's benchmark, before costs and positive
    where the order does better. The mean gain is the sum of `pace_and_stop_gain_bps` and `convexity_gain_bps`, what a
    fixed notional earns (a buy) or loses (a sell) by being fixed. `net_gain_bps` is the mean gain less the costs. Of
    `quantity` and `notional` the one that the order fixes is exact, the other an estimate at `last_price`.
    `filled_fraction` is the mean share of the order that is traded by its end. `participation` is null where the feed
    has no volume."""

    model_config = ConfigDict(json_schema_extra={"examples": [OUT_EXAMPLE]})

    instrument: str
    side: Side
    benchmark: Benchmark
    quantity: DecimalOut
    notional: DecimalOut
    last_price: DecimalOut
    gain_bps: GainOut
    gain_notional: GainNotionalOut
    pace_and_stop_gain_bps: BpsOut
    convexity_gain_bps: BpsOut
    cost: CostOut
    net_gain_bps: BpsOut
    earliest_end: EndOut
    expected_end: EndOut
    latest_end: EndOut
    filled_fraction: DecimalOut
    participation: ParticipationOut | None
    steps: list[QuoteStepOut]
    rests_on: RestsOnOut
    warnings: list[QuoteWarning]

    @classmethod
    def of(cls, quoted: OrderQuote) -> Self:
        order, quote, windows = quoted.order, quoted.quote, quoted.windows
        amounts = amounts_at(order.size_mode, order.size, quote.last_price)
        return cls(
            instrument=order.instrument,
            side=order.side,
            benchmark=order.benchmark,
            quantity=amounts.quantity,
            notional=amounts.notional,
            last_price=quote.last_price,
            gain_bps=GainOut.of(quote.gain_bps),
            gain_notional=GainNotionalOut.of(quote.gain_bps, quote.notional),
            pace_and_stop_gain_bps=_decimal(quote.pace_and_stop_gain_bps),
            convexity_gain_bps=_decimal(quote.convexity_gain_bps),
            cost=_cost(quote),
            net_gain_bps=_decimal(quote.gain_bps.mean - quote.cost_bps),
            earliest_end=_end(order.horizon.min_steps, windows),
            expected_end=_end(quote.expected_end_step, windows),
            latest_end=_end(order.horizon.max_steps, windows),
            filled_fraction=_decimal(quote.filled_fraction, FRACTION_DIGITS),
            participation=_participation(quote),
            steps=_steps(quote, windows),
            rests_on=RestsOnOut.of(quote.grounds),
            warnings=list(quote.warnings),
        )


def _figures(gains: Gains) -> dict[str, float]:
    quantiles = {name: gains.quantile(level) for name, level in (("p5", 0.05), ("p50", 0.5), ("p95", 0.95))}
    return {"mean": gains.mean, "std": gains.std, **quantiles}


def _steps(quote: Quote, windows: tuple[Window, ...]) -> list[QuoteStepOut]:
    columns = (windows, quote.fraction, quote.end_probability, accumulate(quote.end_probability))
    return [
        QuoteStepOut(
            step=step,
            window=WindowOut(start=window.start, end=window.end),
            fraction=_decimal(fraction, FRACTION_DIGITS),
            end_probability=_decimal(end_probability, FRACTION_DIGITS),
            ended_by_probability=_decimal(ended_by_probability, FRACTION_DIGITS),
        )
        for step, (window, fraction, end_probability, ended_by_probability) in enumerate(zip(*columns, strict=True), 1)
    ]


def _end(step: float, windows: tuple[Window, ...]) -> EndOut:
    within = min(max(1, math.ceil(step)), len(windows))
    return EndOut(step=_decimal(step, STEP_DIGITS), time=windows[within - 1].end)


def _cost(quote: Quote) -> CostOut:
    return CostOut(
        half_spread_bps=_decimal(quote.half_spread_bps),
        impact_bps=None if quote.impact_bps is None else _decimal(quote.impact_bps),
        total_bps=_decimal(quote.cost_bps),
        total_notional=_money(quote.cost_bps, quote.notional),
    )


def _participation(quote: Quote) -> ParticipationOut | None:
    if quote.participation is None or quote.busiest_participation is None:
        return None
    return ParticipationOut(
        mean=_decimal(quote.participation, SHARE_DIGITS),
        busiest_slice=_decimal(quote.busiest_participation, SHARE_DIGITS),
    )


def _decimal(value: float, digits: int = BPS_DECIMALS) -> Decimal:
    return Decimal(repr(round(value, digits)))


def _money(bps: float, notional: Decimal) -> Decimal:
    """So many bps of an order that is worth `notional`, in quote currency."""
    return round(notional * Decimal(repr(bps)) / BPS, MONEY_DIGITS)
