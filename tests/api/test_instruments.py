"""Instruments are registered once, and protected while orders stand on them."""

from __future__ import annotations

import re
from pathlib import Path

import httpx

from app.api.orders.routes import CURSOR
from tests.api.conftest import serving
from tests.api.wire import HISTORY, SYMBOL, Json, bar_json, bars_json, instrument_json, next_slice, prepared, sent
from tests.builders import a_bar, bars

FULL = {
    "symbol": SYMBOL,
    "bar_seconds": 900,
    "lot_size": "0.01",
    "tick_size": "0.01",
    "min_notional": "0",
    "notional_step": "0.01",
    "calendar": "24/7",
    "grace_seconds": None,
    "max_order_notional": None,
}


async def terms_of(client: httpx.AsyncClient, path: str = f"/v1/instruments/{SYMBOL}") -> Json:
    """What one instrument is asked for answers, but for what came of its bars."""
    answer: Json = (await client.get(path)).json()
    return {name: value for name, value in answer.items() if name != "quality"}


async def test_the_first_put_creates_and_the_same_again_does_not(client: httpx.AsyncClient) -> None:
    first = await client.put(f"/v1/instruments/{SYMBOL}", json=instrument_json())
    again = await client.put(f"/v1/instruments/{SYMBOL}", json=instrument_json())

    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == again.json() == FULL


async def test_what_was_put_is_listed_and_found(client: httpx.AsyncClient) -> None:
    await client.put(f"/v1/instruments/{SYMBOL}", json=instrument_json())

    listed = await client.get("/v1/instruments")

    assert listed.json() == {"instruments": [FULL]}
    assert await terms_of(client) == FULL


async def test_a_live_order_keeps_its_instrument_as_it_is(client: httpx.AsyncClient) -> None:
    await prepared(client)
    await sent(client)

    response = await client.put(f"/v1/instruments/{SYMBOL}", json=instrument_json(lot_size="1"))

    assert (response.status_code, response.json()["code"]) == (409, "instrument_in_use")
    assert await terms_of(client) == FULL


async def test_a_grace_is_answered_back_and_may_change_under_live_orders(client: httpx.AsyncClient) -> None:
    await prepared(client)
    await sent(client)

    response = await client.put(f"/v1/instruments/{SYMBOL}", json=instrument_json(grace_seconds=12.5))

    assert (response.status_code, response.json()["grace_seconds"]) == (200, 12.5)
    assert await terms_of(client) == FULL | {"grace_seconds": 12.5}


async def test_a_symbol_with_a_slash_is_one_symbol_everywhere(client: httpx.AsyncClient) -> None:
    """In a path the slash is written %2F; in bodies, queries and cursors it stands as it is."""
    symbol, path = "BTC/USDT", "/v1/instruments/BTC%2FUSDT"
    assert (await client.put(path, json=instrument_json())).status_code == 201
    assert (await client.post("/v1/bars", json=bars_json(bars(HISTORY), symbol))).json()["accepted"] == HISTORY
    orders = [await sent(client, instrument=symbol, client_order_id=name) for name in ("oms-1", "oms-2")]

    first = (await client.get("/v1/orders", params={"instrument": symbol, "limit": 1})).json()
    second = (await client.get("/v1/orders", params={"limit": 1, "cursor": first["next_cursor"]})).json()

    assert await terms_of(client, path) == FULL | {"symbol": symbol}
    assert first["orders"] + second["orders"] == orders
    assert re.search(CURSOR, first["next_cursor"])
    assert (await next_slice(client, orders[0]["order_id"]))["slice"]["step"] == 1
    metrics = (await client.get("/metrics")).text
    assert 'lem_bars_ingested_total{instrument="BTC/USDT"} 160.0' in metrics
    assert 'route="/v1/instruments/{symbol}"' in metrics


async def test_an_instrument_is_deleted_once_and_kept_while_orders_stand_on_it(client: httpx.AsyncClient) -> None:
    path = f"/v1/instruments/{SYMBOL}"
    await prepared(client)
    order = await sent(client)

    in_use = await client.delete(path)
    await client.post(f"/v1/orders/{order['order_id']}/cancel")
    still_in_flight = await client.delete(path)
    await client.post("/v1/bars", json=bars_json(bars(HISTORY + 1)[HISTORY:]))
    deleted, again = await client.delete(path), await client.delete(path)

    assert (in_use.status_code, in_use.json()["code"]) == (409, "instrument_in_use")
    assert f"1 order stands on {SYMBOL} (1 working): {order['order_id']}" in in_use.json()["detail"]
    assert "(1 ended and still in flight)" in still_in_flight.json()["detail"]
    assert (deleted.status_code, deleted.content) == (204, b"")
    assert (again.status_code, again.json()["code"]) == (404, "unknown_instrument")
    assert (await client.get(path)).status_code == 404
    assert (await client.get("/v1/bars", params={"instrument": SYMBOL})).status_code == 404
    assert (await client.get(f"/v1/orders/{order['order_id']}")).json()["status"] == "cancelled"
    assert (await client.delete("/v1/instruments/{odd}")).status_code == 404
    assert (await client.put(path, json=instrument_json())).status_code == 201


async def test_an_instrument_tells_what_came_of_its_bars_after_a_restart_too(tmp_path: Path) -> None:
    async with serving(tmp_path) as client:
        await prepared(client, history=3)
        await client.post("/v1/bars", json=bars_json([*bars(3)[2:], a_bar(4)]))
        refused = await client.post("/v1/bars", json={"bars": [bar_json(a_bar(5), high="1")]})
        told = (await client.get(f"/v1/instruments/{SYMBOL}")).json()["quality"]
        seen = (await client.get("/metrics")).text
    async with serving(tmp_path) as client:
        again = (await client.get(f"/v1/instruments/{SYMBOL}")).json()["quality"]

    zero = dict.fromkeys(("revised", "older", "late", "out_of_order", "implausible_moves"), 0)
    assert refused.status_code == 422
    assert told == zero | {"accepted": 4, "duplicates": 1, "gaps_filled": 1, "refused": {"high_below_low": 1}}
    assert again == told
    assert f'lem_bars_odd_total{{instrument="{SYMBOL}",kind="duplicates"}} 1.0' in seen
    assert f'lem_bars_odd_total{{instrument="{SYMBOL}",kind="refused"}} 1.0' in seen
    assert 'lem_bars_refused_total{code="high_below_low"} 1.0' in seen
