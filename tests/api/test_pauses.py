"""An order that is paused and resumed, over HTTP."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from pathlib import Path

import httpx
import pytest

from tests.api.conftest import serving
from tests.api.wire import HISTORY, Json, bars_json, next_slice, prepared, sent
from tests.builders import at, bars

LATER = bars(40, first=HISTORY, seed=1)
WHOLE = {"min_steps": 12, "max_steps": 12}


async def told(client: httpx.AsyncClient, order: Json, what: str) -> Json:
    response = await client.post(f"/v1/orders/{order['order_id']}/{what}")
    assert response.status_code == 200, response.text
    answer: Json = response.json()
    return answer


async def feed(client: httpx.AsyncClient, first: int, count: int) -> None:
    response = await client.post("/v1/bars", json=bars_json(LATER[first : first + count]))
    assert response.status_code == 200, response.text


async def slices_of(client: httpx.AsyncClient, order: Json) -> list[Json]:
    found: list[Json] = (await client.get(f"/v1/orders/{order['order_id']}/slices")).json()["slices"]
    return found


async def test_a_paused_order_asks_for_nothing_and_its_rest_goes_into_the_steps_that_are_left(
    client: httpx.AsyncClient,
) -> None:
    await prepared(client)
    order = await sent(client, horizon=WHOLE)
    await feed(client, 0, 3)

    paused = await told(client, order, "pause")
    await feed(client, 3, 4)
    offered = await next_slice(client, order["order_id"])
    resumed = await told(client, order, "resume")
    await feed(client, 7, 10)

    assert (paused["status"], offered["status"], offered["slice"], resumed["status"]) == (
        *("paused", "paused", None),
        "working",
    )
    slices = await slices_of(client, order)
    assert [piece["step"] for piece in slices] == list(range(1, 13))
    while_paused = slices[4:8]  # the windows that opened between the two calls
    assert {piece["quantity"] for piece in while_paused} == {"0"}
    assert "paused" in {piece["bound_by"] for piece in while_paused}
    assert sum(Decimal(piece["quantity"]) for piece in slices) == 10
    shown = (await client.get(f"/v1/orders/{order['order_id']}")).json()
    assert (shown["status"], shown["leaves"]) == ("completed", "0")


async def test_the_slice_whose_window_has_begun_stays_in_flight(client: httpx.AsyncClient) -> None:
    await prepared(client)
    order = await sent(client, horizon=WHOLE)
    running = Decimal((await next_slice(client, order["order_id"]))["slice"]["quantity"])

    paused = await told(client, order, "pause")
    await feed(client, 0, 1)

    assert Decimal(paused["in_flight"]) == running > 0
    shown = (await client.get(f"/v1/orders/{order['order_id']}")).json()
    assert (Decimal(shown["filled_quantity"]), shown["in_flight"]) == (running, "0")


async def test_an_order_that_stays_paused_expires_with_what_is_left(client: httpx.AsyncClient) -> None:
    await prepared(client)
    order = await sent(client, horizon=WHOLE)
    await told(client, order, "pause")

    await feed(client, 0, 13)

    shown = (await client.get(f"/v1/orders/{order['order_id']}")).json()
    assert (shown["status"], shown["stop_reason"], shown["step"]) == ("expired", "max_steps", 12)
    assert Decimal(shown["leaves"]) > 0


async def test_twice_is_once_and_an_ended_order_is_a_conflict(client: httpx.AsyncClient) -> None:
    await prepared(client)
    order = await sent(client, horizon=WHOLE)

    first, again = await told(client, order, "pause"), await told(client, order, "pause")
    resumed, once_more = await told(client, order, "resume"), await told(client, order, "resume")
    await told(client, order, "cancel")

    assert first == again
    assert resumed == once_more
    for what in ("pause", "resume"):
        response = await client.post(f"/v1/orders/{order['order_id']}/{what}")
        assert (response.status_code, response.json()["code"]) == (409, "order_ended")


async def test_a_paused_order_can_be_cancelled(client: httpx.AsyncClient) -> None:
    await prepared(client)
    order = await sent(client)
    await told(client, order, "pause")

    assert (await told(client, order, "cancel"))["status"] == "cancelled"


async def test_whoever_waits_for_a_paused_order_is_answered_when_it_goes_on(client: httpx.AsyncClient) -> None:
    await prepared(client)
    order = await sent(client, horizon=WHOLE)
    await told(client, order, "pause")
    path = f"/v1/orders/{order['order_id']}/slices/next"

    async with asyncio.TaskGroup() as group:
        waiting = group.create_task(client.get(path, params={"wait": 30}))
        assert (await client.get(path)).json()["slice"] is None
        await told(client, order, "resume")

    assert waiting.result().json()["slice"] is not None


async def test_an_order_that_has_not_begun_is_accepted_again_when_it_resumes(client: httpx.AsyncClient) -> None:
    await prepared(client)
    order = await sent(client, start_time=at(HISTORY + 4).isoformat(), horizon=WHOLE)
    assert order["status"] == "accepted"

    assert (await told(client, order, "pause"))["status"] == "paused"
    assert (await told(client, order, "resume"))["status"] == "accepted"


async def test_a_paused_order_stays_paused_over_a_restart(tmp_path: Path) -> None:
    async with serving(tmp_path) as client:
        await prepared(client)
        order = await sent(client, horizon=WHOLE)
        await told(client, order, "pause")
        await feed(client, 0, 2)

    async with serving(tmp_path) as client:
        assert (await next_slice(client, order["order_id"]))["status"] == "paused"
        await feed(client, 2, 2)
        await told(client, order, "resume")
        await feed(client, 4, 12)
        shown = (await client.get(f"/v1/orders/{order['order_id']}")).json()

    assert (shown["status"], shown["leaves"]) == ("completed", "0")


async def test_the_schedule_of_a_paused_order_is_that_of_going_on_now(client: httpx.AsyncClient) -> None:
    await prepared(client)
    order = await sent(client, horizon=WHOLE)
    await told(client, order, "pause")
    await feed(client, 0, 2)

    steps = (await client.get(f"/v1/orders/{order['order_id']}/schedule")).json()["steps"]

    projected = [step for step in steps if step["state"] == "projected"]
    assert [step["step"] for step in projected] == list(range(4, 13))
    assert sum(Decimal(step["fraction"]) for step in projected) > Decimal("0.8")


@pytest.mark.parametrize("what", ["pause", "resume"])
async def test_an_unknown_order_cannot_be_told_anything(client: httpx.AsyncClient, what: str) -> None:
    response = await client.post(f"/v1/orders/nothing/{what}")

    assert (response.status_code, response.json()["code"]) == (404, "unknown_order")
