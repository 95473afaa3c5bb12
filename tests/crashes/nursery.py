"""A process that has imported all and loaded the bundle, and forks a service whenever it is told to: a service is up
after some hundredths of a second, where a Python of its own would take a second for its imports.

Run as `python -m tests.crashes.nursery FD`: on the socket FD come orders, each with the control socket of the service;
the nursery answers each with the process's id. When the socket ends, the nursery and its services do.
"""

from __future__ import annotations

import gc
import importlib
import os
import signal
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from subprocess import Popen

from app.bundles.bundle import load_bundle
from tests.crashes.processes import end_with_parent
from tests.crashes.service import Order, become

TINY = Path(__file__).parents[1] / "models" / "tiny-1"
ORDER_BYTES_MAX = 65_536
IMPORTED_LATE = (
    "anyio._backends._asyncio",
    "exchange_calendars",
    "redis.asyncio.connection",
    "uvicorn.lifespan.off",
    "uvicorn.loops.uvloop",
    "uvicorn.protocols.http.httptools_impl",
    "uvloop",
)
"""What a service would import only when it is needed, and here again after each fork."""


class Nursery:
    """The driver's end."""

    def __init__(self, sock: socket.socket) -> None:
        self._socket = sock

    def start(self, order: Order) -> tuple[int, socket.socket]:
        """A service's process id, and our end of its control socket."""
        ours, its = socket.socketpair()
        with its:
            socket.send_fds(self._socket, [order.to_json()], [its.fileno()])
            pid = int(self._socket.recv(64))
        return pid, ours


@contextmanager
def a_nursery() -> Iterator[Nursery]:
    ours, its = socket.socketpair()
    command = [sys.executable, "-m", "tests.crashes.nursery", str(its.fileno())]
    with its:
        process = Popen(command, pass_fds=(its.fileno(),))
    try:
        with ours:
            if ours.recv(64) != b"ready":
                raise AssertionError("the nursery did not start")
            yield Nursery(ours)
    finally:
        process.wait()


def main(sock: socket.socket) -> None:
    for name in IMPORTED_LATE:
        importlib.import_module(name)
    model = load_bundle(TINY)
    gc.collect()
    gc.freeze()  # a collection in a service would otherwise copy all that is here
    sock.send(b"ready")
    while received := _received(sock):
        _reap()
        order, control = received
        pid = os.fork()
        if not pid:
            end_with_parent(signal.SIGKILL)
            sock.close()
            become(order, control, model)
        os.close(control)
        sock.send(str(pid).encode())
    os.killpg(0, signal.SIGKILL)


def _reap() -> None:
    """Services that have ended. Not at once: until then nobody else gets their process ids, which the driver may still
    send signals to."""
    with suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


def _received(sock: socket.socket) -> tuple[Order, int] | None:
    text, fds, _, _ = socket.recv_fds(sock, ORDER_BYTES_MAX, 1)
    return (Order.from_json(text), fds[0]) if text else None


if __name__ == "__main__":
    os.setpgid(0, 0)  # ends with all of its services
    main(socket.socket(fileno=int(sys.argv[1])))
