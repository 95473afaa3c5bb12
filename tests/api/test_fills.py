"""Reported fills are booked once each."""

from __future__ import annotations

from decimal import Decimal

import httpx

from tests.api.wire import Json, next_slice, order_json, prepared, sent


def fill_json(slice_id: str, **changes: str) -> Json:
    body = {"execution_id": "exec-1", "slice_id": slice_id, "quantity": "0.01", "price": "100.5"}
    return body | {"executed_at": "2025-01-06T20:01:00Z"} | changes


async def state(client: httpx.AsyncClient, fills: str = "reported") -> tuple[str, str]:
    """The paths of an order's fills, and the id of its first slice."""
    await prepared(client)
    horizon = {"min_steps": 1, "max_steps": 2}  # at least one of the two slices trades
    order_id = (await sent(client, fills=fills, horizon=horizon, limits={"max_slice_fraction": "0.5"}))["order_id"]
    return f"/v1/orders/{order_id}", (await next_slice(client, order_id))["slice"]["slice_id"]


async def test_a_fill_is_booked_and_its_repeat_is_not(client: httpx.AsyncClient) -> None:
    path, slice_id = await state(client)

    first = await client.post(f"{path}/fills", json=fill_json(slice_id))
    again = await client.post(f"{path}/fills", json=fill_json(slice_id))

    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == again.json()
    booked = first.json()
    assert (booked["filled_quantity"], booked["filled_notional"], booked["leaves"]) == ("0.01", "1.005", "9.99")
    assert booked["avg_price"] == "100.5"


async def test_an_execution_id_with_other_values_is_a_conflict(client: httpx.AsyncClient) -> None:
    path, slice_id = await state(client)
    await client.post(f"{path}/fills", json=fill_json(slice_id))

    response = await client.post(f"{path}/fills", json=fill_json(slice_id, price="101"))

    assert (response.status_code, response.json()["code"]) == (409, "execution_id_reused")


async def test_a_fill_after_a_cancel_moves_the_quantities_only(client: httpx.AsyncClient) -> None:
    path, slice_id = await state(client)
    await client.post(f"{path}/cancel")

    response = await client.post(f"{path}/fills", json=fill_json(slice_id))

    assert response.status_code == 201
    assert (response.json()["status"], response.json()["filled_quantity"]) == ("cancelled", "0.01")


async def test_what_no_fill_can_be_is_refused(client: httpx.AsyncClient) -> None:
    path, slice_id = await state(client)
    before = (await client.get(path)).json()

    async def refused(field: str, value: str) -> str:
        body = fill_json(**{"slice_id": slice_id, field: value})
        response = await client.post(f"{path}/fills", json=body)
        problem = response.json()
        assert (response.status_code, problem["errors"][0]["pointer"]) == (422, f"#/{field}")
        return str(problem["code"])

    assert await refused("slice_id", "nope-1") == "unknown_slice"
    assert await refused("quantity", "0") == "not_positive"
    assert await refused("price", "-1") == "not_positive"
    assert await refused("executed_at", "2025-01-06T20:01:00") == "naive_time"
    assert await refused("price", "100500") == "price_implausible"
    assert await refused("executed_at", "2199-01-06T20:01:00Z") == "executed_at_implausible"
    assert (await client.get(path)).json() == before


async def test_a_fill_of_more_than_the_slice_asks_for_is_booked_and_marks_the_order(client: httpx.AsyncClient) -> None:
    path, slice_id = await state(client)
    asked = Decimal((await client.get(path)).json()["in_flight"])
    body = fill_json(slice_id, quantity=f"{asked + 1}", executed_at="2025-01-07T16:00:01Z")

    first = await client.post(f"{path}/fills", json=body)
    again = await client.post(f"{path}/fills", json=body)

    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == again.json()
    assert (first.json()["over_filled"], first.json()["warnings"]) == ("1", ["over_filled"])
    assert (await client.get(path)).json()["over_filled"] == "1"


async def test_an_order_that_reports_have_completed_has_nothing_to_trade_though_its_window_runs(
    client: httpx.AsyncClient,
) -> None:
    path, slice_id = await state(client)

    order = (await client.post(f"{path}/fills", json=fill_json(slice_id, quantity="10"))).json()

    assert order["status"] == "completed"
    assert (await next_slice(client, order["order_id"]))["slice"] is None


async def test_a_slice_that_is_closed_is_no_longer_in_flight(client: httpx.AsyncClient) -> None:
    path, slice_id = await state(client)
    await client.post(f"{path}/fills", json=fill_json(slice_id))

    closed = await client.post(f"{path}/slices/1/close")
    again = await client.post(f"{path}/slices/1/close")

    assert (closed.status_code, again.status_code) == (200, 200)
    assert (closed.json()["in_flight"], closed.json()["leaves"]) == ("0", "9.99")
    assert closed.json() == again.json()


async def test_only_a_slice_of_the_order_can_be_closed(client: httpx.AsyncClient) -> None:
    path, _ = await state(client)

    async def code(step: object) -> tuple[int, str]:
        response = await client.post(f"{path}/slices/{step}/close")
        return response.status_code, response.json()["code"]

    assert [await code(step) for step in (-1, 0, 2, 10**30)] == [(404, "unknown_step")] * 4
    assert await code("next") == (422, "wrong_type")


async def test_the_delay_of_the_reports_is_answered_and_bounded(client: httpx.AsyncClient) -> None:
    await prepared(client)

    order = await sent(client, fills="reported", report_delay_seconds=60)
    refused = await client.post("/v1/orders", json=order_json(client_order_id="oms-2", report_delay_seconds=604_801))

    assert order["report_delay_seconds"] == 60
    assert (refused.status_code, refused.json()["code"]) == (422, "out_of_range")
    assert refused.json()["errors"][0]["pointer"] == "#/report_delay_seconds"


async def test_an_order_with_assumed_fills_takes_no_reports(client: httpx.AsyncClient) -> None:
    path, slice_id = await state(client, fills="assumed")

    reported = await client.post(f"{path}/fills", json=fill_json(slice_id))
    closed = await client.post(f"{path}/slices/1/close")

    for response in (reported, closed):
        assert (response.status_code, response.json()["code"]) == (409, "fills_assumed")
