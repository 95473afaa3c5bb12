"""What somebody is told who acts on what is no longer so, and what a hostile text does on each page."""

from __future__ import annotations

import httpx
import pytest

from app.desk import stream
from tests.api.conftest import client
from tests.api.wire import order_json, prepared, sent

__all__ = ["client"]
HOSTILE = '"><img src=x onerror=alert(1)>'


async def ended(client: httpx.AsyncClient) -> str:
    await prepared(client)
    order_id = str((await sent(client))["order_id"])
    await client.post(f"/v1/orders/{order_id}/cancel")
    return order_id


@pytest.mark.parametrize("action", ["pause", "resume", "cancel"])
async def test_nothing_is_offered_to_be_done_with_an_order_that_has_ended(
    client: httpx.AsyncClient, action: str
) -> None:
    order_id = await ended(client)

    asked = (await client.get(f"/desk/orders/{order_id}/{action}")).text

    assert f"there is nothing to {action}" in asked
    assert "the order</button>" not in asked


async def test_a_stale_confirmation_is_refused_and_leads_back_to_the_order(client: httpx.AsyncClient) -> None:
    order_id = await ended(client)

    answer = await client.post(f"/desk/orders/{order_id}/pause")

    assert answer.status_code == 409
    assert f'<a href="/desk/orders/{order_id}">To the order</a>' in answer.text


async def test_two_people_who_pause_one_order_both_find_it_paused(client: httpx.AsyncClient) -> None:
    await prepared(client)
    order_id = str((await sent(client))["order_id"])

    answers = [await client.post(f"/desk/orders/{order_id}/pause") for _ in range(2)]

    assert [answer.status_code for answer in answers] == [303, 303]
    assert (await client.get(f"/v1/orders/{order_id}")).json()["status"] == "paused"


async def test_orders_of_a_chain_lead_to_one_another(client: httpx.AsyncClient) -> None:
    await prepared(client)
    first = await sent(client, client_order_id="first")
    asked = order_json(client_order_id="second", quantity="300")
    answer = await client.post(f"/v1/orders/{first['order_id']}/replace", json=asked)
    assert answer.status_code == 201, answer.text
    second = answer.json()

    old = (await client.get(f"/desk/orders/{first['order_id']}")).text
    new = (await client.get(f"/desk/orders/{second['order_id']}")).text

    assert f'href="/desk/orders/{second["order_id"]}"' in old
    assert f'href="/desk/orders/{first["order_id"]}"' in new


async def test_a_hostile_text_is_shown_as_text_on_each_page(client: httpx.AsyncClient) -> None:
    await prepared(client)
    order_id = str((await sent(client, client_order_id="<img src=x onerror=alert(1)>"))["order_id"])
    places = ["/desk", "/desk/login", f"/desk/ticket?replaces={order_id}", "/desk/ended", "/desk/analysis"]
    places += [f"/desk/orders/{order_id}{part}" for part in ("", "/events", "/pause", "/cancel")]

    for place in places:
        hostile = dict.fromkeys(("q", "next", "instrument", "side", "status", "sort"), HOSTILE)
        for query in ({}, hostile):
            page = await client.get(place, params=httpx.URL(place).params.merge(query))
            assert page.status_code < 500
            assert "<img" not in page.text, place


@pytest.mark.parametrize("place", ["/desk", "/desk/login", "/desk/orders/none", "/desk/ended", "/desk/ticket"])
async def test_no_page_is_kept_by_a_cache_or_framed_by_another_site(client: httpx.AsyncClient, place: str) -> None:
    headers = (await client.get(place)).headers

    assert headers["cache-control"] == "no-store"
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert "unsafe-inline" not in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"


async def test_a_page_beyond_the_last_place_is_told_that_it_is_not_live(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream, "STREAMS_MAX", 0)

    answer = await client.get("/desk/stream/blotter")

    assert answer.headers["content-type"].startswith("text/event-stream")
    assert answer.text == f'event: full\ndata: {{"detail":"{stream.FULL}"}}\n\n'
