"""An order that another one replaces, over HTTP."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import httpx

from tests.api.wire import HISTORY, Json, bars_json, next_slice, order_json, prepared, sent
from tests.builders import at, bars

LATER = bars(40, first=HISTORY, seed=1)
WHOLE = {"min_steps": 12, "max_steps": 12}


async def feed(client: httpx.AsyncClient, first: int, count: int) -> None:
    response = await client.post("/v1/bars", json=bars_json(LATER[first : first + count]))
    assert response.status_code == 200, response.text


async def replace(client: httpx.AsyncClient, order: Json, name: str = "oms-2", **changes: Any) -> Json:
    """The order that stands in its place."""
    response = await replace_answer(client, order, name, **changes)
    assert response.status_code == 201, response.text
    answer: Json = response.json()
    return answer


async def replace_answer(client: httpx.AsyncClient, order: Json, name: str = "oms-2", **changes: Any) -> httpx.Response:
    """Asked with the body of the order under another name."""
    body = order_json(client_order_id=name, **({"horizon": WHOLE} | changes))
    return await client.post(f"/v1/orders/{order['order_id']}/replace", json=body)


async def shown(client: httpx.AsyncClient, order: Json) -> Json:
    answer: Json = (await client.get(f"/v1/orders/{order['order_id']}")).json()
    return answer


async def slices_of(client: httpx.AsyncClient, order: Json) -> list[Json]:
    found: list[Json] = (await client.get(f"/v1/orders/{order['order_id']}/slices")).json()["slices"]
    return found


async def reported(client: httpx.AsyncClient, order: Json, piece: Json, name: str, quantity: str) -> httpx.Response:
    """A fill of that slice, under the order's path."""
    body = {
        "execution_id": name,
        "slice_id": piece["slice_id"],
        "quantity": quantity,
        "price": "100",
        "executed_at": piece["window"]["start"],
    }
    return await client.post(f"/v1/orders/{order['order_id']}/fills", json=body)


def whole(order: Json) -> bool:
    """What is filled, in flight and left to be asked for makes the order."""
    filled, leaves, in_flight = (Decimal(order[name]) for name in ("filled_quantity", "leaves", "in_flight"))
    return filled + leaves == Decimal(order["quantity"]) and in_flight <= leaves


async def test_the_new_order_goes_on_with_what_is_filled_and_in_flight(client: httpx.AsyncClient) -> None:
    await prepared(client)
    old = await sent(client, horizon=WHOLE)
    await feed(client, 0, 3)
    before = await shown(client, old)

    new = await replace(client, old, quantity="12")
    after = await shown(client, old)
    await feed(client, 3, 12)
    ended = await shown(client, new)

    carried = (
        "filled_quantity",
        "filled_notional",
        "in_flight",
        "avg_price",
        "arrival_price",
        "benchmark_price",
        "step",
    )
    assert {name: new[name] for name in carried} == {name: before[name] for name in carried}
    assert (new["status"], new["quantity"], new["replaces"]) == ("working", "12", old["order_id"])
    assert (after["status"], after["in_flight"], after["replaced_by"]) == ("replaced", "0", new["order_id"])
    assert whole(new)
    assert (ended["status"], ended["filled_quantity"], ended["step"]) == ("completed", "12", 12)
    slices = await slices_of(client, new)
    owners = [piece["slice_id"].rpartition("-")[0] for piece in slices]
    assert owners == [old["order_id"]] * 4 + [new["order_id"]] * 8
    assert sum(Decimal(piece["executed"]) for piece in slices) == 12


async def test_the_same_replace_again_is_answered_with_the_order_as_it_stands(client: httpx.AsyncClient) -> None:
    await prepared(client)
    old = await sent(client, horizon=WHOLE)
    new = await replace(client, old, quantity="12")
    await feed(client, 0, 2)

    again = await replace_answer(client, old, quantity="12")
    other = await replace_answer(client, old, quantity="13")
    as_an_order = await client.post(
        "/v1/orders", json=order_json(client_order_id="oms-2", quantity="12", horizon=WHOLE)
    )

    assert (again.status_code, again.json()) == (200, await shown(client, new))
    assert [(each.status_code, each.json()["code"]) for each in (other, as_an_order)] == [
        (409, "client_order_id_reused")
    ] * 2


async def test_a_size_below_what_is_filled_and_in_flight_is_refused_with_the_values(client: httpx.AsyncClient) -> None:
    await prepared(client)
    old = await sent(client, horizon=WHOLE)
    await feed(client, 0, 3)
    before = await shown(client, old)
    committed = Decimal(before["filled_quantity"]) + Decimal(before["in_flight"])

    refused = await replace_answer(client, old, quantity=f"{committed - Decimal('0.01')}")
    taken = await replace(client, old, "oms-3", quantity=f"{committed}")
    await feed(client, 3, 1)

    assert (refused.status_code, refused.json()["code"]) == (409, "size_committed")
    for value in (committed, Decimal(before["filled_quantity"]), Decimal(before["in_flight"])):
        assert f"{value.normalize():f}" in refused.json()["detail"]
    assert refused.json()["errors"][0]["pointer"] == "#/quantity"
    assert Decimal(taken["leaves"]) == Decimal(taken["in_flight"])
    assert (await shown(client, taken))["status"] == "completed"


