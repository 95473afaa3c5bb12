"""Instruments are registered once, and protected while orders stand on them."""

from __future__ import annotations

import httpx

from tests.api.wire import SYMBOL, instrument_json, prepared, sent

FULL = {
    "symbol": SYMBOL,
    "bar_seconds": 900,
    "lot_size": "0.01",
    "tick_size": "0.01",
    "min_notional": "0",
    "notional_step": "0.01",
    "calendar": "24/7",
    "max_order_notional": None,
}


async def test_the_first_put_creates_and_the_same_again_does_not(client: httpx.AsyncClient) -> None:
    first = await client.put(f"/v1/instruments/{SYMBOL}", json=instrument_json())
    again = await client.put(f"/v1/instruments/{SYMBOL}", json=instrument_json())

    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == again.json() == FULL


async def test_what_was_put_is_listed_and_found(client: httpx.AsyncClient) -> None:
    await client.put(f"/v1/instruments/{SYMBOL}", json=instrument_json())

    listed = await client.get("/v1/instruments")
    found = await client.get(f"/v1/instruments/{SYMBOL}")

    assert listed.json() == {"instruments": [FULL]}
    assert found.json() == FULL


async def test_a_live_order_keeps_its_instrument_as_it_is(client: httpx.AsyncClient) -> None:
    await prepared(client)
    await sent(client)

    response = await client.put(f"/v1/instruments/{SYMBOL}", json=instrument_json(lot_size="1"))

    assert (response.status_code, response.json()["code"]) == (409, "instrument_in_use")
    assert (await client.get(f"/v1/instruments/{SYMBOL}")).json() == FULL
