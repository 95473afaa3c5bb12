"""`lem replay`, as an operator meets it: a process at a running service."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from app.demo.server import serving
from lem_client import Client, Horizon
from tests.api.wire import HISTORY
from tests.client.desk import an_instrument, an_order, bars

pytestmark = pytest.mark.spawns


def replay(*words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "app.cli", "replay", *words]
    return subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)


def test_an_order_of_a_running_service_is_replayed_from_outside(tmp_path: Path) -> None:
    with serving(data_dir=tmp_path) as server, Client(server.address) as lem:
        lem.put_instrument(an_instrument())
        lem.post_bars(bars(HISTORY))
        order = lem.post_order(an_order(horizon=Horizon(min_steps=4, max_steps=4)))
        for bar in bars(4, first=HISTORY):
            lem.post_bars([bar])
        shown = replay(order.order_id, "--url", server.address)
        told = replay(order.order_id, "--url", server.address, "--json")
        unknown = replay("nobody", "--url", server.address)

    assert shown.returncode == 0, shown.stdout + shown.stderr
    assert f"4 of 4 slices are the same to the last bit, with {order.model}" in shown.stdout
    slices = json.loads(told.stdout)
    assert [each["same"] for each in slices] == [True] * 4
    assert slices[0]["recorded"]["inputs"] == slices[0]["again"]["inputs"]
    assert (unknown.returncode, unknown.stderr.count("\n")) == (2, 1)
    assert "no order has the id 'nobody'" in unknown.stderr