async def test_what_makes_another_order_of_it_is_refused(client: httpx.AsyncClient) -> None:
    await prepared(client)
    old = await sent(client, horizon=WHOLE)

    for changes, pointer in (
        ({"side": "sell"}, "#/side"),
        ({"quantity": None, "notional": "1000"}, "#/quantity"),
        ({"instrument": "ETH-USDT"}, "#/instrument"),
        ({"fills": "reported"}, "#/fills"),
        ({"horizon": WHOLE | {"step_seconds": 1800}}, "#/horizon/step_seconds"),
        ({"start_time": at(HISTORY + 8).isoformat()}, "#/start_time"),
        ({"account": "desk-1"}, "#/account"),
    ):
        refused = await replace_answer(client, old, **changes)
        assert (refused.status_code, refused.json()["code"]) == (422, "replace_changes_order"), changes
        assert refused.json()["errors"][0]["pointer"] == pointer
    assert (await shown(client, old))["status"] == "working"


async def test_reports_for_the_old_order_are_booked_once_to_the_chain(client: httpx.AsyncClient) -> None:
    await prepared(client)
    old = await sent(client, horizon=WHOLE, fills="reported")
    piece = (await next_slice(client, old["order_id"]))["slice"]
    await reported(client, old, piece, "exec-1", "0.1")

    new = await replace(client, old, quantity="12", fills="reported")
    to_old = await reported(client, old, piece, "exec-2", "0.2")
    to_new = await reported(client, new, piece, "exec-3", "0.1")
    repeats = [
        await reported(client, each, piece, f"exec-{n}", q) for each in (old, new) for n, q in ((1, "0.1"), (2, "0.2"))
    ]
    bust = await client.post(f"/v1/orders/{old['order_id']}/fills/exec-3/bust")

    assert [each.status_code for each in (to_old, to_new, *repeats)] == [201, 201, 200, 200, 200, 200]
    assert to_old.json()["order_id"] == bust.json()["order_id"] == new["order_id"]
    after = await shown(client, new)
    assert (after["filled_quantity"], after["over_filled"]) == ("0.3", "0")
    assert Decimal(after["in_flight"]) == Decimal(piece["quantity"]) - Decimal("0.3")
    assert whole(after)
    assert (await shown(client, old))["filled_quantity"] == "0.1"
    fills = [(await client.get(f"/v1/orders/{each['order_id']}/fills")).json()["fills"] for each in (old, new)]
    assert fills[0] == fills[1]
    assert [piece["executed"] for piece in await slices_of(client, old)] == ["0.3"]


async def test_an_order_that_is_replaced_or_has_ended_takes_no_order_and_names_its_successor(
    client: httpx.AsyncClient,
) -> None:
    await prepared(client)
    old = await sent(client, horizon=WHOLE)
    new = await replace(client, old)

    refused = [
        await replace_answer(client, old, "oms-3"),
        *[await client.post(f"/v1/orders/{old['order_id']}/{what}") for what in ("pause", "resume", "cancel")],
    ]
    await client.post(f"/v1/orders/{new['order_id']}/cancel")
    ended = await replace_answer(client, new, "oms-3")

    assert {(each.status_code, each.json()["code"]) for each in refused} == {(409, "order_replaced")}
    assert all(new["order_id"] in each.json()["detail"] for each in refused)
    assert (ended.status_code, ended.json()["code"]) == (409, "order_ended")


async def test_a_paused_order_stays_paused_when_it_is_replaced(client: httpx.AsyncClient) -> None:
    await prepared(client)
    old = await sent(client, horizon=WHOLE)
    await client.post(f"/v1/orders/{old['order_id']}/pause")

    new = await replace(client, old)
    await feed(client, 0, 2)
    offered = await next_slice(client, new["order_id"])

    assert (new["status"], offered["slice"]) == ("paused", None)
    assert (await client.post(f"/v1/orders/{new['order_id']}/resume")).json()["status"] == "working"


async def test_the_horizon_counts_from_the_first_step_of_the_chain(client: httpx.AsyncClient) -> None:
    await prepared(client)
    old = await sent(client, horizon=WHOLE)
    await feed(client, 0, 4)

    refused = await replace_answer(client, old, horizon={"min_steps": 1, "max_steps": 5})
    shorter = await replace(client, old, "oms-3", horizon={"min_steps": 1, "max_steps": 6})
    times = {"earliest_end": at(HISTORY + 10).isoformat(), "latest_end": at(HISTORY + 10).isoformat()}
    longer = await replace(client, shorter, "oms-4", horizon=times)

    assert (refused.status_code, refused.json()["code"]) == (409, "horizon_used_up")
    assert (longer["horizon"]["min_steps"], longer["horizon"]["max_steps"]) == (10, 10)


async def test_an_order_that_has_not_begun_may_start_at_another_time(client: httpx.AsyncClient) -> None:
    await prepared(client)
    old = await sent(client, horizon=WHOLE, start_time=at(HISTORY + 8).isoformat())

    new = await replace(client, old, start_time=at(HISTORY + 1).isoformat())
    await feed(client, 0, 1)

    assert (old["status"], new["status"], new["step"]) == ("accepted", "accepted", 0)
    piece = (await next_slice(client, new["order_id"]))["slice"]
    assert (piece["step"], piece["window"]["start"]) == (1, at(HISTORY + 1).isoformat().replace("+00:00", "Z"))
