"""Every answer names its request, and so does every line of the log that follows from the request."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from app.api import problems
from app.api.request_ids import RequestIds
from app.demo.server import serving
from tests.api.wire import HISTORY, bars_json, instrument_json, order_json
from tests.builders import bars
from tests.processes.replicas import PATIENT_SECONDS


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    """An application with a route that fails; all its other paths are unknown."""
    application = FastAPI()
    problems.install(application)
    application.add_middleware(RequestIds)

    @application.get("/fails")
    async def fails() -> None:
        raise RuntimeError

    transport = httpx.ASGITransport(application, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://lem") as opened:
        yield opened


@pytest.mark.parametrize(("path", "status"), [("/unknown", 404), ("/fails", 500)])
async def test_a_sane_name_of_the_clients_is_kept(client: httpx.AsyncClient, path: str, status: int) -> None:
    response = await client.get(path, headers={"X-Request-ID": "oms:7.f-3_a"})

    assert (response.status_code, response.headers["x-request-id"]) == (status, "oms:7.f-3_a")


@pytest.mark.parametrize("given", ["", "x" * 129, "a b", 'a"b', "é"])
async def test_any_other_name_is_replaced(client: httpx.AsyncClient, given: str) -> None:
    headers = {b"X-Request-ID": given.encode()}
    first = await client.get("/unknown", headers=headers)
    other = await client.get("/fails", headers=headers)

    names = [first.headers["x-request-id"], other.headers["x-request-id"]]
    assert all(len(name) == 32 for name in names)
    assert names[0] != names[1]


TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"


async def test_a_request_without_a_name_is_called_by_its_trace(client: httpx.AsyncClient) -> None:
    traced = {"traceparent": f"00-{TRACE}-00f067aa0ba902b7-01"}

    unnamed = await client.get("/unknown", headers=traced)
    named = await client.get("/unknown", headers=traced | {"X-Request-ID": "oms-7"})

    assert unnamed.headers["x-request-id"] == unnamed.json()["request_id"] == TRACE
    assert named.headers["x-request-id"] == named.json()["request_id"] == "oms-7"


@pytest.mark.parametrize(
    "given",
    [
        "",
        "nonsense",
        f"ff-{TRACE}-00f067aa0ba902b7-01",
        f"00-{'0' * 32}-00f067aa0ba902b7-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"00-{TRACE.upper()}-00f067aa0ba902b7-01",
    ],
)
async def test_a_trace_that_is_none_names_nothing(client: httpx.AsyncClient, given: str) -> None:
    response = await client.get("/unknown", headers={"traceparent": given})

    assert response.headers["x-request-id"].lower() not in {TRACE, "0" * 32}


@pytest.mark.parametrize("path", ["/unknown", "/fails"])
async def test_a_problem_tells_the_id_of_its_request(client: httpx.AsyncClient, path: str) -> None:
    response = await client.get(path)

    assert response.json()["request_id"] == response.headers["x-request-id"]


@pytest.mark.spawns
def test_the_log_of_a_service_has_a_line_for_each_thing_with_order_and_request(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LEM_LOG_LEVEL", "info")
    with serving(data_dir=tmp_path) as server, httpx.Client(base_url=server.address, timeout=PATIENT_SECONDS) as client:
        client.put("/v1/instruments/BTC-USDT", json=instrument_json()).raise_for_status()
        client.post("/v1/bars", json=bars_json(bars(HISTORY))).raise_for_status()
        order = client.post("/v1/orders", json=order_json(), headers={"X-Request-ID": "the-order"}).json()
        next_bar = bars_json(bars(HISTORY + 1)[HISTORY:])
        client.post("/v1/bars", json=next_bar, headers={"X-Request-ID": "the-bar"}).raise_for_status()
        client.post(f"/v1/orders/{order['order_id']}/cancel", headers={"X-Request-ID": "the-cancel"})

    lines = [json.loads(line) for line in (tmp_path / "serve.log").read_text().splitlines()]
    told = [(line["event"], line["request_id"]) for line in lines if line.get("order_id") == order["order_id"]]
    assert told == [
        ("order accepted", "the-order"),
        ("slice committed", "the-order"),
        ("write", "the-order"),  # the audit log, which has no file of its own here
        ("slice committed", "the-bar"),
        ("order ended", "the-cancel"),
        ("write", "the-cancel"),
    ]


async def test_a_websocket_has_an_id_too() -> None:
    sent: list[Any] = []

    async def accepts(_: Any, __: Any, send: Any) -> None:
        await send({"type": "websocket.accept"})

    async def kept(message: Any) -> None:
        sent.append(message)

    async def nothing() -> Any:
        raise AssertionError

    scope = {"type": "websocket", "headers": [(b"x-request-id", b"oms-7")]}
    await RequestIds(accepts)(scope, nothing, kept)

    assert sent == [{"type": "websocket.accept", "headers": [(b"x-request-id", b"oms-7")]}]
