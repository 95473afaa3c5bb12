"""The page of operations says how feeds, bundles, processes and the store are, and what it does not know."""

from __future__ import annotations

import re
from html import unescape
from pathlib import Path

import httpx
import pytest

from app.access.api_keys import Scope
from app.settings import ClockKind
from tests.api.conftest import client, keyed, keyless, serving
from tests.api.keyed import Keyed
from tests.api.wire import HISTORY, SYMBOL, bars_json, instrument_json, prepared, sent
from tests.builders import bars

__all__ = ["client", "keyed", "keyless"]


def row(page: str, symbol: str) -> list[str]:
    """The cells of an instrument's row, as text."""
    found = re.search(rf'<tr id="feed-{symbol}">(.*?)</tr>', page, re.DOTALL)
    assert found, f"{symbol} is not on the page"
    return [
        unescape(re.sub(r"<[^>]*>", "", each)).strip() for each in re.findall(r"<t[hd].*?</t[hd]>", found[1], re.DOTALL)
    ]


async def test_a_service_without_instruments_says_so(client: httpx.AsyncClient) -> None:
    page = (await client.get("/desk/operations")).text

    assert "The service decides" in page
    assert "No instrument is registered" in page
    assert "decides for all instruments" in page


async def test_an_instrument_is_shown_with_what_came_of_its_bars(client: httpx.AsyncClient) -> None:
    await prepared(client)
    await sent(client)
    missing = bars(HISTORY + 4)[HISTORY + 3 :]
    await client.post("/v1/bars", json=bars_json(missing))
    quality = (await client.get(f"/v1/instruments/{SYMBOL}")).json()["quality"]

    cells = row((await client.get("/desk/operations")).text, SYMBOL)

    assert quality["gaps_filled"] == 3
    assert cells[:2] == [SYMBOL, "in time"]
    assert cells[4:8] == ["3", str(quality["late"]), "0", "1"]


async def test_a_feed_that_does_not_come_is_silent_and_stands_first(tmp_path: Path) -> None:
    """By the clock on the wall, the bars of the past are long overdue."""
    async with serving(tmp_path, ClockKind.WALL) as client:
        for symbol in ("AAA", SYMBOL):
            await client.put(f"/v1/instruments/{symbol}", json=instrument_json())
        await client.post("/v1/bars", json=bars_json(bars(HISTORY)))

        page = (await client.get("/desk/operations")).text

        assert row(page, SYMBOL)[1] == "late"
        assert row(page, "AAA")[1] == "no bars"
        assert page.index(f"feed-{SYMBOL}") < page.index("feed-AAA")
        assert SYMBOL in (await client.get("/desk/operations?troubled=1")).text
        assert 'id="feed-AAA"' not in (await client.get("/desk/operations?troubled=1")).text


async def test_instruments_are_found_by_a_part_of_their_name_and_paged(client: httpx.AsyncClient) -> None:
    for number in range(60):
        await client.put(f"/v1/instruments/I-{number:02}", json=instrument_json())

    first = (await client.get("/desk/operations")).text
    second = (await client.get("/desk/operations?page=2")).text
    found = (await client.get("/desk/operations?q=i-59&page=nonsense")).text

    assert first.count('id="feed-') == 50
    assert second.count('id="feed-') == 10
    assert re.findall(r'id="feed-([^"]*)"', found) == ["I-59"]


async def test_the_active_bundle_and_the_shadow_are_told(client: httpx.AsyncClient) -> None:
    models = (await client.get("/v1/models")).json()["models"]
    own, other = (each["name"] for each in models)
    await client.post(f"/v1/models/{other}/shadow")

    page = (await client.get("/desk/operations")).text
    shadow = (await client.get("/desk/operations/shadow")).text

    assert re.search(rf'{re.escape(own)}</th><td><span class="tag good">active', page)
    assert re.search(rf'{re.escape(other)}</th><td> <span class="tag">shadow', page)
    assert f"Shadow {other}" in shadow
    assert "No order has been compared yet" in shadow


async def test_the_store_says_what_it_is_and_how_much_it_holds(client: httpx.AsyncClient) -> None:
    page = (await client.get("/desk/operations")).text

    assert re.search(r"Valkey \d", page)
    assert re.search(r"[\d.]+ MiB", page)


@pytest.mark.parametrize(("scope", "status"), [(Scope.READ, 200), (Scope.OPERATIONS, 200), (Scope.ORDERS, 403)])
async def test_who_may_read_models_sees_the_page(keyed: Keyed, scope: Scope, status: int) -> None:
    answer = await keyed.client.get("/desk/operations", headers=await keyed.key(scope))

    assert answer.status_code == status


async def test_a_key_of_an_account_sees_no_other_s_orders_and_no_shadow(keyed: Keyed) -> None:
    keyed.client.headers.update(await keyed.key())
    await prepared(keyed.client)
    await sent(keyed.client, account="desk-1")
    models = (await keyed.client.get("/v1/models")).json()["models"]
    await keyed.client.post(f"/v1/models/{models[1]['name']}/shadow")
    other = await keyed.key(Scope.READ, account="desk-2")

    page = (await keyed.client.get("/desk/operations", headers=other)).text
    shadow = (await keyed.client.get("/desk/operations/shadow", headers=other)).text

    assert row(page, SYMBOL)[7] == "0"
    assert row((await keyed.client.get("/desk/operations")).text, SYMBOL)[7] == "1"
    assert "covers all accounts" in shadow
