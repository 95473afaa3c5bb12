"""The use case of an OMS that asks what an order may earn and cost before it sends the order."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from app.decision.market import seen_bars
from app.decision.quotes.asked import QuotedOrder
from app.domain.costs import Costs
from app.domain.errors import Conflict, InvalidInput, Unavailable
from app.domain.numbers import ZERO
from app.domain.order import AskedOrder, Order
from app.domain.quote import Quote
from app.domain.slice import Window
from app.domain.state import OrderState
from app.engine.instruments.avoided_windows import steps_ahead
from app.engine.instruments.live import LiveInstrument
from app.engine.models.choice import Models
from app.engine.orders import OrderEntry
from app.engine.stages.decide import QUOTE_SECONDS_MAX, Decider

HISTORY_MIN = 13
"""The fewest bars whose volatility means anything: the length of the shortest horizon that is traded much."""
QUOTES_WAITING_MAX = 16
"""A quote may take a third of a second: more of them would not be answered in time. Over HTTP, fewer come this far."""
IMPACT_DEFAULT = 1.0
"""The factor of the square-root law as it is found in markets."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderQuote:
    """The quote of an order, and the windows of its steps."""

    order: Order
    quote: Quote
    windows: tuple[Window, ...]


class Quotes:
    def __init__(self, orders: OrderEntry, decider: Decider, models: Models) -> None:
        self._orders = orders
        self._decider = decider
        self._models = models
        self._waiting = 0

    async def quote(
        self, order: AskedOrder, *, half_spread_bps: Decimal | None = None, impact: Decimal | None = None
    ) -> OrderQuote:
        """What the order may earn and cost, were it sent now. Nothing is recorded.

        Without `half_spread_bps` the spread counts as one tick, the least that it can be; without `impact` the factor
        of the square-root law is `IMPACT_DEFAULT`. Raises what `submit` does of the order and its instrument,
        InvalidInput("negative"), Conflict("history_too_short"), Unavailable("too_many_quotes" | "quote_too_slow").
        """
        _require_not_negative(half_spread_bps=half_spread_bps, impact=impact)
        if self._waiting >= QUOTES_WAITING_MAX:
            raise Unavailable("too_many_quotes", f"{QUOTES_WAITING_MAX} quotes wait already; repeat the call")
        self._waiting += 1
        try:
            live, state = await self._orders.as_it_would_begin(order)
            asked = self._asked(live, state, half_spread_bps, impact)
            return OrderQuote(
                order=state.order, quote=await self._decider.quote(live, asked), windows=tuple(_windows(live, asked))
            )
        except TimeoutError:
            raise Unavailable("quote_too_slow", f"no quote within {QUOTE_SECONDS_MAX:g} s; repeat the call") from None
        finally:
            self._waiting -= 1

    def _asked(
        self, live: LiveInstrument, state: OrderState, half_spread_bps: Decimal | None, impact: Decimal | None
    ) -> QuotedOrder:
        step_seconds = live.step_seconds_of(state.order)
        _require_history(live, step_seconds)
        half_tick_bps = float(live.instrument.tick_size / live.last.close) / 2.0 * 1e4
        chain = self._models.of(state.bundle) or self._models.own
        return QuotedOrder(
            state=state,
            step_seconds=step_seconds,
            windows_unseen=live.windows_unseen(state.next_open, step_seconds),
            risk_aversion=chain.risk_aversions.of(state.order.risk_aversion),
            steps=steps_ahead(state, live, state.next_open),
            costs=Costs(
                half_spread_bps=half_tick_bps if half_spread_bps is None else float(half_spread_bps),
                impact=IMPACT_DEFAULT if impact is None else float(impact),
            ),
        )


def _require_not_negative(**costs: Decimal | None) -> None:
    for name, value in costs.items():
        if value is not None and value < ZERO:
            raise InvalidInput("negative", f"{name} is {value}; it must be at least 0", f"#/costs/{name}")


def _require_history(live: LiveInstrument, step_seconds: int) -> None:
    seen = int(seen_bars(live.bar_window(step_seconds).bars)[0])
    if seen < HISTORY_MIN:
        raise Conflict(
            "history_too_short",
            f"{live.symbol} has {seen} bars of {step_seconds} s; a quote needs at least {HISTORY_MIN}",
            "#/instrument",
        )


def _windows(live: LiveInstrument, asked: QuotedOrder) -> Iterator[Window]:
    opens = asked.state.next_open
    for _ in range(asked.order.horizon.max_steps):
        window = live.window_from(opens, asked.step_seconds)
        yield window
        opens = window.end
