"""A second bundle decides silently, and nothing but the comparison tells of it."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import httpx
import pytest

from app.engine.engine import Engine
from tests.api.conftest import serving
from tests.api.keyed import Keyed
from tests.api.test_catalogue import OTHER, OWN
from tests.api.wire import HISTORY, Json, bars_json, order_json, prepared, sent
from tests.builders import bars

STEPS = 4
LATER = bars(STEPS + 1, first=HISTORY, seed=1)


def engine_of(client: httpx.AsyncClient) -> Engine:
    """That of the application behind the client."""
    engine: Engine = client._transport.app.state.services.engine  # type: ignore[attr-defined]
    return engine


async def looked(client: httpx.AsyncClient) -> None:
    """The shadow has looked at all that was there; a look that has begun before does not count."""
    for _ in range(2):
        await engine_of(client).shadows.look()


async def traded(client: httpx.AsyncClient, *names: str) -> list[Json]:
    """Orders of those names, traded to their end and beyond their longest horizon."""
    horizon = {"min_steps": 1, "max_steps": STEPS}
    orders = [await sent(client, client_order_id=name, horizon=horizon) for name in names]
    assert (await client.post("/v1/bars", json=bars_json(LATER))).status_code == 200
    await looked(client)
    return orders


async def compared(client: httpx.AsyncClient, name: str = "lem-1") -> Json:
    response = await client.get(f"/v1/models/{name}/shadow")
    assert response.status_code == 200, response.text
    answer: Json = response.json()
    return answer


async def test_a_shadow_decides_the_orders_that_end_and_changes_none_of_them(client: httpx.AsyncClient) -> None:
    await prepared(client)
    shadow = (await client.post("/v1/models/lem-1/shadow")).json()

    [order] = await traded(client, "oms-1")
    found = await compared(client)

    slices = (await client.get(f"/v1/orders/{order['order_id']}/slices")).json()["slices"]
    assert (shadow["name"], found["name"], found["since"]) == (OTHER, OTHER, shadow["since"])
    assert {piece["model"] for piece in slices} == {OWN}
    [totals], [one] = found["against"], found["newest"]
    assert (totals["own"], totals["orders"]) == (OWN, 1)
    assert (one["order_id"], one["own_steps"], one["steps"]) == (order["order_id"], len(slices), len(slices))
    assert 1 <= one["shadow_steps"] <= STEPS


async def test_what_its_own_bundle_does_again_is_what_the_order_did(client: httpx.AsyncClient) -> None:
    await prepared(client)
    await client.post("/v1/models/lem-1/shadow")

    [order] = await traded(client, "oms-1")
    [one] = (await compared(client))["newest"]

    ended = (await client.get(f"/v1/orders/{order['order_id']}")).json()
    assert one["own_slippage_bps"] == ended["slippage_bps"]
    saved = (await compared(client))["against"][0]["saved_bps"]["mean"]
    assert abs(Decimal(saved) - Decimal(one["own_slippage_bps"]) + Decimal(one["shadow_slippage_bps"])) < Decimal(
        "0.001"
    )


async def test_a_bundle_that_shadows_itself_agrees_with_itself(client: httpx.AsyncClient) -> None:
    await prepared(client)
    await client.post("/v1/models/lem-2/shadow")

    await traded(client, "oms-1", "oms-2")
    [totals] = (await compared(client, "lem-2"))["against"]

    assert (totals["orders"], totals["stops_alike"], totals["fraction_apart"]) == (2, "1", "0")
    assert totals["own_steps"] == totals["shadow_steps"]
    assert totals["saved_bps"]["mean"] == "0"


async def test_an_order_that_was_cancelled_is_compared_as_if_it_had_gone_on(client: httpx.AsyncClient) -> None:
    await prepared(client)
    await client.post("/v1/models/lem-1/shadow")
    order = await sent(client, horizon={"min_steps": STEPS, "max_steps": STEPS})
    await client.post(f"/v1/orders/{order['order_id']}/cancel")

    await looked(client)
    too_early = await compared(client)
    await client.post("/v1/bars", json=bars_json(LATER))
    await looked(client)

    assert too_early["newest"] == []
    [one] = (await compared(client))["newest"]
    assert (one["own_steps"], one["shadow_steps"]) == (STEPS, STEPS)


async def test_a_shadow_that_has_ended_decides_nothing_and_keeps_what_it_has(client: httpx.AsyncClient) -> None:
    await prepared(client)
    await client.post("/v1/models/lem-1/shadow")
    await traded(client, "oms-1")

    ended = [await client.delete("/v1/models/lem-1/shadow") for _ in range(2)]
    after = await compared(client)

    assert [each.status_code for each in ended] == [204, 204]
    assert (after["since"], len(after["newest"])) == (None, 1)
    assert engine_of(client).models.shadow is None


async def test_a_shadow_is_there_after_a_restart(tmp_path: Path) -> None:
    async with serving(tmp_path) as client:
        await prepared(client)
        await client.post("/v1/models/lem-1/shadow")

    async with serving(tmp_path) as client:
        await traded(client, "oms-1")
        found = await compared(client)

    assert [each["orders"] for each in found["against"]] == [1]


async def test_an_order_with_more_steps_than_the_shadow_knows_is_left_out_and_counted(
    client: httpx.AsyncClient,
) -> None:
    await prepared(client)
    await client.post("/v1/models/lem-1/shadow")
    answer = await client.post("/v1/orders", json=order_json(horizon={"min_steps": 25, "max_steps": 25}))
    await client.post("/v1/bars", json=bars_json(bars(26, first=HISTORY, seed=1)))

    await looked(client)

    assert answer.status_code == 201
    assert (await compared(client))["newest"] == []
    assert 'lem_shadowed_orders_total{result="left_out"} 1.0' in (await client.get("/metrics")).text


async def test_a_key_of_one_account_does_not_see_what_orders_of_all_cost(keyed: Keyed) -> None:
    answer = await keyed.client.get("/v1/models/lem-1/shadow", headers=await keyed.key(account="alpha"))

    assert (answer.status_code, answer.json()["code"]) == (403, "foreign_account")


@pytest.mark.parametrize("call", ["activate", "shadow"])
async def test_a_bundle_that_nobody_knows_is_neither_activated_nor_a_shadow(
    client: httpx.AsyncClient, call: str
) -> None:
    answer = await client.post(f"/v1/models/lem-9/{call}")

    assert (answer.status_code, answer.json()["code"]) == (404, "unknown_model")
