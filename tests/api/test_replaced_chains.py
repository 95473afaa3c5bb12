"""Orders that have replaced one another, as one chain: over HTTP."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from typing import Any

import httpx

from tests.api.test_replaces import WHOLE, feed, replace, shown
from tests.api.wire import HISTORY, next_slice, prepared, sent
from tests.builders import at


async def test_an_order_that_is_replaced_by_its_own_terms_trades_and_costs_what_it_would_have(
    client: httpx.AsyncClient,
) -> None:
    await prepared(client)
    terms: dict[str, Any] = {"horizon": {"min_steps": 6, "max_steps": 12}}
    alone, old = await sent(client, client_order_id="alone", **terms), await sent(client, **terms)
    await feed(client, 0, 2)
    middle = await replace(client, old, **terms)
    await feed(client, 2, 1)
    new = await replace(client, middle, "oms-3", **terms)
    await feed(client, 3, 12)

    for what, name in (("slices", "quantity"), ("slices", "executed"), ("schedule", "executed")):
        key = "steps" if what == "schedule" else what
        told = [(await client.get(f"/v1/orders/{each['order_id']}/{what}")).json()[key] for each in (alone, new)]
        assert [piece[name] for piece in told[0]] == [piece[name] for piece in told[1]], (what, name)
    costs = [(await client.get(f"/v1/orders/{each['order_id']}/tca")).json() for each in (alone, new)]
    for figures in costs:
        del figures["order_id"], figures["client_order_id"]
    assert costs[0] == costs[1]
    totals = (await client.get("/v1/tca")).json()
    left = (await client.get("/v1/tca", params={"status": "replaced"})).json()
    assert (totals["all"]["orders"], left["all"]["orders"]) == (2, 2)


async def test_fractions_of_a_chain_s_schedule_are_of_the_new_order(client: httpx.AsyncClient) -> None:
    await prepared(client)
    old = await sent(client, horizon=WHOLE)
    await feed(client, 0, 3)

    new = await replace(client, old, quantity="20")
    steps = (await client.get(f"/v1/orders/{new['order_id']}/schedule")).json()["steps"]

    assert abs(sum((Decimal(step["fraction"]) for step in steps), Decimal(0)) - 1) < Decimal("0.01")
    done = [step for step in steps if step["state"] == "done"]
    traded = sum((Decimal(step["fraction"]) for step in done), Decimal(0))
    assert abs(traded - Decimal(new["filled_quantity"]) / 20) < Decimal("1e-9")


async def test_who_waits_for_an_order_that_is_replaced_is_answered_at_once(client: httpx.AsyncClient) -> None:
    await prepared(client)
    old = await sent(client, horizon=WHOLE, start_time=at(HISTORY + 8).isoformat())

    async with asyncio.TaskGroup() as group:
        waiting = group.create_task(next_slice(client, old["order_id"], wait=30))
        await next_slice(client, old["order_id"])
        await replace(client, old)

    assert (waiting.result()["status"], waiting.result()["slice"]) == ("replaced", None)


async def test_a_notional_order_is_replaced_by_a_notional(client: httpx.AsyncClient) -> None:
    await prepared(client)
    old = await sent(client, quantity=None, notional="1000", horizon=WHOLE)
    await feed(client, 0, 3)

    new = await replace(client, old, quantity=None, notional="1500")
    await feed(client, 3, 12)
    ended = await shown(client, new)

    assert (ended["status"], ended["filled_notional"], ended["leaves"]) == ("completed", "1500", "0")
