"""`lem serve --workers N`: one port, one store, several processes; and none of them left over."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from app.bench.process_stats import children_of
from app.demo.server import Server, listening
from tests.api.wire import HISTORY, bars_json, instrument_json, order_json
from tests.builders import bars
from tests.processes.replicas import PATIENT_SECONDS, until

pytestmark = pytest.mark.spawns

SERIES = re.compile(r'^lem_leases_held\{worker="(\d)"\} ([\d.]+)$', re.MULTILINE)


@contextmanager
def workers(folder: Path, count: int = 2) -> Iterator[Server]:
    words = ["serve", "--workers", str(count), "--port", "0", "--clock", "bars", "--data-dir", str(folder / "data")]
    with listening("app.cli", *words, log=folder / "serve.log", environment={"LEM_REDIS_URL": ""}) as server:
        yield server


def worker_pids(server: Server) -> list[int]:
    return [pid for pid in children_of(server.process.pid) if b"app.workers.worker" in command(pid)]


def command(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


def asked(server: Server, method: str, path: str, **options: object) -> httpx.Response:
    """Over a connection of its own, so that any of the workers may answer."""
    return httpx.request(method, server.address + path, timeout=PATIENT_SECONDS, **options)  # type: ignore[arg-type]


def held(server: Server) -> dict[str, float]:
    """How many instruments each worker owns."""
    return {number: float(count) for number, count in SERIES.findall(asked(server, "GET", "/metrics").text)}


def test_workers_share_instruments_and_answer_for_each_other(tmp_path: Path) -> None:
    symbols = [f"I-{number}" for number in range(16)]
    with workers(tmp_path) as server:
        for symbol in symbols:
            assert asked(server, "PUT", f"/v1/instruments/{symbol}", json=instrument_json()).status_code == 201
        made = bars(HISTORY + 1)
        for symbol in symbols[:4]:
            asked(server, "POST", "/v1/bars", json=bars_json(made[:HISTORY], symbol)).raise_for_status()
            sent = order_json(client_order_id=symbol, instrument=symbol)
            order_id = asked(server, "POST", "/v1/orders", json=sent).raise_for_status().json()["order_id"]
            taken = asked(server, "POST", "/v1/bars", json=bars_json(made[HISTORY:], symbol)).json()
            answer = asked(server, "GET", f"/v1/orders/{order_id}/slices/next").json()
            assert "decided" not in taken
            assert answer["slice"]["step"] == 2
        until(lambda: sum(held(server).values()) == len(symbols))

        shares = held(server)

    assert sorted(shares) == ["0", "1"]
    assert min(shares.values()) > 0


def test_a_worker_that_is_killed_is_started_again_and_another_one_decides_meanwhile(tmp_path: Path) -> None:
    with workers(tmp_path) as server:
        until(lambda: len(worker_pids(server)) == 2)
        dead, stays = worker_pids(server)

        os.kill(dead, signal.SIGKILL)

        until(lambda: len(worker_pids(server)) == 2 and dead not in worker_pids(server))
        until(
            lambda: (
                'lem_worker_up{worker="0"} 1' in metrics(server) and 'lem_worker_up{worker="1"} 1' in metrics(server)
            )
        )
        assert stays in worker_pids(server)
    assert "is started again" in (tmp_path / "serve.log").read_text()


def metrics(server: Server) -> str:
    try:
        return asked(server, "GET", "/metrics").text
    except httpx.TransportError:  # the worker that would have answered is the one that was killed
        return ""


def test_no_process_is_left_when_the_parent_is_killed(tmp_path: Path) -> None:
    with workers(tmp_path) as server:
        children = list(children_of(server.process.pid))

        server.process.kill()
        server.process.wait()

        until(lambda: not any(map(command, children)))
    assert len(children) == 3, "two workers and the store"


def test_workers_end_in_order_by_one_signal_to_their_parent(tmp_path: Path) -> None:
    with workers(tmp_path) as server:
        children = list(children_of(server.process.pid))

        server.process.terminate()

        assert server.process.wait(PATIENT_SECONDS) == 0
        assert not any(map(command, children))


def test_what_keeps_workers_from_starting_is_said_in_one_line(tmp_path: Path) -> None:
    words = ["serve", "--workers", "2", "--port", "0", "--data-dir", str(tmp_path / "d"), "--bundle", str(tmp_path)]
    ended = subprocess.run([sys.executable, "-m", "app.cli", *words], capture_output=True, text=True, check=False)

    assert ended.returncode == 2
    assert ended.stderr.startswith("lem: no valid bundle")
    assert ended.stderr.count("\n") == 1
