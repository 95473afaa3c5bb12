"""`POST /v1/orders?dry_run=true`: what an order would be answered, and nothing taken."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.api.conftest import serving
from tests.api.wire import order_json, prepared, sent

DRY = {"dry_run": "true"}


def lines_of(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text().splitlines()]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "audit.jsonl"


@pytest.fixture
async def client(tmp_path: Path, file: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[httpx.AsyncClient]:
    monkeypatch.setenv("LEM_AUDIT_FILE", str(file))
    async with serving(tmp_path / "data") as client:
        yield await prepared(client)


async def test_it_answers_the_order_as_it_would_be_accepted_and_takes_nothing(client: httpx.AsyncClient) -> None:
    body = order_json(risk_aversion="tracking", completion="always", limits={"finish_price": "1000"})

    tried = await client.post("/v1/orders", params=DRY, json=body)
    listed = await client.get("/v1/orders")
    taken = await client.post("/v1/orders", json=body)

    order = tried.json()
    assert (tried.status_code, taken.status_code) == (200, 201)
    assert (order.pop("warnings"), order["status"], order["step"]) == (["at_finish_price"], "accepted", 0)
    assert (order["risk_aversion"], order["completion"], order["limits"]["finish_price"]) == (
        "tracking",
        "always",
        "1000",
    )
    assert listed.json()["orders"] == []
    assert order.keys() == taken.json().keys()


async def test_an_order_is_refused_as_it_would_be(client: httpx.AsyncClient) -> None:
    bad: tuple[dict[str, Any], ...] = (
        {"instrument": "unknown"},
        {"limits": {"max_participation_rate": "0.0001"}},
        {"limits": {"avoid_close_minutes": 10}},
        {"risk_aversion": "reckless"},
        {"completion": "perhaps"},
        {"side": "long"},
    )
    for changes in bad:
        tried = await client.post("/v1/orders", params=DRY, json=order_json(**changes))
        sent_anyway = await client.post("/v1/orders", json=order_json(**changes))

        problems = [{**answer.json(), "request_id": None} for answer in (tried, sent_anyway)]
        assert tried.status_code >= 400
        assert problems[0] == problems[1]


async def test_a_name_that_is_taken_is_a_conflict(client: httpx.AsyncClient) -> None:
    order = await sent(client)

    same = await client.post("/v1/orders", params=DRY, json=order_json())
    other = await client.post("/v1/orders", params=DRY, json=order_json(quantity="11"))

    assert same.json() == order | {"warnings": []}
    assert (other.status_code, other.json()["code"]) == (409, "client_order_id_reused")


@pytest.mark.parametrize(
    ("query", "status"), [({"dry_run": "false"}, 201), ({"dry_run": "x"}, 422), ({"dry": "1"}, 422)]
)
async def test_only_what_asks_for_a_dry_run_is_one(
    client: httpx.AsyncClient, query: dict[str, str], status: int
) -> None:
    assert (await client.post("/v1/orders", params=query, json=order_json())).status_code == status


async def test_the_audit_log_tells_that_the_order_was_only_tried(client: httpx.AsyncClient, file: Path) -> None:
    await client.post("/v1/orders", params=DRY, json=order_json())
    await sent(client)

    tried, taken = lines_of(file)[-2:]

    assert (tried["dry_run"], tried["status"], tried["client_order_id"]) == ("true", 200, "oms-1")
    assert ("dry_run" in taken, taken["status"]) == (False, 201)
