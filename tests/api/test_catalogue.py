"""Several bundles beside each other: activated, pinned and refused while the service runs."""

from __future__ import annotations

import shutil
from pathlib import Path

import httpx
import pytest

from app.bundles.bundle import bundle_name, read_card
from app.bundles.shipped import SHIPPED_BUNDLE, SHIPPED_BUNDLES
from tests.api.conftest import serving
from tests.api.wire import HISTORY, Json, bars_json, next_slice, order_json, prepared, sent
from tests.builders import bars

OWN, OTHER = (bundle_name(read_card(folder)) for folder in (SHIPPED_BUNDLE, SHIPPED_BUNDLES / "lem-1"))
LATER = bars(8, first=HISTORY, seed=1)
NO_STOP = {"min_steps": 8, "max_steps": 8}


async def listed(client: httpx.AsyncClient) -> dict[str, Json]:
    return {each["name"]: each for each in (await client.get("/v1/models")).json()["models"]}


async def activated(client: httpx.AsyncClient, name: str) -> Json:
    response = await client.post(f"/v1/models/{name}/activate")
    assert response.status_code == 200, response.text
    answer: Json = response.json()
    return answer


async def deciders(client: httpx.AsyncClient, *orders: Json) -> list[set[str]]:
    """Who has decided the slices of each order."""
    slices = [(await client.get(f"/v1/orders/{each['order_id']}/slices")).json()["slices"] for each in orders]
    return [{piece["model"] for piece in pieces} for pieces in slices]


async def test_all_shipped_bundles_are_listed_and_one_of_them_is_active(client: httpx.AsyncClient) -> None:
    models = await listed(client)

    assert {name: (each["active"], each["serves"]) for name, each in models.items()} == {
        OWN: (True, True),
        OTHER: (False, True),
    }
    assert models[OTHER]["card"]["max_steps"] == 24


async def test_orders_under_way_stay_on_their_bundle_when_another_one_is_activated(client: httpx.AsyncClient) -> None:
    await prepared(client)
    before = await sent(client, horizon=NO_STOP)

    answer = await activated(client, "lem-1")
    after = await sent(client, client_order_id="oms-2", horizon=NO_STOP)
    for bar in LATER:
        await client.post("/v1/bars", json=bars_json([bar]))

    assert (answer["name"], answer["former"]) == (OTHER, OWN)
    assert (before["model"], after["model"]) == (OWN, OTHER)
    assert await deciders(client, before, after) == [{OWN}, {OTHER}]


async def test_to_activate_the_former_bundle_rolls_back(client: httpx.AsyncClient) -> None:
    await prepared(client)
    former = (await activated(client, OTHER))["former"]

    answer = await activated(client, former)

    assert answer["former"] == OTHER
    assert (await sent(client))["model"] == OWN
    assert [name for name, each in (await listed(client)).items() if each["active"]] == [OWN]


async def test_what_was_activated_is_active_after_a_restart_and_orders_keep_their_bundle(tmp_path: Path) -> None:
    async with serving(tmp_path) as client:
        await prepared(client)
        before = await sent(client, horizon=NO_STOP)
        await activated(client, OTHER)

    async with serving(tmp_path) as client:
        after = await sent(client, client_order_id="oms-2", horizon=NO_STOP)
        for bar in LATER:
            await client.post("/v1/bars", json=bars_json([bar]))
        found = await deciders(client, before, after)

    assert after["model"] == OTHER
    assert found == [{OWN}, {OTHER}]


async def test_an_order_may_name_its_bundle(client: httpx.AsyncClient) -> None:
    await prepared(client)

    pinned = await sent(client, model="lem-1")
    again = await client.post("/v1/orders", json=order_json(model="lem-1"))
    piece = (await next_slice(client, pinned["order_id"]))["slice"]

    assert (pinned["model"], piece["model"], piece["basis"]) == (OTHER, OTHER, "model")
    assert (again.status_code, again.json()["order_id"]) == (200, pinned["order_id"])
    assert (await sent(client, client_order_id="oms-2"))["model"] == OWN


@pytest.mark.parametrize(
    ("changes", "status", "code", "pointer"),
    [
        ({"model": "lem-9"}, 404, "unknown_model", "#/model"),
        ({"model": "lem-1", "horizon": {"min_steps": 1, "max_steps": 25}}, 422, "horizon_too_long", None),
    ],
)
async def test_an_order_that_its_bundle_cannot_decide_is_refused(
    client: httpx.AsyncClient, changes: Json, status: int, code: str, pointer: str | None
) -> None:
    await prepared(client)

    answer = await client.post("/v1/orders", json=order_json(**changes))

    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert pointer in (None, answer.json()["errors"][0]["pointer"])


async def test_a_damaged_bundle_says_why_it_does_not_serve_and_cannot_be_activated(tmp_path: Path) -> None:
    shelf = tmp_path / "bundles"
    damaged = Path(shutil.copytree(SHIPPED_BUNDLES / "lem-1", shelf / "lem-broken"))
    (damaged / "decision.onnx").write_bytes(b"no graph")

    async with serving(tmp_path / "data", bundles=shelf) as client:
        await prepared(client)
        found = (await listed(client))["lem-broken"]
        refused = [
            await client.post("/v1/models/lem-broken/activate"),
            await client.post("/v1/orders", json=order_json(model="lem-broken")),
            await client.get("/v1/models/lem-broken/card"),
        ]

    assert not found["serves"]
    assert "has the checksum" in found["problem"]
    assert [(each.status_code, each.json()["code"]) for each in refused] == [(409, "model_refused")] * 3


async def test_a_bundle_that_is_put_into_the_folder_serves_without_a_restart(tmp_path: Path) -> None:
    shelf = tmp_path / "bundles"
    shelf.mkdir()
    async with serving(tmp_path / "data", bundles=shelf) as client:
        await prepared(client)
        unknown = await client.post("/v1/models/lem-new/activate")
        folder = Path(shutil.copytree(SHIPPED_BUNDLES / "lem-1", shelf / "lem-new"))
        card = folder / "card.json"
        card.write_text(card.read_text().replace('"name":"lem-1"', '"name":"lem-new"', 1))

        answer = await activated(client, "lem-new")

    assert unknown.status_code == 404
    assert answer["name"].startswith("lem-new@")


@pytest.mark.parametrize(
    ("accept", "kind", "holds"),
    [
        ("application/json", "application/json", '"max_steps":24'),
        ("text/markdown", "text/markdown; charset=utf-8", "| Longest horizon | 24 steps |"),
        ("text/html", "text/html; charset=utf-8", "<td>24 steps</td>"),
    ],
)
async def test_a_card_is_answered_in_the_format_that_is_asked_for(
    client: httpx.AsyncClient, accept: str, kind: str, holds: str
) -> None:
    answer = await client.get("/v1/models/lem-1/card", headers={"Accept": accept})

    assert (answer.status_code, answer.headers["content-type"]) == (200, kind)
    assert holds in answer.text
    assert "golden" not in answer.text
    if accept != "application/json":
        assert f"Model card: {OTHER}" in answer.text
