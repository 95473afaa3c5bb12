"""Fills that are busted or corrected after they were booked, and the list of what is booked."""

from __future__ import annotations

from decimal import Decimal

import httpx

from tests.api.test_fills import fill_json
from tests.api.wire import HISTORY, Json, bars_json, next_slice, prepared, sent
from tests.builders import bars

LATER = bars(20, first=HISTORY, seed=1)


async def filled(client: httpx.AsyncClient, execution_id: str = "exec-1", max_steps: int = 4) -> tuple[str, Json]:
    """The path of an order of 10 whose first slice, of up to half, is filled at 100; and that slice."""
    await prepared(client)
    horizon = {"min_steps": 1, "max_steps": max_steps}
    order = await sent(client, fills="reported", horizon=horizon, limits={"max_slice_fraction": "0.5"})
    path, piece = f"/v1/orders/{order['order_id']}", (await next_slice(client, order["order_id"]))["slice"]
    await report(client, path, piece, execution_id)
    return path, piece


async def report(client: httpx.AsyncClient, path: str, piece: Json, execution_id: str) -> Json:
    body = fill_json(piece["slice_id"], execution_id=execution_id, quantity=piece["quantity"], price="100")
    body["executed_at"] = piece["window"]["start"]
    response = await client.post(f"{path}/fills", json=body)
    assert response.status_code in (200, 201), response.text
    answer: Json = response.json()
    return answer


async def revised(client: httpx.AsyncClient, path: str, what: str, body: Json | None = None) -> Json:
    response = await client.post(f"{path}/fills/{what}", json=body)
    assert response.status_code == 200, response.text
    answer: Json = response.json()
    return answer


async def test_a_busted_fill_counts_for_nothing_and_what_it_filled_is_asked_for_again(
    client: httpx.AsyncClient,
) -> None:
    path, piece = await filled(client)

    first, again = await revised(client, path, "exec-1/bust"), await revised(client, path, "exec-1/bust")

    assert first == again
    assert (first["filled_quantity"], first["leaves"], first["avg_price"]) == ("0", "10", None)
    asked = Decimal(piece["quantity"])
    for bar in LATER[:5]:
        await client.post("/v1/bars", json=bars_json([bar]))
        found = (await next_slice(client, path.rpartition("/")[2]))["slice"]
        if found is not None:
            await report(client, path, found, f"later-{found['step']}")
    shown = (await client.get(path)).json()
    assert asked > 0
    assert (shown["status"], shown["leaves"], shown["over_filled"]) == ("completed", "0", "0")


async def test_a_report_that_comes_again_after_its_bust_is_not_booked_again(client: httpx.AsyncClient) -> None:
    path, piece = await filled(client)
    await revised(client, path, "exec-1/bust")

    again = await report(client, path, piece, "exec-1")

    assert again["filled_quantity"] == "0"


async def test_a_corrected_fill_counts_with_its_new_values(client: httpx.AsyncClient) -> None:
    path, piece = await filled(client)
    less = {"quantity": "0.5", "price": "101"}

    first = await revised(client, path, "exec-1/correct", less)
    again = await revised(client, path, "exec-1/correct", less)

    assert first == again
    assert (first["filled_quantity"], first["filled_notional"], first["avg_price"]) == ("0.5", "50.5", "101")
    late = await report(client, path, piece, "exec-1")  # the first report comes again
    assert late["filled_quantity"] == "0.5"


async def test_more_than_the_slice_asked_for_is_over_filled_and_less_takes_it_back(client: httpx.AsyncClient) -> None:
    path, piece = await filled(client)
    asked = Decimal(piece["quantity"])

    more = await revised(client, path, "exec-1/correct", {"quantity": f"{asked + 1}", "price": "100"})
    less = await revised(client, path, "exec-1/correct", {"quantity": f"{asked}", "price": "100"})

    assert (more["over_filled"], Decimal(more["filled_quantity"])) == ("1", asked + 1)
    assert more["warnings"] == ["over_filled"]
    assert (less["over_filled"], Decimal(less["filled_quantity"])) == ("0", asked)


