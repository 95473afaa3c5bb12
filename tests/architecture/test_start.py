"""Importing the service starts nothing: no torch, no connection, no process, no thread, no settings read."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.spawns

ROOT = Path(__file__).parents[2]

PROBE = """
import importlib, json, sys, threading

effects = []
WATCHED = ("socket.connect", "socket.bind", "subprocess.Popen", "os.fork", "os.posix_spawn")
sys.addaudithook(lambda event, _: effects.append(event) if event in WATCHED else None)
importlib.import_module(sys.argv[1])
print(json.dumps({
    "modules": sorted({name.partition(".")[0] for name in sys.modules}),
    "effects": effects,
    "threads": threading.active_count(),
}))
"""


def imported(module: str) -> dict[str, Any]:
    """What a fresh process sees after importing `module`; `LEM_` settings that cannot be read stand in its way."""
    environment = {"LEM_CLOCK": "not a clock", "PATH": ""}
    answer = subprocess.run(
        [sys.executable, "-c", PROBE, module], cwd=ROOT, env=environment, capture_output=True, text=True, check=True
    )
    seen: dict[str, Any] = json.loads(answer.stdout)
    return seen


@pytest.mark.parametrize("module", ["app.main", "app.serve", "app.cli"])
def test_importing_the_service_brings_no_torch_and_no_client_and_starts_nothing(module: str) -> None:
    seen = imported(module)

    assert not {"torch", "models", "onnx", "httpx", "lem_client"} & set(seen["modules"])
    assert seen["effects"] == []
    assert seen["threads"] == 1


def test_the_command_line_starts_without_loading_what_its_commands_need() -> None:
    assert not {"onnxruntime", "fastapi", "pyarrow", "exchange_calendars"} & set(imported("app.cli")["modules"])
