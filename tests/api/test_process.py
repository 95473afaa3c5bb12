"""`lem serve` as a real process behind a real socket."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from time import monotonic

import httpx
import pytest

from app.demo.server import Server, ServerFailed, serving
from app.serve import SHUTDOWN_SECONDS_MAX
from tests.api.wire import HISTORY, bars_json, instrument_json, order_json
from tests.builders import at, bars
from tests.processes.replicas import PATIENT_SECONDS

pytestmark = pytest.mark.spawns


def prepared(client: httpx.Client) -> None:
    assert client.put("/v1/instruments/BTC-USDT", json=instrument_json()).status_code == 201
    assert client.post("/v1/bars", json=bars_json(bars(HISTORY))).status_code == 200


def test_an_order_outlives_a_restart_of_the_service(tmp_path: Path) -> None:
    with serving(data_dir=tmp_path) as server, httpx.Client(base_url=server.address, timeout=PATIENT_SECONDS) as client:
        prepared(client)
        order = client.post("/v1/orders", json=order_json()).json()
        path = f"/v1/orders/{order['order_id']}/slices/next"
        before = client.get(path).json()

    with serving(data_dir=tmp_path) as server, httpx.Client(base_url=server.address, timeout=PATIENT_SECONDS) as client:
        again = client.post("/v1/orders", json=order_json())
        after = client.get(path).json()

    assert (again.status_code, again.json()) == (200, order)
    assert after == before


def test_quotes_are_answered_side_by_side_and_leave_no_order(tmp_path: Path) -> None:
    body = order_json(horizon={"min_steps": 12, "max_steps": 24})
    with serving(data_dir=tmp_path) as server, httpx.Client(base_url=server.address, timeout=PATIENT_SECONDS) as client:
        prepared(client)
        with ThreadPoolExecutor(4) as pool:
            answers = list(pool.map(lambda _: client.post("/v1/quotes", json=body), range(4)))
        alive = client.get("/healthz")
        orders = client.get("/v1/orders").json()["orders"]

    assert [answer.status_code for answer in answers] == [200] * 4
    assert len({answer.text for answer in answers}) == 1
    assert answers[0].json()["rests_on"]["basis"] == "calibration"
    assert (alive.status_code, orders) == (200, [])


@pytest.mark.parametrize("kind", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_to_all_of_its_processes_ends_the_service_in_order(tmp_path: Path, kind: signal.Signals) -> None:
    """As Ctrl-C in a terminal does: the embedded store hears it too, and must not end before the service."""
    with serving(data_dir=tmp_path) as server:
        os.killpg(server.process.pid, kind)

        assert server.process.wait(PATIENT_SECONDS) == 0

    assert (tmp_path / "serve.log").read_text() == ""


def test_a_signal_answers_who_waits_and_cuts_who_is_still_sending(tmp_path: Path) -> None:
    """And none of that is a failure: nothing is logged, not even for who went away in the middle of a body."""
    with serving(data_dir=tmp_path) as server, httpx.Client(base_url=server.address, timeout=PATIENT_SECONDS) as client:
        prepared(client)
        later = {"start_time": at(HISTORY + 1).isoformat()}
        order = client.post("/v1/orders", json=order_json(**later)).json()
        with (
            sending(server, f"GET /v1/orders/{order['order_id']}/slices/next?wait=30 HTTP/1.1\r\n\r\n") as waiting,
            sending(server, "POST /v1/orders HTTP/1.1\r\ncontent-length: 9\r\n\r\n{") as half_sent,
        ):
            sending(
                server, "POST /v1/bars HTTP/1.1\r\ncontent-type: application/json\r\ncontent-length: 9\r\n\r\n{"
            ).close()
            client.get("/healthz")  # what came before is under way by the time that this is answered
            began = monotonic()
            server.process.send_signal(signal.SIGTERM)
            answer = received(waiting)
            assert server.process.wait(PATIENT_SECONDS) == 0
            took = monotonic() - began

            with contextlib.suppress(ConnectionResetError):  # of one that the service had not begun to read
                assert received(half_sent) == b""
    assert answer.startswith(b"HTTP/1.1 200 OK")
    assert answer.endswith(b'"status":"accepted","slice":null}')
    assert took < SHUTDOWN_SECONDS_MAX
    assert (tmp_path / "serve.log").read_text() == ""


def sending(server: Server, text: str) -> socket.socket:
    """A connection on which this is sent, and nothing else."""
    host, port = server.address.removeprefix("http://").split(":")
    connection = socket.create_connection((host, int(port)), timeout=PATIENT_SECONDS)
    connection.sendall(text.encode())
    return connection


def received(connection: socket.socket) -> bytes:
    """All that comes until the server ends the connection."""
    return b"".join(iter(lambda: connection.recv(65_536), b""))


def test_without_its_store_the_service_lives_and_says_that_it_is_not_ready(tmp_path: Path) -> None:
    with (
        serving(data_dir=tmp_path, redis_url="redis://127.0.0.1:1/0") as server,
        httpx.Client(base_url=server.address, timeout=PATIENT_SECONDS) as client,
    ):
        alive, ready, orders = client.get("/healthz"), client.get("/readyz"), client.get("/v1/orders")

    assert alive.status_code == 200
    assert (ready.status_code, ready.json()["ready"]) == (503, False)
    assert "store_unavailable" in ready.json()["reasons"]
    assert (orders.status_code, orders.json()["code"]) == (503, "store_unavailable")
    assert "retry-after" in orders.headers


def test_a_service_that_does_not_start_says_why(tmp_path: Path) -> None:
    with pytest.raises(ServerFailed, match=r"card\.json"), serving(data_dir=tmp_path, bundle=tmp_path):
        pass
