"""`lem serve` on a store after a loss of power, on a damaged one, and on one that may lose orders."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from app.demo.server import ServerFailed, serving
from tests.api.wire import HISTORY, bars_json, instrument_json, order_json
from tests.builders import bars
from tests.processes.replicas import PATIENT_SECONDS
from tests.servers import a_server

pytestmark = pytest.mark.spawns

SYSTEM_PYTHON = shutil.which("python3", path="/usr/bin:/usr/local/bin")


def with_an_order(folder: Path) -> str:
    """A service that has taken an order is killed; the order's path."""
    with serving(data_dir=folder) as server, httpx.Client(base_url=server.address, timeout=PATIENT_SECONDS) as client:
        client.put("/v1/instruments/BTC-USDT", json=instrument_json())
        client.post("/v1/bars", json=bars_json(bars(HISTORY)))
        order = client.post("/v1/orders", json=order_json()).json()
        server.process.send_signal(signal.SIGKILL)
        server.process.wait()
    return f"/v1/orders/{order['order_id']}/slices/next"


def increment_of(folder: Path) -> Path:
    return next(folder.glob("appendonlydir/*.incr.aof"))


@pytest.mark.parametrize("tail", [b"\0" * 1500, b"*3\r\n$3\r\nSET\r\n$1\r\nx\r\n$5\r\nab"], ids=["zeros", "torn"])
def test_after_a_loss_of_power_the_service_starts_with_its_orders_and_says_what_was_cut(
    tmp_path: Path, tail: bytes
) -> None:
    path = with_an_order(tmp_path)
    with increment_of(tmp_path).open("ab") as file:
        file.write(tail)

    with serving(data_dir=tmp_path) as server, httpx.Client(base_url=server.address, timeout=PATIENT_SECONDS) as client:
        ready, answer = client.get("/readyz").json(), client.get(path).json()

    lines = [json.loads(line)["event"] for line in (tmp_path / "serve.log").read_text().splitlines()]
    assert (ready["ready"], ready["reasons"]) == (True, [])
    assert answer["slice"]["step"] == 1
    assert [f"cut {len(tail)} bytes" in line for line in lines] == [True]


def test_a_damaged_data_folder_ends_the_start_with_what_to_do(tmp_path: Path) -> None:
    with_an_order(tmp_path)
    increment_of(tmp_path).parent.joinpath("appendonly.aof.manifest").unlink()

    command = [sys.executable, "-m", "app.cli", "serve", "--port", "0", "--data-dir", str(tmp_path)]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)

    assert ended.returncode == 2
    assert ended.stderr.count("\n") == 1
    assert "manifest is missing" in ended.stderr
    assert "Put a backup of the folder in its place" in ended.stderr


def test_a_store_that_keeps_nothing_is_not_ready_unless_it_is_allowed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with a_server("redis") as url:
        with serving(data_dir=tmp_path, redis_url=url) as server:
            refused = httpx.get(f"{server.address}/readyz", timeout=PATIENT_SECONDS)
        monkeypatch.setenv("LEM_ALLOW_LOSSY_STORE", "true")
        with serving(data_dir=tmp_path, redis_url=url) as server:
            allowed = httpx.get(f"{server.address}/readyz", timeout=PATIENT_SECONDS)

    assert (refused.status_code, refused.json()["reasons"]) == (503, ["store_not_durable"])
    assert (allowed.status_code, allowed.json()["reasons"]) == (200, [])


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
@pytest.mark.skipif(SYSTEM_PYTHON is None, reason="another user needs a Python of the system")
def test_another_user_reads_no_order_and_reaches_no_socket(tmp_path: Path) -> None:
    for folder in (tmp_path, tmp_path.parent, tmp_path.parent.parent):
        folder.chmod(0o755)
    data = tmp_path / "data"
    tries = (
        "import glob, socket, sys\n"
        f"data = {str(data)!r}\n"
        "def refused(call):\n"
        "    try: call()\n"
        "    except OSError: return True\n"
        "print(glob.glob(data + '/*'), refused(lambda: open(data + '/x', 'w')),\n"
        "      refused(lambda: socket.socket(socket.AF_UNIX).connect(data + '/store.sock')))\n"
    )
    with serving(data_dir=data):
        seen = subprocess.run(
            [str(SYSTEM_PYTHON), "-I", "-c", tries],
            capture_output=True,
            text=True,
            check=True,
            user=65534,
            group=65534,
            extra_groups=[],
            cwd="/",
        )

    assert seen.stdout.split() == ["[]", "True", "True"]


def test_a_data_folder_that_is_not_ours_alone_ends_the_start(tmp_path: Path) -> None:
    shared = tmp_path / "shared"
    shared.mkdir()
    shared.chmod(0o1777)

    with pytest.raises(ServerFailed, match="give the service a data folder of its own"), serving(data_dir=shared):
        pass
