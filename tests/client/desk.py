"""Orders, instruments and bars as the client knows them: valid, with defaults."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from lem_client import Bar, Benchmark, Horizon, Instrument, NewOrder, Side
from tests import builders
from tests.api.wire import SYMBOL


def an_instrument(**changes: Any) -> Instrument:
    defaults: dict[str, Any] = {
        "symbol": SYMBOL,
        "bar_seconds": builders.BAR_SECONDS,
        "lot_size": Decimal("0.01"),
        "tick_size": Decimal("0.01"),
    }
    return Instrument(**(defaults | changes))


def bars(count: int, *, first: int = 0, instrument: str = SYMBOL) -> list[Bar]:
    """Consecutive bars from number `first` on."""
    names = ("open_time", "open", "high", "low", "close", "volume", "notional", "trades")
    made = builders.bars(first + count)[first:]
    return [Bar(instrument=instrument, **{name: getattr(bar, name) for name in names}) for bar in made]


def an_order(**changes: Any) -> NewOrder:
    """Buy 10 against VWAP within 1..12 steps."""
    defaults: dict[str, Any] = {
        "client_order_id": "oms-1",
        "instrument": SYMBOL,
        "side": Side.BUY,
        "quantity": Decimal(10),
        "benchmark": Benchmark.VWAP,
        "horizon": Horizon(min_steps=1, max_steps=12),
    }
    return NewOrder(**(defaults | changes))
