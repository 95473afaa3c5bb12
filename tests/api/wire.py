"""Valid JSON with defaults, and a client that says which problem it met."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import httpx

from app.domain.bar import Bar
from tests.builders import bars

Json = dict[str, Any]

SYMBOL = "BTC-USDT"
HISTORY = 160
"""Bars: more than the least history of the shipped model, so that it decides."""


def instrument_json(**changes: Any) -> Json:
    return {"bar_seconds": 900, "lot_size": "0.01", "tick_size": "0.01"} | changes


def bar_json(bar: Bar, instrument: str = SYMBOL, **changes: Any) -> Json:
    known = {name: getattr(bar, name) for name in ("open", "high", "low", "close", "volume", "notional")}
    numbers = {name: f"{value:f}" for name, value in known.items() if value is not None}
    times = {"instrument": instrument, "open_time": bar.open_time.isoformat(), "trades": bar.trades}
    return {name: value for name, value in (times | numbers | changes).items() if value is not None}


def bars_json(made: Iterable[Bar], instrument: str = SYMBOL) -> Json:
    return {"bars": [bar_json(bar, instrument) for bar in made]}


def order_json(**changes: Any) -> Json:
    """Buy 10 against VWAP within 1..12 steps; a change to None takes a field away."""
    defaults: Json = {
        "client_order_id": "oms-1",
        "instrument": SYMBOL,
        "side": "buy",
        "quantity": "10",
        "benchmark": "vwap",
        "horizon": {"min_steps": 1, "max_steps": 12},
    }
    return {name: value for name, value in (defaults | changes).items() if value is not None}


async def prepared(client: httpx.AsyncClient, history: int = HISTORY, symbol: str = SYMBOL) -> httpx.AsyncClient:
    """With the instrument registered and bars 0..history-1 posted."""
    assert (await client.put(f"/v1/instruments/{symbol}", json=instrument_json())).status_code == 201
    assert (await client.post("/v1/bars", json=bars_json(bars(history), symbol))).status_code == 200
    return client


async def sent(client: httpx.AsyncClient, **changes: Any) -> Json:
    """An order just accepted."""
    response = await client.post("/v1/orders", json=order_json(**changes))
    assert response.status_code == 201, response.text
    answer: Json = response.json()
    return answer


async def next_slice(client: httpx.AsyncClient, order_id: str, wait: float = 0) -> Json:
    response = await client.get(f"/v1/orders/{order_id}/slices/next", params={"wait": wait})
    assert response.status_code == 200, response.text
    answer: Json = response.json()
    return answer
