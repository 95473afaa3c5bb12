"""The desk's pages say what the interface says, and open to whom it opens."""

from __future__ import annotations

import re
from pathlib import Path

import httpx
import pytest

from app.access.api_keys import Scope
from app.desk.numerals import bps
from tests.api.conftest import client, keyed, keyless
from tests.api.keyed import Keyed
from tests.api.wire import HISTORY, bars_json, prepared, sent
from tests.builders import an_api_key, bars

__all__ = ["client", "keyed", "keyless"]

COOKIE = "lem_desk"


async def worked(client: httpx.AsyncClient, steps: int = 2, **changes: object) -> str:
    """The id of an order whose first steps have closed."""
    await prepared(client)
    order_id = str((await sent(client, horizon={"min_steps": 6, "max_steps": 12}, **changes))["order_id"])
    await client.post("/v1/bars", json=bars_json(bars(HISTORY + steps)[HISTORY:]))
    return order_id


async def test_the_blotter_shows_the_slippage_that_the_interface_answers(client: httpx.AsyncClient) -> None:
    order_id = await worked(client)
    answered = (await client.get(f"/v1/orders/{order_id}")).json()

    page = (await client.get("/desk")).text

    assert f"row-{order_id}" in page
    assert bps(float(answered["slippage_bps"])) in page


async def test_the_page_of_an_order_shows_each_slice_event_and_cost(client: httpx.AsyncClient) -> None:
    order_id = await worked(client)

    page = (await client.get(f"/desk/orders/{order_id}")).text
    events = (await client.get(f"/desk/orders/{order_id}/events")).text

    assert all(word in page for word in ("Convexity", "Pace", "Stop", "step 12", "Ends within"))
    assert events.count("slice.committed") == 3


async def test_pages_permit_no_script_or_style_but_their_own(client: httpx.AsyncClient) -> None:
    answer = await client.get("/desk")

    assert "default-src 'none'; script-src 'self'" in answer.headers["content-security-policy"]
    assert "<script>" not in answer.text
    assert " style=" not in answer.text


async def test_an_action_asks_first_and_then_moves_the_order(client: httpx.AsyncClient) -> None:
    order_id = await worked(client)

    asked = await client.get(f"/desk/orders/{order_id}/pause")
    before = (await client.get(f"/v1/orders/{order_id}")).json()["status"]
    done = await client.post(f"/desk/orders/{order_id}/pause")

    assert "Pause the order" in asked.text
    assert (before, done.status_code) == ("working", 303)
    assert (await client.get(f"/v1/orders/{order_id}")).json()["status"] == "paused"


async def test_a_foreign_page_cannot_act(client: httpx.AsyncClient) -> None:
    order_id = await worked(client)

    answer = await client.post(f"/desk/orders/{order_id}/cancel", headers={"Sec-Fetch-Site": "cross-site"})

    assert answer.status_code == 403
    assert (await client.get(f"/v1/orders/{order_id}")).json()["status"] == "working"


async def test_what_an_order_is_called_is_shown_as_text(client: httpx.AsyncClient) -> None:
    await worked(client, client_order_id="<img src=x>")

    page = (await client.get("/desk")).text

    assert "&lt;img src=x&gt;" in page
    assert "<img" not in page


@pytest.mark.parametrize(
    ("query", "shown"), [("q=OMS-1", True), ("q=other", False), ("side=sell", False), ("page=x", True)]
)
async def test_the_service_filters_the_blotter(client: httpx.AsyncClient, query: str, shown: bool) -> None:
    order_id = await worked(client)

    page = (await client.get(f"/desk?{query}&sort=nonsense")).text

    assert (f"row-{order_id}" in page) is shown


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("sort=order", ["oms-1", "oms-2", "oms-3"]),
        ("sort=order&dir=down", ["oms-3", "oms-2", "oms-1"]),
        ("sort=filled&dir=down", ["oms-1", "oms-3", "oms-2"]),
    ],
)
async def test_the_service_sorts_the_blotter(client: httpx.AsyncClient, query: str, names: list[str]) -> None:
    """By what is filled: the first has begun, the last has its first slices reported, the second nothing."""
    await worked(client, 2)
    slow = {"horizon": {"min_steps": 6, "max_steps": 12}, "fills": "reported"}
    await sent(client, client_order_id="oms-2", **slow)
    third = await sent(client, client_order_id="oms-3", **slow)
    fill = {"execution_id": "e-1", "slice_id": f"{third['order_id']}-1", "quantity": "0.01", "price": "100"}
    fill["executed_at"] = bars(HISTORY + 2)[-1].open_time.isoformat()
    assert (await client.post(f"/v1/orders/{third['order_id']}/fills", json=fill)).is_success

    page = (await client.get(f"/desk?{query}")).text

    assert re.findall(r'class="row-link"[^>]*>([^<]*)<', page) == names


async def test_who_has_no_key_is_shown_the_form(keyed: Keyed) -> None:
    answer = await keyed.client.get("/desk?side=buy")

    assert answer.status_code == 303
    assert answer.headers["location"] == "/desk/login?next=%2Fdesk%3Fside%3Dbuy"


async def test_the_form_keeps_a_good_key_where_no_script_reads_it(keyed: Keyed) -> None:
    made, text = an_api_key(scopes=frozenset({Scope.READ}))
    await keyed.record(made)

    answer = await keyed.client.post("/desk/login", data={"key": text, "next": "//elsewhere.example"})

    cookie = answer.headers["set-cookie"]
    assert (answer.status_code, answer.headers["location"]) == (303, "/desk")
    assert all(word in cookie for word in ("HttpOnly", "SameSite=strict", "Path=/desk"))
    assert (await keyed.client.get("/desk", headers={"Cookie": f"{COOKIE}={text}"})).status_code == 200


async def test_an_unknown_key_is_refused(keyed: Keyed) -> None:
    answer = await keyed.client.post("/desk/login", data={"key": "lem_nothing"})

    assert answer.status_code == 401
    assert "set-cookie" not in answer.headers


async def test_a_key_of_an_account_sees_no_page_of_another_one(keyed: Keyed) -> None:
    whole = await keyed.key()
    keyed.client.headers.update(whole)
    order_id = await worked(keyed.client, account="desk-1")
    other = await keyed.key(Scope.READ, account="desk-2")

    blotter = await keyed.client.get("/desk", headers=other)
    order = await keyed.client.get(f"/desk/orders/{order_id}", headers=other)

    assert order_id not in blotter.text
    assert order.status_code == 404


async def test_a_key_that_only_reads_cannot_act(keyed: Keyed) -> None:
    keyed.client.headers.update(await keyed.key())
    order_id = await worked(keyed.client)

    answer = await keyed.client.post(f"/desk/orders/{order_id}/cancel", headers=await keyed.key(Scope.READ))

    assert answer.status_code == 403


def test_no_asset_names_another_host() -> None:
    folder = Path(__file__).parents[2] / "app" / "desk"
    texts = [path.read_text() for path in folder.rglob("*.*") if path.suffix in {".js", ".css", ".html"}]

    assert texts
    assert not any("//" in text.replace("// ", "") and "http" in text.replace("http-", "") for text in texts)
