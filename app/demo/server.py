"""The real service as a process of its own, as long as the demo, a test or a benchmark needs the service."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from app.settings import ClockKind

LISTENING = "listening on "
STOP_SECONDS_MAX = 10


class ServerFailed(Exception):
    """The service did not start; the message is its own."""


@dataclass(frozen=True, slots=True)
class Server:
    address: str
    process: subprocess.Popen[str]


@contextmanager
def serving(
    *, data_dir: Path, clock: ClockKind = ClockKind.BARS, bundle: Path | None = None, redis_url: str | None = None
) -> Iterator[Server]:
    """Run the service on a free loopback port, with its log in `data_dir`.

    The service has a store of its own unless `redis_url` names one.
    """
    data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    options = ["--port", "0", "--clock", clock, "--data-dir", str(data_dir)]
    options += ["--bundle", str(bundle)] if bundle else []
    environment = {"LEM_REDIS_URL": redis_url or ""}
    with listening("app.cli", "serve", *options, log=data_dir / "serve.log", environment=environment) as server:
        yield server


@contextmanager
def listening(module: str, *words: str, log: Path, environment: Mapping[str, str]) -> Iterator[Server]:
    """Run a Python module that prints where it listens, with `environment` besides our own and its stderr in `log`.

    The process has a session of its own, so that Ctrl-C reaches only this process, which then ends the other in order.
    """
    with log.open("w") as lines:
        process = subprocess.Popen(  # noqa: S603 -- our own command
            [sys.executable, "-m", module, *words],
            stdout=subprocess.PIPE,
            stderr=lines,
            text=True,
            env=os.environ | environment,
            start_new_session=True,
        )
    try:
        yield Server(_address(process, log), process)
    finally:
        _end(process)


def _address(process: subprocess.Popen[str], log: Path) -> str:
    """Wait for the line that says the address. The end of the output means that the service failed."""
    for line in process.stdout or ():
        if line.startswith(LISTENING):
            return line.removeprefix(LISTENING).strip()
    raise ServerFailed(
        log.read_text().strip().removeprefix("lem: ") or f"the service ended with exit code {process.wait()}"
    )


def _end(process: subprocess.Popen[str]) -> None:
    process.terminate()
    try:
        process.wait(STOP_SECONDS_MAX)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    if process.stdout is not None:
        process.stdout.close()
