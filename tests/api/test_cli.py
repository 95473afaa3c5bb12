"""The command line, as a user meets it: processes, exit codes, messages."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.spawns

LEM = [sys.executable, "-m", "app.cli"]
BLOCKED = "import sys; sys.modules.update(torch=None, onnxruntime=None); from app.cli import main; main()"


def lem(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    known = {
        name: value for name, value in os.environ.items() if name == "LEM_BUNDLE" or not name.startswith("LEM_")
    } | environment
    return subprocess.run([*LEM, *arguments], capture_output=True, text=True, timeout=60, check=False, env=known)


def test_help_needs_neither_torch_nor_onnxruntime() -> None:
    shown = subprocess.run(
        [sys.executable, "-c", BLOCKED, "--help"], capture_output=True, text=True, timeout=60, check=False
    )

    assert shown.returncode == 0, shown.stderr
    for command in ("serve", "demo", "backtest", "simulate", "keys", "store-keys", "train", "ablate", "export"):
        assert f"  {command} " in shown.stdout


@pytest.mark.parametrize("command", ["backtest", "simulate", "evaluate"])
def test_a_forwarded_command_shows_its_own_help(command: str) -> None:
    shown = lem(command, "--help")

    assert shown.returncode == 0, shown.stderr
    assert f"Usage: lem {command}" in shown.stdout


@pytest.mark.parametrize(
    ("command", "package", "extra"),
    [("train", "torch", "train"), ("demo", "httpx", "client"), ("bench", "httpx", "client")],
)
def test_a_command_without_a_package_that_it_needs_says_what_to_install(command: str, package: str, extra: str) -> None:
    without = f"import sys; sys.modules['{package}'] = None; from app.cli import main; main()"

    refused = subprocess.run(
        [sys.executable, "-c", without, command], capture_output=True, text=True, timeout=60, check=False
    )

    assert refused.returncode == 2
    assert f"install the {extra} extra" in refused.stderr
    assert f"-m pip install --editable '.[{extra}]'" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_keys_of_the_store_are_listed_with_their_lifetimes() -> None:
    shown = lem("store-keys")

    assert shown.returncode == 0, shown.stderr
    assert "lem:" in shown.stdout


def test_serving_without_a_bundle_is_refused_in_one_line(tmp_path: Path) -> None:
    refused = lem("serve", "--port", "0", "--bundle", str(tmp_path / "none"), "--data-dir", str(tmp_path / "data"))

    assert refused.returncode == 2
    assert refused.stderr.startswith("lem: ")
    assert str(tmp_path / "none") in refused.stderr
    assert "Traceback" not in refused.stderr


def test_a_wrong_setting_is_refused_by_its_name() -> None:
    refused = lem("serve", "--port", "0", LEM_CLOCK="sundial")

    assert refused.returncode == 2
    assert refused.stderr == "lem: LEM_CLOCK: must be 'wall' or 'bars'\n"
    assert "Traceback" not in refused.stderr


def test_a_store_s_address_that_is_none_is_refused() -> None:
    refused = lem("serve", "--port", "0", LEM_REDIS_URL="localhost:6379")

    assert refused.returncode == 2
    assert refused.stderr.startswith("lem: LEM_REDIS_URL: ")
    assert "Traceback" not in refused.stderr


def test_a_taken_port_is_refused(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        refused = lem("serve", "--port", str(taken.getsockname()[1]), "--data-dir", str(tmp_path))

    assert refused.returncode == 2
    assert "Traceback" not in refused.stderr
