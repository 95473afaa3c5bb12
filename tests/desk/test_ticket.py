"""The ticket quotes, sends and replaces orders as the interface does, and says what is wrong beside the field."""

from __future__ import annotations

import re
from collections.abc import Mapping
from html import unescape

import httpx
import pytest

from app.access.api_keys import Scope
from app.desk.numerals import bps
from tests.api.conftest import client, keyed, keyless
from tests.api.keyed import Keyed
from tests.api.wire import HISTORY, SYMBOL, bars_json, order_json, prepared, sent
from tests.builders import bars

__all__ = ["client", "keyed", "keyless"]

FIELDS = {
    "client_order_id": "desk-1",
    "instrument": SYMBOL,
    "side": "buy",
    "size_mode": "quantity",
    "size": "10",
    "benchmark": "vwap",
    "min_steps": "6",
    "max_steps": "12",
}
SCRIPT = {"X-Fragment": "1"}


def hidden(page: str) -> dict[str, str]:
    """What the review sends on."""
    found = re.findall(r'<input type="hidden" name="([^"]*)" value="([^"]*)">', page)
    return {unescape(name): unescape(text) for name, text in found}


def beside(page: str, field: str) -> str:
    found = re.search(rf'id="wrong-{field}">([^<]*)</p>', page)
    assert found, f"no field {field}"
    return unescape(found[1])


async def orders(client: httpx.AsyncClient) -> list[Mapping[str, str]]:
    answer: list[Mapping[str, str]] = (await client.get("/v1/orders")).json()["orders"]
    return answer


async def test_the_quote_is_that_of_the_interface(client: httpx.AsyncClient) -> None:
    await prepared(client)
    body = order_json(horizon={"min_steps": 6, "max_steps": 12})
    answered = (await client.post("/v1/quotes", json=body)).json()

    shown = (await client.post("/desk/ticket/quote", data=FIELDS, headers=SCRIPT)).text

    gain = answered["gain_bps"]
    assert f'id="quote-gain">{bps(float(gain["mean"]))}<' in shown
    assert f"{bps(float(gain['p5']))} to {bps(float(gain['p95']))}" in shown
    assert await orders(client) == []


async def test_what_is_not_filled_in_yet_is_no_error(client: httpx.AsyncClient) -> None:
    await prepared(client)

    shown = (await client.post("/desk/ticket/quote", data={"side": "buy", "benchmark": "vwap"}, headers=SCRIPT)).text

    assert "Still to be given" in shown
    assert "data-wrong" not in shown


@pytest.mark.parametrize(
    ("field", "text", "told"),
    [
        ("size", "10.001", "multiple of 0.01"),
        ("size", "ten", "decimal"),
        ("instrument", "NO-ONE", "NO-ONE"),
        ("min_steps", "13", "min_steps"),
        ("max_steps", "soon", "integer"),
        ("max_participation_rate", "5", "1"),
        ("limit_price", "100.001", "tick"),
        ("risk_aversion", "brave", "neutral"),
        ("half_spread_bps", "-1", "at least 0"),
        ("earliest_end", "tomorrow", "RFC 3339"),
        ("model", "lem-99", "lem-99"),
    ],
)
async def test_what_is_wrong_stands_beside_its_field_while_it_is_typed(
    client: httpx.AsyncClient, field: str, text: str, told: str
) -> None:
    await prepared(client)
    steps = {"min_steps": "", "max_steps": ""} if field == "earliest_end" else {}

    answer = await client.post("/desk/ticket/quote", data=FIELDS | steps | {field: text}, headers=SCRIPT)

    found = re.search(rf'data-wrong="{field}">([^<]*)<', answer.text)
    assert answer.status_code == 200
    assert found, answer.text
    assert told in unescape(found[1])


async def test_a_review_with_faults_keeps_what_was_typed_and_sends_nothing(client: httpx.AsyncClient) -> None:
    await prepared(client)

    answer = await client.post("/desk/ticket/review", data=FIELDS | {"size": "10.001", "instrument": ""})

    assert answer.status_code == 422
    assert "The order was not sent" in answer.text
    assert beside(answer.text, "instrument")
    assert 'value="10.001"' in answer.text
    assert await orders(client) == []


async def test_a_ticket_that_is_sent_twice_is_one_order(client: httpx.AsyncClient) -> None:
    await prepared(client)
    review = (await client.post("/desk/ticket/review", data=FIELDS | {"limit_price": "105.50"})).text
    before = await orders(client)

    answers = [await client.post("/desk/ticket/send", data=hidden(review)) for _ in range(2)]

    (order,) = await orders(client)
    assert before == []
    assert [each.headers["location"] for each in answers] == [f"/desk/orders/{order['order_id']}"] * 2
    assert (order["client_order_id"], order["quantity"], order["side"]) == ("desk-1", "10", "buy")
    assert order["limits"]["limit_price"] == "105.5"  # type: ignore[index]


async def test_times_are_those_of_utc(client: httpx.AsyncClient) -> None:
    await prepared(client)
    day = f"{bars(HISTORY)[-1].open_time:%Y-%m-%d}"
    times = {"min_steps": "", "max_steps": "", "earliest_end": f"{day}T23:00", "latest_end": f"{day}T23:45:00"}

    review = (await client.post("/desk/ticket/review", data=FIELDS | times)).text
    await client.post("/desk/ticket/send", data=hidden(review))

    (order,) = await orders(client)
    assert order["horizon"]["latest_end"] == f"{day}T23:45:00Z"  # type: ignore[index]


