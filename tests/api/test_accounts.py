"""An account sees its own orders alone, and cannot even tell that there are others."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.access.api_keys import Scope
from tests.api.conftest import serving
from tests.api.keyed import Keyed, code_of
from tests.api.wire import order_json, prepared
from tests.builders import START

Header = dict[str, str]
FILL = {
    "execution_id": "exec-1",
    "slice_id": "1",
    "quantity": "1",
    "price": "100",
    "executed_at": START.isoformat(),
}


@dataclass(frozen=True, slots=True)
class Floor:
    """A service with two accounts' keys and one that sees all."""

    client: httpx.AsyncClient
    one: Header
    two: Header
    house: Header

    async def post(self, key: Header, **changes: Any) -> httpx.Response:
        return await self.client.post("/v1/orders", json=order_json(**changes), headers=key)

    async def sent(self, key: Header, **changes: Any) -> dict[str, Any]:
        answer = await self.post(key, **changes)
        assert answer.status_code == 201, answer.text
        found: dict[str, Any] = answer.json()
        return found

    async def listed(self, key: Header, **asked: Any) -> set[str]:
        answer = await self.client.get("/v1/orders", params=asked, headers=key)
        assert answer.status_code == 200, answer.text
        return {order["order_id"] for order in answer.json()["orders"]}


@pytest.fixture
async def floor(tmp_path: Path) -> AsyncIterator[Floor]:
    async with serving(tmp_path) as client:
        keyed = Keyed(await prepared(client), tmp_path)
        one, two = [await keyed.key(Scope.ORDERS, account=account) for account in ("desk-1", "desk-2")]
        yield Floor(client, one, two, await keyed.key(Scope.ORDERS))


async def test_an_order_of_a_bound_key_is_its_account_s(floor: Floor) -> None:
    order = await floor.sent(floor.one)
    named = await floor.sent(floor.one, client_order_id="oms-2", account="desk-1")

    assert order["account"] == named["account"] == "desk-1"
    assert (await floor.post(floor.one)).status_code == 200, "the same order again"


async def test_every_call_on_a_foreign_order_is_answered_as_if_there_was_none(floor: Floor) -> None:
    order_id = (await floor.sent(floor.one, fills="reported"))["order_id"]
    calls = [
        ("GET", "", None),
        ("GET", "/slices/next", None),
        ("GET", "/slices/next?wait=20", None),
        ("GET", "/schedule", None),
        ("POST", "/fills", FILL | {"slice_id": f"{order_id}-1"}),
        ("POST", "/slices/1/close", None),
        ("POST", "/cancel", None),
    ]

    for method, path, body in calls:
        answers = [
            await floor.client.request(method, f"/v1/orders/{each}{path}", json=body, headers=floor.two)
            for each in (order_id, "no-such-order")
        ]
        assert [code_of(answer) for answer in answers] == [(404, "unknown_order")] * 2, path
        said = [answer.json()["detail"].replace(order_id, "no-such-order") for answer in answers]
        assert said[0] == said[1]

    assert (await floor.client.get(f"/v1/orders/{order_id}", headers=floor.one)).json()["status"] == "working"
    assert (await floor.client.get(f"/v1/orders/{order_id}", headers=floor.house)).status_code == 200
    own = [await floor.client.request(method, f"/v1/orders/{order_id}{path}", json=body, headers=floor.one)
           for method, path, body in calls if path != "/slices/next?wait=20"]  # fmt: skip
    assert {answer.status_code for answer in own} == {200, 201}


async def test_an_order_is_replaced_within_its_account_alone(floor: Floor) -> None:
    order_id = (await floor.sent(floor.one))["order_id"]

    def replace(key: dict[str, str], **changes: Any) -> Any:
        body = order_json(client_order_id="oms-2", **changes)
        return floor.client.post(f"/v1/orders/{order_id}/replace", json=body, headers=key)

    foreign = await replace(floor.two)
    named = await replace(floor.one, account="desk-2")
    other = await replace(floor.house, account="desk-2")
    taken = await replace(floor.house)
    again = await replace(floor.one)

    assert code_of(foreign) == (404, "unknown_order")
    assert code_of(named) == (403, "foreign_account")
    assert code_of(other) == (422, "replace_changes_order")
    assert (taken.status_code, taken.json()["account"]) == (201, "desk-1")
    assert (again.status_code, again.json()) == (200, taken.json())


async def test_accounts_may_use_the_same_client_order_id_and_learn_nothing_of_each_other(floor: Floor) -> None:
    first, second, third = [await floor.sent(key) for key in (floor.one, floor.two, floor.house)]
    other = await floor.post(floor.two, quantity="11")

    assert len({order["order_id"] for order in (first, second, third)}) == 3
    assert code_of(other) == (409, "client_order_id_reused")
    assert await floor.listed(floor.one, client_order_id="oms-1") == {first["order_id"]}
    assert await floor.listed(floor.two, client_order_id="oms-1") == {second["order_id"]}
    assert await floor.listed(floor.house, client_order_id="oms-1") == {third["order_id"]}
    assert await floor.listed(floor.house, client_order_id="oms-1", account="desk-1") == {first["order_id"]}


async def test_lists_have_the_orders_of_the_account_alone(floor: Floor) -> None:
    first, second, third = [(await floor.sent(key))["order_id"] for key in (floor.one, floor.two, floor.house)]

    assert await floor.listed(floor.one) == await floor.listed(floor.one, status="working") == {first}
    assert await floor.listed(floor.one, status="cancelled") == set()
    assert await floor.listed(floor.house) == {first, second, third}
    assert await floor.listed(floor.house, account="desk-2") == {second}


async def test_a_bound_key_acts_for_no_other_account(floor: Floor) -> None:
    sent = await floor.post(floor.one, account="desk-2")
    quoted = await floor.client.post("/v1/quotes", json=order_json(account="desk-2"), headers=floor.one)
    listed = await floor.client.get("/v1/orders", params={"account": "desk-2"}, headers=floor.one)

    assert {code_of(answer) for answer in (sent, quoted, listed)} == {(403, "foreign_account")}
    assert sent.json()["errors"][0]["pointer"] == "#/account"


async def test_a_key_that_is_not_bound_sends_for_any_account(floor: Floor) -> None:
    order = await floor.sent(floor.house, account="desk-1")

    assert order["account"] == "desk-1"
    assert await floor.listed(floor.one) == {order["order_id"]}
    assert (await floor.post(floor.one)).status_code == 200, "it is the account's own order"


async def test_without_keys_orders_may_have_accounts_too(client: httpx.AsyncClient) -> None:
    await prepared(client)

    posted = [await client.post("/v1/orders", json=order_json(account=account)) for account in (None, "a", "b")]
    listed = (await client.get("/v1/orders", params={"account": "b"})).json()["orders"]

    assert [answer.status_code for answer in posted] == [201] * 3
    assert [order["account"] for order in listed] == ["b"]
