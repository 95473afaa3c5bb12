"""An order over HTTP, from the door to its end."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from itertools import product

import httpx
import pytest

from tests.api.wire import HISTORY, Json, bars_json, next_slice, order_json, prepared, sent
from tests.builders import at, bars

LATER = bars(30, first=HISTORY, seed=1)


async def replay(client: httpx.AsyncClient, order_id: str) -> list[Json]:
    """Post bars until the order has ended and its last window has closed; the slices on the way."""
    slices: list[Json] = []
    for bar in LATER:
        answer = await next_slice(client, order_id)
        if answer["slice"] is None:
            break
        slices.append(answer["slice"])
        assert (await client.post("/v1/bars", json=bars_json([bar]))).status_code == 200
    return slices


@pytest.mark.parametrize(
    ("side", "benchmark", "size"),
    list(product(("buy", "sell"), ("vwap", "twap"), ({"quantity": "10"}, {"quantity": None, "notional": "1000.01"}))),
)
async def test_an_order_of_each_scenario_is_done_exactly(
    client: httpx.AsyncClient, side: str, benchmark: str, size: Json
) -> None:
    await prepared(client)
    fixed = "notional" if "notional" in size else "quantity"

    accepted = await sent(client, side=side, benchmark=benchmark, **size)
    slices = await replay(client, accepted["order_id"])
    order = (await client.get(f"/v1/orders/{accepted['order_id']}")).json()

    assert order["status"] == "completed"
    assert sum(Decimal(piece[fixed]) for piece in slices) == Decimal(size[fixed])
    assert order["leaves"] == "0"
    assert order["step"] == len(slices) <= 12
    assert slices[-1]["final"]
    assert order["stop_reason"] == slices[-1]["stop_reason"]
    assert Decimal(order["slippage_bps"]) == round(slippage_of(order), 4)


def slippage_of(order: Json) -> Decimal:
    """The definition, from the prices that the order shows."""
    sign = 1 if order["side"] == "buy" else -1
    return sign * (Decimal(order["avg_price"]) / Decimal(order["benchmark_price"]) - 1) * 10_000


async def test_the_first_slice_is_decided_with_the_order_and_trades_in_the_next_window(
    client: httpx.AsyncClient,
) -> None:
    await prepared(client)

    accepted = await sent(client)
    answer = await next_slice(client, accepted["order_id"])

    assert answer["status"] == accepted["status"] == "working"
    piece = answer["slice"]
    assert piece["slice_id"] == f"{accepted['order_id']}-1"
    assert piece["window"] == {"start": wire_time(HISTORY), "end": wire_time(HISTORY + 1)}
    assert piece["decided_on"] == wire_time(HISTORY - 1)
    assert piece["basis"] == "model"


def wire_time(step: int) -> str:
    return at(step).isoformat().replace("+00:00", "Z")


async def test_a_repeat_gets_the_first_answer_and_another_body_is_a_conflict(client: httpx.AsyncClient) -> None:
    await prepared(client)

    first = await client.post("/v1/orders", json=order_json())
    again = await client.post("/v1/orders", json=order_json(quantity="10.00"))
    other = await client.post("/v1/orders", json=order_json(quantity="11"))

    assert (first.status_code, again.status_code, other.status_code) == (201, 200, 409)
    assert first.json() == again.json()
    assert other.json()["code"] == "client_order_id_reused"


async def test_an_order_shows_everything_that_was_sent(client: httpx.AsyncClient) -> None:
    await prepared(client)
    body = order_json(
        start_time="2025-01-08T01:00:00+01:00",
        limits={"max_slice_fraction": "0.50", "max_participation_rate": "0.1", "limit_price": "101.5"},
        risk_aversion="0",
        fills="reported",
    )

    order = (await client.post("/v1/orders", json=body)).json()

    assert order["start_time"] == "2025-01-08T00:00:00Z"
    limits = {"max_slice_fraction": "0.5", "max_participation_rate": "0.1", "limit_price": "101.5"}
    others = dict.fromkeys(("finish_price", "avoid_open_minutes", "avoid_close_minutes"))
    assert order["limits"] == limits | others
    assert order["horizon"] == steps_and_times(1, 12)
    assert (order["quantity"], order["notional"], order["risk_aversion"]) == ("10", None, "0")
    assert (order["status"], order["fills"], order["step"]) == ("accepted", "reported", 0)


def steps_and_times(
    min_steps: int, max_steps: int, *, earliest_end: str | None = None, latest_end: str | None = None
) -> Json:
    steps: Json = {"min_steps": min_steps, "max_steps": max_steps, "step_seconds": None}
    return steps | {"earliest_end": earliest_end, "latest_end": latest_end}


async def test_an_order_whose_horizon_is_given_in_time_shows_times_and_steps_for_good(
    client: httpx.AsyncClient,
) -> None:
    await prepared(client)
    times = {"earliest_end": wire_time(HISTORY + 3), "latest_end": wire_time(HISTORY + 6)}
    first = await client.post("/v1/orders", json=order_json(horizon=times))
    await client.post("/v1/bars", json=bars_json(LATER[:2]))

    again = await client.post("/v1/orders", json=order_json(horizon=times))
    page = (await client.get("/v1/orders")).json()["orders"]
    schedule = (await client.get(f"/v1/orders/{first.json()['order_id']}/schedule")).json()

    shown = steps_and_times(3, 6, **times)
    assert (first.status_code, again.status_code) == (201, 200)
    assert [first.json()["horizon"], again.json()["horizon"], page[0]["horizon"]] == [shown] * 3
    assert schedule["steps"][-1]["window"]["end"] <= times["latest_end"]


async def test_an_order_before_its_start_has_no_slice(client: httpx.AsyncClient) -> None:
    await prepared(client)
    accepted = await sent(client, start_time=at(HISTORY + 10).isoformat())

    answer = await next_slice(client, accepted["order_id"])

    assert answer == {"order_id": accepted["order_id"], "status": "accepted", "slice": None}


async def test_pages_of_orders_hold_each_of_them_once(client: httpx.AsyncClient) -> None:
    await prepared(client)
    ids = {(await sent(client, client_order_id=f"oms-{number}"))["order_id"] for number in range(5)}

    seen, cursor = [], ""
    while True:
        page = (await client.get(f"/v1/orders?limit=2{cursor}")).json()
        seen += [order["order_id"] for order in page["orders"]]
        if page["next_cursor"] is None:
            break
        cursor = f"&cursor={page['next_cursor']}"

    assert len(seen) == 5
    assert set(seen) == ids


async def test_orders_are_found_by_status_instrument_and_client_order_id(client: httpx.AsyncClient) -> None:
    await prepared(client)
    first, second = await sent(client), await sent(client, client_order_id="oms-2")
    await client.post(f"/v1/orders/{first['order_id']}/cancel")

    async def found(**wanted: str) -> list[str]:
        page = (await client.get("/v1/orders", params=wanted)).json()
        return [order["order_id"] for order in page["orders"]]

    assert await found(status="cancelled") == [first["order_id"]]
    assert await found(status="working") == [second["order_id"]]
    assert await found(client_order_id="oms-2") == [second["order_id"]]
    assert await found(instrument="NOPE") == []


async def test_cancelling_twice_is_once_and_ends_the_slices(client: httpx.AsyncClient) -> None:
    await prepared(client)
    order_id = (await sent(client))["order_id"]

    first = await client.post(f"/v1/orders/{order_id}/cancel")
    again = await client.post(f"/v1/orders/{order_id}/cancel")

    assert first.json() == again.json()
    assert first.json()["status"] == "cancelled"
    assert (await next_slice(client, order_id))["slice"] is None


async def test_a_completed_order_cannot_be_cancelled(client: httpx.AsyncClient) -> None:
    await prepared(client)
    order_id = (await sent(client))["order_id"]
    await replay(client, order_id)

    response = await client.post(f"/v1/orders/{order_id}/cancel")

    assert (response.status_code, response.json()["code"]) == (409, "order_ended")


async def test_who_waits_gets_the_slice_when_its_bar_closes(client: httpx.AsyncClient) -> None:
    await prepared(client)
    accepted = await sent(client, start_time=at(HISTORY + 1).isoformat())

    waiting = asyncio.create_task(next_slice(client, accepted["order_id"], wait=30))
    await asyncio.sleep(0)
    await client.post("/v1/bars", json=bars_json(LATER[:1]))
    answer = await asyncio.wait_for(waiting, timeout=10)

    assert answer["slice"]["window"]["start"] == wire_time(HISTORY + 1)


async def test_who_waits_in_vain_is_told_so_in_time(client: httpx.AsyncClient) -> None:
    await prepared(client)
    accepted = await sent(client, start_time=at(HISTORY + 10).isoformat())

    answer = await next_slice(client, accepted["order_id"], wait=0.05)

    assert answer["slice"] is None


async def test_the_schedule_holds_done_current_and_projected_steps(client: httpx.AsyncClient) -> None:
    await prepared(client)
    order_id = (await sent(client, horizon={"min_steps": 6, "max_steps": 12}))["order_id"]
    await client.post("/v1/bars", json=bars_json(LATER[:2]))

    steps = (await client.get(f"/v1/orders/{order_id}/schedule")).json()["steps"]

    assert [step["step"] for step in steps] == list(range(1, 13))
    assert [step["state"] for step in steps] == ["done"] * 2 + ["current"] + ["projected"] * 9
    assert steps[3]["window"] == {"start": wire_time(HISTORY + 3), "end": wire_time(HISTORY + 4)}
    assert sum(Decimal(step["end_probability"]) for step in steps) == pytest.approx(Decimal(1), abs=Decimal("0.0001"))
    assert steps[0]["slice"]["slice_id"] == f"{order_id}-1"


async def test_steps_longer_than_bars_are_aligned_and_wait_for_their_bars(client: httpx.AsyncClient) -> None:
    await prepared(client)
    horizon = {"min_steps": 1, "max_steps": 3, "step_seconds": 3600}

    order_id = (await sent(client, horizon=horizon))["order_id"]
    piece = (await next_slice(client, order_id))["slice"]

    assert piece["window"] == {"start": wire_time(HISTORY), "end": wire_time(HISTORY + 4)}


async def test_the_same_order_sent_many_times_at_once_is_one_order(client: httpx.AsyncClient) -> None:
    await prepared(client)

    responses = await asyncio.gather(*(client.post("/v1/orders", json=order_json()) for _ in range(20)))

    assert sorted(response.status_code for response in responses) == [200] * 19 + [201]
    assert len({response.text for response in responses}) == 1
    assert len((await client.get("/v1/orders")).json()["orders"]) == 1
