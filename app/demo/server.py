"""The real service as a process of its own, for as long as the demo (or a test) needs it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

LISTENING = "listening on "
STOP_SECONDS_MAX = 10


class ServerFailed(Exception):
    """It did not start; the message is what it said."""


@contextmanager
def serving(*, clock: str = "bars", bundle: Path | None = None) -> Iterator[str]:
    """Its address, on a free loopback port and with a store of its own that is gone afterwards.

    It has a session of its own, so that Ctrl-C reaches only us and we end it, by its pid, in order.
    """
    with TemporaryDirectory(prefix="lem-") as folder, (Path(folder) / "log").open("w+") as log:
        options = ["--port", "0", "--clock", clock, "--data-dir", str(Path(folder) / "data")]
        options += ["--bundle", str(bundle)] if bundle else []
        process = subprocess.Popen(  # noqa: S603 -- our own command
            [sys.executable, "-m", "app.cli", "serve", *options],
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            env={name: value for name, value in os.environ.items() if not name.startswith("LEM_")},
            start_new_session=True,
        )
        try:
            yield _address(process, log.name)
        finally:
            _end(process)


def _address(process: subprocess.Popen[str], log: str) -> str:
    """Waits for the line that says it; the end of the output means that it failed."""
    for line in process.stdout or ():
        if line.startswith(LISTENING):
            return line.removeprefix(LISTENING).strip()
    said = Path(log).read_text().strip()
    raise ServerFailed(said or f"the service ended with exit code {process.wait()}")


def _end(process: subprocess.Popen[str]) -> None:
    process.terminate()
    try:
        process.wait(STOP_SECONDS_MAX)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    if process.stdout is not None:
        process.stdout.close()
