"""Real store servers for tests: on a unix socket in a folder of their own, without persistence, one per session."""

from __future__ import annotations

import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic

import pytest
from redis import Redis
from redis.exceptions import RedisError

from app.store.embedded import server_binary

START_SECONDS_MAX = 60.0


@contextmanager
def a_server(kind: str, *options: str) -> Iterator[str]:
    """The url of a running `valkey` (the embedded binary) or `redis` (the system's); skips where it is missing.
    `options` are those of the server, such as `--appendonly`, `yes`."""
    binary = str(server_binary()) if kind == "valkey" else shutil.which("redis-server")
    if binary is None:
        pytest.skip("redis-server is not installed")
    with tempfile.TemporaryDirectory(prefix="lem-", ignore_cleanup_errors=True) as folder:
        path = Path(folder) / "s.sock"
        command = [binary, "--port", "0", "--unixsocket", str(path), "--save", "", "--dir", folder, *options]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        try:
            _await_answer(f"unix://{path}")
            yield f"unix://{path}"
        finally:
            process.kill()
            process.wait()


def flush(url: str) -> None:
    """Over a plain socket: most tests begin with it, and to build a client takes far longer."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(url.removeprefix("unix://"))
        connection.sendall(b"FLUSHALL\r\n")
        answer = connection.recv(64)
        assert answer == b"+OK\r\n", answer


def _await_answer(url: str) -> None:
    deadline = monotonic() + START_SECONDS_MAX
    with Redis.from_url(url) as client:
        while True:
            try:
                client.ping()
            except RedisError:
                if monotonic() > deadline:
                    raise
            else:
                return
