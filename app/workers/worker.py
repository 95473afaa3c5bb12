"""A worker: the service on a socket of its own on the port that all workers share.

Run by the parent as `python -m app.workers.worker PARENT NUMBER COUNT HOST PORT FOLDER [STORE_URL]`. It tells the
parent on its standard output that it serves, or why it cannot.
"""

from __future__ import annotations

import ctypes
import os
import signal
import socket
import sys
from pathlib import Path

from app.logs.json_lines import log_as_json
from app.main import CannotStart
from app.serve import run_on
from app.settings import Settings
from app.terminal import CANNOT_START
from app.workers.place import Place

READY, REFUSED = "ready", "cannot start: "
PR_SET_PDEATHSIG = 1


def main(parent: int, place: Place, host: str, port: int) -> int:
    _die_with(parent)
    settings = Settings()
    log_as_json(settings.log_level)
    try:
        with listening(host, port) as ours:
            run_on(ours, settings, lambda: print(READY, flush=True), place)  # noqa: T201 -- the parent reads it
    except CannotStart as error:
        print(f"{REFUSED}{error}", flush=True)  # noqa: T201
        return CANNOT_START
    return 0


def listening(host: str, port: int) -> socket.socket:
    """The kernel spreads connections over all sockets that listen there; those of a worker that has died are gone with
    the worker."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, reuse_port=True)
    except OSError as error:
        raise CannotStart(f"cannot listen on {host} port {port}: {error.strerror or error}") from error


def _die_with(parent: int) -> None:
    """Ask the kernel to end this process when the parent ends, however that does."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        sys.exit(1)


if __name__ == "__main__":
    parent, number, count, host, port, folder, *store = sys.argv[1:]
    place = Place(number=int(number), count=int(count), folder=Path(folder), store_url=store[0] if store else None)
    sys.exit(main(int(parent), place, host, int(port)))
