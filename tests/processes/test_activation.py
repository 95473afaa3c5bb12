"""A bundle that is activated in one process decides new orders in all of them."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from pathlib import Path

import httpx
import pytest

from tests.api.wire import HISTORY, bars_json, order_json
from tests.builders import bars
from tests.processes.replicas import Replica, replicas, until
from tests.processes.test_workers import asked, workers
from tests.servers import a_server

pytestmark = pytest.mark.spawns

NO_STOP = {"min_steps": 3, "max_steps": 3}


@pytest.fixture
def url() -> Iterator[str]:
    with a_server("redis", "--appendonly", "yes") as url:
        yield url


def model_of_a_new_order(replica: Replica, numbers: Iterator[int]) -> str:
    return str(replica.post("/v1/orders", order_json(client_order_id=f"new-{next(numbers)}"))["model"])


def test_replicas_follow_an_activation_and_a_rollback_and_orders_under_way_do_not(tmp_path: Path, url: str) -> None:
    numbers = count()
    with replicas(tmp_path, url, 2) as (one, other):
        one.prepared()
        under_way = one.post("/v1/orders", order_json(client_order_id="under-way", horizon=NO_STOP))

        activation = one.post("/v1/models/lem-1/activate", None)
        at_once = model_of_a_new_order(one, numbers)
        until(lambda: model_of_a_new_order(other, numbers) == activation["name"])
        for bar in bars(HISTORY + 3)[HISTORY:]:
            other.post("/v1/bars", bars_json([bar]))
        slices = one.client.get(f"/v1/orders/{under_way['order_id']}/slices").json()["slices"]

        other.post(f"/v1/models/{activation['former']}/activate", None)
        until(lambda: model_of_a_new_order(one, numbers) == activation["former"])

    assert at_once == activation["name"]
    assert activation["former"] == under_way["model"]
    assert {piece["model"] for piece in slices} == {under_way["model"]}


def test_workers_of_one_port_follow_an_activation(tmp_path: Path) -> None:
    with workers(tmp_path) as server:
        activation = asked(server, "POST", "/v1/models/lem-1/activate").json()

        def active() -> set[str]:
            answers = [asked(server, "GET", "/v1/models").json()["models"] for _ in range(8)]
            return {each["name"] for models in answers for each in models if each["active"]}

        until(lambda: active() == {activation["name"]})


def test_a_service_on_the_same_store_starts_with_what_was_activated(tmp_path: Path, url: str) -> None:
    with replicas(tmp_path / "first", url, 1) as [first]:
        activation = first.post("/v1/models/lem-1/activate", None)

    with replicas(tmp_path / "second", url, 1) as [second]:
        answer: httpx.Response = second.client.get("/v1/models")

    assert [each["name"] for each in answer.json()["models"] if each["active"]] == [activation["name"]]
