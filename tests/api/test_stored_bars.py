"""`GET /v1/bars`: what is stored of an instrument, newest first, a page at a time."""

from __future__ import annotations

import httpx

from tests.api.wire import SYMBOL, bar_json, bars_json, instrument_json, prepared
from tests.builders import a_bar, at, bars


async def listed(client: httpx.AsyncClient, **wanted: str | int) -> httpx.Response:
    return await client.get("/v1/bars", params={"instrument": SYMBOL, **wanted})


async def test_stored_bars_are_told_newest_first_with_all_that_was_sent(client: httpx.AsyncClient) -> None:
    await prepared(client, history=3)

    page = (await listed(client)).json()

    newest = bars(3)[-1]
    told = bar_json(newest)
    assert [each["open_time"] for each in page["bars"]] == [f"{at(n):%Y-%m-%dT%H:%M:%SZ}" for n in (2, 1, 0)]
    assert (page["instrument"], page["next_before"]) == (SYMBOL, None)
    assert page["bars"][0]["close_time"] == f"{at(3):%Y-%m-%dT%H:%M:%SZ}"
    assert page["bars"][0]["trades"] == newest.trades
    for name in ("open", "high", "low", "close", "volume", "notional"):
        assert float(page["bars"][0][name]) == float(told[name])


async def test_pages_follow_on_one_another_without_a_bar_twice_or_missing(client: httpx.AsyncClient) -> None:
    await prepared(client, history=7)

    found: list[list[str]] = []
    page = (await listed(client, limit=3)).json()
    found.append([each["open_time"] for each in page["bars"]])
    while page["next_before"]:
        page = (await listed(client, limit=3, before=page["next_before"])).json()
        found.append([each["open_time"] for each in page["bars"]])

    assert [len(each) for each in found] == [3, 3, 1]
    assert [each for opens in found for each in opens] == [f"{at(n):%Y-%m-%dT%H:%M:%SZ}" for n in range(6, -1, -1)]


async def test_a_bar_that_stands_for_a_missing_one_is_marked(client: httpx.AsyncClient) -> None:
    await prepared(client, history=2)
    await client.post("/v1/bars", json=bars_json([a_bar(3)]))

    page = (await listed(client, limit=3)).json()

    assert [each["synthetic"] for each in page["bars"]] == [False, True, False]
    assert page["bars"][1]["volume"] == "0"
    assert page["bars"][1]["close"] == page["bars"][2]["close"]


WRONG: list[tuple[dict[str, str], int, str, str | None]] = [
    ({"instrument": "NOBODY"}, 404, "unknown_instrument", None),
    ({}, 422, "field_missing", "instrument"),
    ({"instrument": SYMBOL, "limit": "0"}, 422, "out_of_range", "limit"),
    ({"instrument": SYMBOL, "limit": "1001"}, 422, "out_of_range", "limit"),
    ({"instrument": SYMBOL, "limit": "some"}, 422, "wrong_type", "limit"),
    ({"instrument": SYMBOL, "before": "yesterday"}, 422, "bad_time", "before"),
    ({"instrument": SYMBOL, "before": "2025-01-06T00:00:00"}, 422, "naive_time", "before"),
    ({"instrument": SYMBOL, "after": "2025-01-06T00:00:00Z"}, 422, "unknown_field", "after"),
]


async def test_a_wrong_question_for_bars_names_what_is_wrong(client: httpx.AsyncClient) -> None:
    await client.put(f"/v1/instruments/{SYMBOL}", json=instrument_json())
    assert (await listed(client)).json() == {"instrument": SYMBOL, "bars": [], "next_before": None}

    for query, status, code, parameter in WRONG:
        problem = (await client.get("/v1/bars", params=query)).json()

        assert (problem["status"], problem["code"]) == (status, code)
        assert [each["parameter"] for each in problem.get("errors", [])] == ([parameter] if parameter else [])
