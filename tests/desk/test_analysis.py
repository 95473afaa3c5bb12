"""The analysis shows what the interface answers about costs, by what orders have in common, and gives it as a file."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence
from html import unescape

import httpx
import pytest

from app.access.api_keys import Scope
from app.desk.numerals import bps
from tests.api.conftest import client, keyed, keyless
from tests.api.keyed import Keyed
from tests.api.wire import HISTORY, bars_json, prepared, sent
from tests.builders import at, bars

__all__ = ["client", "keyed", "keyless"]

LATER = bars(HISTORY + 40)[HISTORY:]


async def ended(client: httpx.AsyncClient, *terms: dict[str, object]) -> list[str]:
    """The ids of orders that have ended, one for each of the terms."""
    await prepared(client)
    ids = [str((await sent(client, client_order_id=f"oms-{n}", **each))["order_id"]) for n, each in enumerate(terms)]
    await client.post("/v1/bars", json=bars_json(LATER))
    return ids


def rows(page: str, dimension: str) -> dict[str, list[str]]:
    """The cells of a table behind its first column, as text, by that."""
    found = re.search(rf'<tbody id="by-{dimension}">(.*?)</tbody>', page, re.DOTALL)
    assert found, f"there is no table by {dimension}"
    lines = [re.findall(r"<t[hd].*?</t[hd]>", line, re.DOTALL) for line in found[1].split("</tr>") if "<td" in line]
    return {text(line[0]).removesuffix(" few"): [text(cell) for cell in line[1:]] for line in lines}


def text(cell: str) -> str:
    return unescape(re.sub(r"<[^>]*>", "", cell)).strip()


BUY_AND_SELL: Sequence[dict[str, object]] = (
    {"horizon": {"min_steps": 6, "max_steps": 12}},
    {"side": "sell", "benchmark": "twap", "horizon": {"min_steps": 6, "max_steps": 12}},
    {"side": "sell", "quantity": None, "notional": "1000"},
)


async def test_the_figures_are_those_of_the_interface(client: httpx.AsyncClient) -> None:
    await ended(client, *BUY_AND_SELL)
    sells = (await client.get("/v1/tca", params={"side": "sell"})).json()["all"]["figures"]

    page = (await client.get("/desk/analysis")).text

    row = rows(page, "side")["sell"]
    assert row[0] == "2"
    assert row[2:8] == [
        *(bps(float(sells["slippage_bps"][name])) for name in ("mean", "p5", "p95")),
        *(bps(float(sells[f"{part}_gain_bps"]["mean"])) for part in ("stop", "pace", "convexity")),
    ]
    assert set(rows(page, "benchmark")) == {"vwap", "twap"}
    assert set(rows(page, "horizon")) == {"6 to 12 steps", "1 to 12 steps"}
    assert next(iter(rows(page, "model"))).startswith("lem-2@")


async def test_a_mark_says_in_words_what_it_draws(client: httpx.AsyncClient) -> None:
    await ended(client, *BUY_AND_SELL)

    page = (await client.get("/desk/analysis")).text

    told = re.findall(r'class="spread"[^>]*aria-label="([^"]*)"', page)
    assert len(told) == 1 + 2 + 2 + 1 + 2
    assert all("median" in each for each in told)


async def test_without_orders_the_page_says_so(client: httpx.AsyncClient) -> None:
    page = (await client.get("/desk/analysis?side=nonsense&since=soon")).text

    assert "No order fits yet" in page


@pytest.mark.parametrize(("group", "members"), [("buy", [0]), ("1 to 12 steps", [2]), ("6 to 12 steps", [0, 1])])
async def test_a_group_leads_to_its_orders(client: httpx.AsyncClient, group: str, members: list[int]) -> None:
    ids = await ended(client, *BUY_AND_SELL)
    page = (await client.get("/desk/analysis")).text
    link = re.search(rf'href="(/desk/analysis\?[^"]*)">{group}<', page)
    assert link

    narrowed = (await client.get(unescape(link[1]))).text

    found = re.findall(r'row-link"[^>]* href="/desk/orders/([^"]*)"', narrowed)
    assert sorted(found) == sorted(ids[member] for member in members)


async def test_orders_that_no_model_has_decided_have_no_link(client: httpx.AsyncClient) -> None:
    await prepared(client)
    await sent(client, client_order_id="waits", start_time=at(HISTORY + 10).isoformat())

    page = (await client.get("/desk/analysis")).text

    assert set(rows(page, "model")) == {"none"}
    assert "model=none" not in page


async def test_steps_that_make_no_sense_are_left_out(client: httpx.AsyncClient) -> None:
    ids = await ended(client, {})

    page = (await client.get("/desk/analysis?min_steps=0&max_steps=99999999")).text

    assert ids[0] in page


@pytest.mark.parametrize(
    ("query", "count"), [("since=2025-01-01", 2), ("since=2031-01-01", 0), ("until=2025-01-01", 0), ("side=buy", 1)]
)
async def test_the_export_has_the_orders_of_the_page(client: httpx.AsyncClient, query: str, count: int) -> None:
    await ended(client, *BUY_AND_SELL[:2])

    answer = await client.get(f"/desk/analysis/orders?as=csv&{query}")

    found = list(csv.DictReader(io.StringIO(answer.text)))
    assert answer.headers["content-disposition"] == 'attachment; filename="orders.csv"'
    assert len(found) == count


async def test_the_export_is_the_table_of_the_interface(client: httpx.AsyncClient) -> None:
    await ended(client, *BUY_AND_SELL)
    accept = "application/vnd.apache.parquet"
    expected = (await client.get("/v1/tca", headers={"accept": accept})).content

    answer = await client.get("/desk/analysis/orders?as=parquet")

    assert answer.headers["content-type"] == accept
    assert answer.content == expected


async def test_an_account_s_key_analyses_its_own_orders(keyed: Keyed) -> None:
    keyed.client.headers.update(await keyed.key())
    await ended(keyed.client, {"account": "desk-1"})
    own = await keyed.key(Scope.READ, account="desk-1")
    other = await keyed.key(Scope.READ, account="desk-2")

    assert "oms-0" in (await keyed.client.get("/desk/analysis", headers=own)).text
    assert "oms-0" not in (await keyed.client.get("/desk/analysis", headers=other)).text
    assert "oms-0" not in (await keyed.client.get("/desk/analysis/orders", headers=other)).text
    assert "oms-0" not in (await keyed.client.get("/desk/ended", headers=other)).text


async def test_ended_orders_are_listed_with_why_they_ended(client: httpx.AsyncClient) -> None:
    ids = await ended(client, *BUY_AND_SELL)
    order = (await client.get(f"/v1/orders/{ids[0]}")).json()

    page = (await client.get("/desk/ended")).text

    assert bps(float(order["slippage_bps"])) in page
    assert f'data-label="Ended by">{order["stop_reason"].replace("_", " ")}<' in page
    assert "No cancelled order" in (await client.get("/desk/ended?status=cancelled")).text


async def test_ended_orders_come_a_page_at_a_time(client: httpx.AsyncClient) -> None:
    ids = await ended(client, *[{} for _ in range(60)])

    first = (await client.get("/desk/ended?cursor=nonsense")).text
    following = re.search(r'href="(/desk/ended\?[^"]*cursor=[^"]*)">Next', first)
    assert following
    second = (await client.get(unescape(following[1]))).text

    shown = [re.findall(r'row-link"[^>]* href="/desk/orders/([^"]*)"', page) for page in (first, second)]
    assert [len(each) for each in shown] == [50, 10]
    assert shown[0] + shown[1] == ids
    assert "Next" not in second