async def test_a_completed_order_goes_on_after_a_bust_in_time_and_expires_after_a_late_one(
    client: httpx.AsyncClient,
) -> None:
    path, piece = await filled(client)
    rest = f"{10 - Decimal(piece['quantity'])}"
    body = fill_json(piece["slice_id"], execution_id="rest", quantity=rest, price="100")
    completed = (await client.post(f"{path}/fills", json=body)).json()

    in_time = await revised(client, path, "rest/bust")
    await client.post(f"{path}/fills", json=body | {"execution_id": "rest-2"})
    await client.post("/v1/bars", json=bars_json(LATER[:3]))
    late = await revised(client, path, "rest-2/bust")

    assert (completed["status"], in_time["status"], late["status"]) == ("completed", "working", "expired")
    assert in_time["leaves"] == late["leaves"] == rest
    assert (await next_slice(client, path.rpartition("/")[2]))["slice"] is None


async def test_a_bust_after_a_cancel_moves_the_quantities_only(client: httpx.AsyncClient) -> None:
    path, _ = await filled(client)
    await client.post(f"{path}/cancel")

    busted = await revised(client, path, "exec-1/bust")

    assert (busted["status"], busted["filled_quantity"]) == ("cancelled", "0")


async def test_fills_are_listed_as_they_count_now(client: httpx.AsyncClient) -> None:
    path, piece = await filled(client, "venue/7")
    await report(client, path, piece | {"quantity": "0.01"}, "exec-2")
    await revised(client, path, "venue%2F7/correct", {"quantity": "1", "price": "102"})
    await revised(client, path, "exec-2/bust")

    listed = (await client.get(f"{path}/fills")).json()

    by_id = {fill["execution_id"]: fill for fill in listed["fills"]}
    assert listed["order_id"] == path.rpartition("/")[2]
    corrected = by_id["venue/7"]
    assert (corrected["quantity"], corrected["price"], corrected["busted"]) == ("1", "102", False)
    assert (corrected["original"]["quantity"], corrected["original"]["price"]) == (piece["quantity"], "100")
    assert (by_id["exec-2"]["busted"], by_id["exec-2"]["original"]) == (True, None)
    slices = (await client.get(f"{path}/slices")).json()["slices"]
    assert [(each["slice_id"], each["executed"]) for each in slices] == [(piece["slice_id"], "1")]


async def test_what_no_revision_can_be_is_refused(client: httpx.AsyncClient) -> None:
    path, _ = await filled(client)
    assumed = await sent(client, client_order_id="assumed")
    await revised(client, path, "exec-1/bust")
    values = {"quantity": "1", "price": "100"}

    async def refused(where: str, body: Json | None = None) -> tuple[int, str]:
        response = await client.post(where, json=body)
        return response.status_code, response.json()["code"]

    for name in ("nothing", "a%2Fb"):
        assert await refused(f"{path}/fills/{name}/bust") == (404, "unknown_execution")
    assert await refused(f"{path}/fills/a%0Ab/bust") == (422, "bad_text")
    assert await refused(f"{path}/fills/exec-1/correct", values) == (409, "fill_busted")
    assert await refused(f"{path}/fills/exec-1/correct", values | {"quantity": "0"}) == (422, "not_positive")
    assert await refused(f"/v1/orders/{assumed['order_id']}/fills/x/bust") == (404, "unknown_execution")
    assert await refused("/v1/orders/nothing/fills/x/bust") == (404, "unknown_order")


async def test_a_correction_far_from_the_market_is_refused(client: httpx.AsyncClient) -> None:
    path, _ = await filled(client)
    before = (await client.get(path)).json()

    response = await client.post(f"{path}/fills/exec-1/correct", json={"quantity": "1", "price": "100000"})

    assert (response.status_code, response.json()["code"]) == (422, "price_implausible")
    assert (await client.get(path)).json() == before
