"""A quote on the wire."""

from __future__ import annotations

from typing import Self

from pydantic import ConfigDict

from app.api.orders.bodies import ONE_SIZE, OrderIn
from app.api.orders.example import EXAMPLE
from app.api.quotes.example import OUT_EXAMPLE
from app.api.quotes.parts import (
    FRACTION_DIGITS,
    CostOut,
    EndOut,
    GainNotionalOut,
    GainOut,
    ParticipationOut,
    QuoteStepOut,
    RestsOnOut,
    cost_of,
    end_of,
    participation_of,
    rounded,
    steps_of,
)
from app.api.values import Answer, BpsOut, DecimalOut, Edge, Name, NotNegativeIn
from app.domain.order import Benchmark, Side
from app.domain.quote import QuoteWarning
from app.domain.sizing import amounts_at
from app.engine.quotes import OrderQuote


class CostsIn(Edge):
    """The costs of the market."""

    half_spread_bps: NotNegativeIn | None = None
    """Half the spread of the market in basis points; at least 0. Without it the spread counts as one tick."""
    impact: NotNegativeIn | None = None
    """Factor of the square-root law of impact; at least 0. It is 1 where it is not given."""


class QuoteIn(OrderIn):
    """An order's body; `client_order_id` may be left out, and means nothing here."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [EXAMPLE | {"costs": {"half_spread_bps": "0.5", "impact": "1"}}],
            **ONE_SIZE,
        }
    )

    client_order_id: Name = "quote"
    """May be left out; means nothing here."""
    costs: CostsIn = CostsIn()
    """The costs of the market, where they are known."""


class QuoteOut(Answer):
    """What an order may earn and cost, were it sent now. Gains are against the order's benchmark, and positive where
    the order does better. The mean gain is the sum of `pace_and_stop_gain_bps` and `convexity_gain_bps`."""

    model_config = ConfigDict(json_schema_extra={"examples": [OUT_EXAMPLE]})

    instrument: str
    """Symbol of the instrument."""
    side: Side
    """Whether the order buys or sells."""
    benchmark: Benchmark
    """What the gain is held against."""
    quantity: DecimalOut
    """Size in base units: exact where the order fixes it, else an estimate at `last_price`."""
    notional: DecimalOut
    """Size in quote currency: exact where the order fixes it, else an estimate at `last_price`."""
    last_price: DecimalOut
    """Last close, in quote currency."""
    gain_bps: GainOut
    """Distribution of the gain before costs, in basis points; positive where the order does better than its benchmark.
    """
    gain_notional: GainNotionalOut
    """The same in quote currency, for the order's worth at `last_price`."""
    pace_and_stop_gain_bps: BpsOut
    """Part of the mean gain that the pace and the stop earn, in basis points."""
    convexity_gain_bps: BpsOut
    """Part of the mean gain that a fixed notional earns (a buy) or loses (a sell) by being fixed, in basis points; 0
    for a fixed quantity."""
    cost: CostOut
    """What trading it costs; positive is a cost."""
    net_gain_bps: BpsOut
    """The mean gain less the costs, in basis points."""
    earliest_end: EndOut
    """End of the first step that may be the last."""
    expected_end: EndOut
    """Mean of the ends."""
    latest_end: EndOut
    """End of the last step."""
    filled_fraction: DecimalOut
    """Mean share of the order that is traded by its end, 0 to 1; below 1 where limits may leave something."""
    participation: ParticipationOut | None
    """The order's share of the market's volume; null where the feed has no volume."""
    steps: list[QuoteStepOut]
    """Every step up to `max_steps`."""
    rests_on: RestsOnOut
    """Where these figures come from."""
    warnings: list[QuoteWarning]
    """Where to trust the quote less; empty where nothing is odd."""

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
            pace_and_stop_gain_bps=rounded(quote.pace_and_stop_gain_bps),
            convexity_gain_bps=rounded(quote.convexity_gain_bps),
            cost=cost_of(quote),
            net_gain_bps=rounded(quote.gain_bps.mean - quote.cost_bps),
            earliest_end=end_of(order.horizon.min_steps, windows),
            expected_end=end_of(quote.expected_end_step, windows),
            latest_end=end_of(order.horizon.max_steps, windows),
            filled_fraction=rounded(quote.filled_fraction, FRACTION_DIGITS),
            participation=participation_of(quote),
            steps=steps_of(quote, windows),
            rests_on=RestsOnOut.of(quote.grounds),
            warnings=list(quote.warnings),
        )
