"""A test that starts a Python process without saying so fails: `make quick` would no longer be quick.

The store's server may be started by any test, since tests use real stores."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.process import BaseProcess
from typing import Any

import pytest

from app.store.embedded import server_binary

_running: list[pytest.Item] = []


def watch_processes() -> None:
    """From now on, for as long as this process lives: an audit hook cannot be taken away."""
    sys.addaudithook(_on_audit)
    start = BaseProcess.start

    def started(process: BaseProcess) -> None:
        _require_marker()
        start(process)

    BaseProcess.start = started  # type: ignore[assignment,method-assign]  # no audit hook sees it


@contextmanager
def during(item: pytest.Item) -> Iterator[None]:
    _running.append(item)
    try:
        yield
    finally:
        _running.pop()


def _on_audit(event: str, arguments: tuple[Any, ...]) -> None:
    if event == "subprocess.Popen":
        words = [os.fsdecode(word) for word in arguments[1]]
        if sys.executable in words and str(server_binary()) not in words:
            _require_marker()


def _require_marker() -> None:
    if _running and _running[-1].get_closest_marker("spawns") is None:
        pytest.fail("this test starts a Python process: mark it with @pytest.mark.spawns")
