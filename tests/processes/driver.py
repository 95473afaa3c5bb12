"""The other end of service.py: starts it, tells it what to do, and starts it again when it has died, as an OMS and a
feed would that send again whatever was not answered."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tests.processes.service import BARS, HISTORY, READY

ORDERS = ("oms-1", "oms-2", "oms-3")


class Died(Exception):
    """The service ended instead of answering, or did not start."""


class Service:
    def __init__(self, folder: Path, moment: str = "", count: int = 0) -> None:
        self._folder = folder
        self._process = self._started(moment, count)
        self.deaths = self.refusals = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._process.kill()
        self._close()

    def ask(self, do: str, value: Any = None) -> Any:
        """Once; raises Died."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        try:
            self._process.stdin.write(json.dumps({"do": do, "value": value}) + "\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            raise Died from None
        line = self._process.stdout.readline()
        if not line:
            raise Died
        return json.loads(line)

    def insist(self, do: str, value: Any = None) -> Any:
        """Until there is an answer."""
        while True:
            try:
                answer = self.ask(do, value)
            except Died:
                self.restart()
                continue
            if not (isinstance(answer, dict) and "unavailable" in answer):
                return answer
            self.refusals += 1

    def kill(self) -> None:
        self._process.kill()

    def kill_store(self) -> int:
        pid: int = self.ask("store pid")
        os.kill(pid, signal.SIGKILL)
        return pid

    def restart(self) -> None:
        self.deaths += 1
        self._process.kill()
        self._close()
        self._process = self._started("", 0)

    def _close(self) -> None:
        assert self._process.stdin is not None
        with contextlib.suppress(BrokenPipeError):  # what a killed process did not read any more
            self._process.stdin.close()
        with self._process:  # closes the other pipe and waits
            pass

    def _started(self, moment: str, count: int) -> subprocess.Popen[str]:
        command = [
            sys.executable,
            "-m",
            "tests.processes.service",
            str(self._folder),
            *([moment, str(count)] * bool(moment)),
        ]
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None
        if process.stdout.readline().strip() != READY:
            with process:
                raise Died
        return process


def a_day(service: Service, disturb: dict[int, Any] | None = None) -> dict[str, Any]:
    """History, three orders at different times, bars to their end; what is recorded of the orders then.

    `disturb[k]` is called before bar k is sent.
    """
    service.insist("instrument")
    service.insist("history")
    ids = [service.insist("order", ORDERS[0])["order_id"]]
    for index in range(HISTORY, HISTORY + 14):
        if disturb and index in disturb:
            disturb[index]()
        service.insist("bar", index)
        if index < HISTORY + 2:
            ids.append(service.insist("order", ORDERS[len(ids)])["order_id"])
    assert index < len(BARS)
    return {order_id: service.insist("slices", order_id) for order_id in ids}
