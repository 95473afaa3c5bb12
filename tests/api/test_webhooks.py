"""`/v1/webhooks`: whoever may trade has events sent to an address, and sees how that goes."""

from __future__ import annotations

import json
from pathlib import Path

import httpx
import pytest

from app.access.api_keys import Scope
from tests.api.conftest import serving
from tests.api.keyed import Keyed, code_of
from tests.api.wire import prepared, sent
from tests.outbox.receiver import a_receiver

NOWHERE = "http://127.0.0.1:9/"


async def test_events_of_an_order_are_sent_and_the_secret_is_shown_once(client: httpx.AsyncClient) -> None:
    await prepared(client)
    async with a_receiver() as receiver:
        made = (await client.post("/v1/webhooks", json={"url": receiver.url, "events": ["slice.*"]})).json()
        order = await sent(client)
        [got] = await receiver.taken(1)

    path = f"/v1/webhooks/{made['webhook_id']}"
    listed, one = (await client.get("/v1/webhooks")).json()["webhooks"], (await client.get(path)).json()
    body = json.loads(got.body)
    assert (body["type"], body["data"]["order_id"]) == ("slice.committed", order["order_id"])
    assert body["data"]["quantity"]
    assert made["secret"].startswith("whsec_")
    assert made["status"] == "active"
    assert [each["webhook_id"] for each in listed] == [one["webhook_id"]]
    assert made["secret"] not in json.dumps([one, listed])
    assert (await client.get(f"{path}/dead_letters")).json() == {"dead_letters": []}
    assert (await client.post(f"{path}/dead_letters/resend")).json() == {
        "delivered": 0,
        "failed": 0,
        "last_error": None,
    }


async def test_a_webhook_is_deleted_once(client: httpx.AsyncClient) -> None:
    made = (await client.post("/v1/webhooks", json={"url": NOWHERE})).json()
    path = f"/v1/webhooks/{made['webhook_id']}"

    assert (await client.delete(path)).status_code == 204
    assert code_of(await client.delete(path)) == (404, "unknown_webhook")
    assert code_of(await client.get(f"{path}/dead_letters")) == (404, "unknown_webhook")
    assert code_of(await client.post(f"{path}/dead_letters/resend")) == (404, "unknown_webhook")


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"url": "ftp://oms.example"}, "bad_url"),
        ({"url": NOWHERE, "events": []}, "empty"),
        ({"url": NOWHERE, "events": ["order"]}, "unknown_value"),
        ({"url": NOWHERE, "secret": "mine"}, "unknown_field"),
        ({}, "field_missing"),
    ],
)
async def test_a_webhook_that_cannot_be_is_refused(
    client: httpx.AsyncClient, body: dict[str, object], code: str
) -> None:
    assert code_of(await client.post("/v1/webhooks", json=body)) == (422, code)


async def test_an_address_that_is_told_already_is_refused(client: httpx.AsyncClient) -> None:
    first = await client.post("/v1/webhooks", json={"url": NOWHERE})

    assert first.status_code == 201
    assert code_of(await client.post("/v1/webhooks", json={"url": NOWHERE})) == (409, "webhook_exists")


async def test_an_account_knows_of_its_own_webhooks_alone(tmp_path: Path) -> None:
    async with serving(tmp_path) as client:
        keyed = Keyed(client, tmp_path)
        one, two = [await keyed.key(Scope.ORDERS, account=account) for account in ("desk-1", "desk-2")]
        reader = await keyed.key(Scope.READ)
        made = (await client.post("/v1/webhooks", json={"url": NOWHERE}, headers=one)).json()
        path = f"/v1/webhooks/{made['webhook_id']}"
        foreign = [await client.request(method, path, headers=two) for method in ("GET", "DELETE")]
        listed = [(await client.get("/v1/webhooks", headers=key)).json()["webhooks"] for key in (one, two, reader)]
        refused = [
            await client.post("/v1/webhooks", json={"url": NOWHERE}, headers=reader),
            await client.post(f"{path}/dead_letters/resend", headers=reader),
        ]

    assert made["account"] == "desk-1"
    assert [code_of(each) for each in foreign] == [(404, "unknown_webhook")] * 2
    assert list(map(len, listed)) == [1, 0, 1]
    assert [code_of(each) for each in refused] == [(403, "scope_missing")] * 2