async def test_another_order_of_the_same_name_is_refused_beside_its_name(client: httpx.AsyncClient) -> None:
    await prepared(client)
    await sent(client, client_order_id="desk-1")

    answer = await client.post("/desk/ticket/review", data=FIELDS)

    assert answer.status_code == 409
    assert len(await orders(client)) == 1
    assert "desk-1" in beside(answer.text, "client_order_id")


async def test_every_ticket_has_a_name_of_its_own(client: httpx.AsyncClient) -> None:
    names = {
        re.search(r'name="client_order_id"[^>]*value="([^"]+)"', (await client.get("/desk/ticket")).text)[1]  # type: ignore[index]
        for _ in range(3)
    }

    assert len(names) == 3


async def replaceable(client: httpx.AsyncClient) -> str:
    """The id of an order that has begun."""
    await prepared(client)
    order = await sent(client, horizon={"min_steps": 6, "max_steps": 12}, limits={"limit_price": "200"})
    await client.post("/v1/bars", json=bars_json(bars(HISTORY + 2)[HISTORY:]))
    return str(order["order_id"])


async def test_a_replace_begins_with_the_terms_and_says_what_changes(client: httpx.AsyncClient) -> None:
    order_id = await replaceable(client)
    form = (await client.get(f"/desk/ticket?replaces={order_id}")).text
    fields = {"replaces": order_id, "client_order_id": "desk-2", "size": "12", "benchmark": "vwap"}

    review = (
        await client.post(
            "/desk/ticket/review", data=fields | {"min_steps": "6", "max_steps": "12", "completion": "within_limits"}
        )
    ).text
    answer = await client.post("/desk/ticket/send", data=hidden(review))

    replaced = (await client.get(f"/v1/orders/{order_id}")).json()
    new = (await client.get(f"/v1/orders/{replaced['replaced_by']}")).json()
    rows = re.findall(r'<th scope="row">([^<]*)</th><td>([^<]*)</td><td>([^<]*)</td>', review)
    assert 'name="limit_price" type="text" value="200"' in form
    assert [unescape(name) for name, _, _ in rows] == ["Size", "Limit price"]
    assert rows[0][1:] == ("10", "12")
    assert rows[1][1:] == ("200", "none")
    assert answer.headers["location"] == f"/desk/orders/{new['order_id']}"
    assert (new["quantity"], new["limits"]["limit_price"], new["step"]) == ("12", None, replaced["step"])


async def test_a_replace_that_is_sent_twice_is_one_order(client: httpx.AsyncClient) -> None:
    order_id = await replaceable(client)
    fields = {"replaces": order_id, "client_order_id": "desk-2", "size": "12", "benchmark": "vwap"}
    review = (await client.post("/desk/ticket/review", data=fields | {"min_steps": "6", "max_steps": "12"})).text

    answers = [await client.post("/desk/ticket/send", data=hidden(review)) for _ in range(2)]

    replaced = (await client.get(f"/v1/orders/{order_id}")).json()
    assert [each.headers["location"] for each in answers] == [f"/desk/orders/{replaced['replaced_by']}"] * 2
    assert len(await orders(client)) == 2


async def test_an_order_that_has_ended_meanwhile_is_not_replaced(client: httpx.AsyncClient) -> None:
    order_id = await replaceable(client)
    fields = {"replaces": order_id, "client_order_id": "desk-2", "size": "12", "benchmark": "vwap"}
    steps = {"min_steps": "6", "max_steps": "12"}
    review = (await client.post("/desk/ticket/review", data=fields | steps)).text
    await client.post(f"/v1/orders/{order_id}/cancel")

    answer = await client.post("/desk/ticket/send", data=hidden(review))

    assert answer.status_code == 409
    assert "cancelled" in answer.text
    assert (await client.get(f"/desk/ticket?replaces={order_id}")).status_code == 409


async def test_what_is_too_small_for_what_is_done_is_refused_beside_the_size(client: httpx.AsyncClient) -> None:
    order_id = await replaceable(client)
    fields = {"replaces": order_id, "client_order_id": "desk-2", "size": "0.01", "benchmark": "vwap"}

    answer = await client.post("/desk/ticket/send", data=fields | {"min_steps": "6", "max_steps": "12"})

    assert answer.status_code == 409
    assert beside(answer.text, "size")


async def test_a_key_that_only_reads_quotes_and_sends_nothing(keyed: Keyed) -> None:
    keyed.client.headers.update(await keyed.key())
    await prepared(keyed.client)
    reading = await keyed.key(Scope.READ)

    form = await keyed.client.get("/desk/ticket", headers=reading)
    quote = await keyed.client.post("/desk/ticket/quote", data=FIELDS, headers=reading | SCRIPT)
    review = await keyed.client.post("/desk/ticket/review", data=FIELDS, headers=reading)

    assert "needs the scope" in form.text
    assert "quote-gain" in quote.text
    assert review.status_code == 403


async def test_an_account_s_key_sends_orders_of_its_account_and_replaces_no_other_s(keyed: Keyed) -> None:
    keyed.client.headers.update(await keyed.key())
    await prepared(keyed.client)
    foreign = str((await sent(keyed.client, account="desk-2"))["order_id"])
    own = await keyed.key(Scope.ORDERS, account="desk-1")

    await keyed.client.post("/desk/ticket/send", data=FIELDS, headers=own)
    replace = await keyed.client.get(f"/desk/ticket?replaces={foreign}", headers=own)

    accounts = {each["client_order_id"]: each["account"] for each in await orders(keyed.client)}
    assert accounts["desk-1"] == "desk-1"
    assert replace.status_code == 404
