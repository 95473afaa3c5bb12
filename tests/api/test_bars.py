"""Bars come as one document or as lines; both are all or nothing, and idempotent."""

from __future__ import annotations

import json

import httpx

from app.api.bars import BARS_MAX
from tests.api.wire import SYMBOL, bar_json, bars_json, instrument_json, prepared
from tests.builders import a_bar, bars

NDJSON = {"content-type": "application/x-ndjson"}


async def test_a_repeated_request_changes_nothing_and_says_so(client: httpx.AsyncClient) -> None:
    await client.put(f"/v1/instruments/{SYMBOL}", json=instrument_json())
    body = bars_json(bars(3))

    first = await client.post("/v1/bars", json=body)
    again = await client.post("/v1/bars", json=body)

    assert first.json() == {"accepted": 3, "duplicates": 0, "gaps_filled": 0, "revised": 0}
    assert again.json() == {"accepted": 0, "duplicates": 3, "gaps_filled": 0, "revised": 0}


async def test_a_missing_bar_is_filled_and_counted(client: httpx.AsyncClient) -> None:
    await prepared(client, history=3)

    response = await client.post("/v1/bars", json=bars_json([a_bar(5)]))

    assert response.json() == {"accepted": 1, "duplicates": 0, "gaps_filled": 2, "revised": 0}


async def test_lines_of_bars_are_bars(client: httpx.AsyncClient) -> None:
    await client.put(f"/v1/instruments/{SYMBOL}", json=instrument_json())
    lines = "\n".join(json.dumps(bar_json(bar)) for bar in bars(5)) + "\n\n"

    response = await client.post("/v1/bars", content=lines, headers=NDJSON)

    assert response.json() == {"accepted": 5, "duplicates": 0, "gaps_filled": 0, "revised": 0}


async def test_a_wrong_line_refuses_all_lines_and_is_pointed_at(client: httpx.AsyncClient) -> None:
    await client.put(f"/v1/instruments/{SYMBOL}", json=instrument_json())
    lines = json.dumps(bar_json(a_bar(0))) + "\n" + json.dumps(bar_json(a_bar(1), volume=-1))

    refused = await client.post("/v1/bars", content=lines, headers=NDJSON)
    after = await client.post("/v1/bars", json=bars_json([a_bar(0)]))

    assert refused.status_code == 422
    assert refused.json()["errors"][0]["pointer"] == "#/bars/1/volume"
    assert after.json()["accepted"] == 1


async def test_a_request_has_a_bound_on_its_bars(client: httpx.AsyncClient) -> None:
    lines = "{}\n" * (BARS_MAX + 1)

    as_lines = await client.post("/v1/bars", content=lines, headers=NDJSON)
    as_document = await client.post("/v1/bars", json={"bars": [{}] * (BARS_MAX + 1)})

    assert (as_lines.status_code, as_lines.json()["code"]) == (422, "too_many")
    assert as_document.status_code == 422


async def test_bars_of_several_instruments_travel_together(client: httpx.AsyncClient) -> None:
    for symbol in ("A", "B"):
        await client.put(f"/v1/instruments/{symbol}", json=instrument_json())
    both = [bar_json(a_bar(step), symbol) for step in range(2) for symbol in ("A", "B")]

    response = await client.post("/v1/bars", json={"bars": both})

    assert response.json()["accepted"] == 4
