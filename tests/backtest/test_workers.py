"""Workers do not outlive who started them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.spawns

PROGRAM = """
import os, sys, threading
import pytest
from app.backtest.workers import worker_pool

def work(number):
    print("working", flush=True)
    threading.Event().wait()

if __name__ == "__main__":
    with worker_pool(2) as pool:
        list(pool.map(work, range(2)))
"""


def test_workers_end_with_a_killed_parent(tmp_path: Path) -> None:
    """They hold the other end of the pipe, which closes with the last of them."""
    program = tmp_path / "program.py"
    program.write_text(PROGRAM)
    paths = os.pathsep.join(path for path in sys.path if path)
    with subprocess.Popen(
        [sys.executable, str(program)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env=os.environ | {"PYTHONPATH": paths},
    ) as parent:
        assert parent.stdout is not None
        for _ in range(2):
            assert parent.stdout.readline() == "working\n"
        parent.send_signal(signal.SIGKILL)
        rest, _ = parent.communicate(timeout=60)
    assert rest == ""
