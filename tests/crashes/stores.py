"""The stores of a worker: a server that many scenarios share one after another, and the embedded one of a service. Both
can be killed, stopped and filled."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic, sleep
from typing import Any, Protocol

from redis import Redis
from redis.exceptions import RedisError

from app.store.embedded import LAUNCHER

START_SECONDS_MAX = 30.0
ROOM_BYTES = 40
"""What a full disk still takes: a write is cut off in the middle."""


class StoreUnderTest(Protocol):
    socket: Path

    def kill(self) -> None:
        """As `kill -9`. Somebody starts the server again."""

    def stop(self) -> None: ...

    def fill(self) -> None:
        """No further write fits in."""

    def heal(self) -> None:
        """Well again after whatever has been done to it."""


class SharedStore:
    """A server with every write synced, as docs/operations.md asks for. `binary` is Valkey's or Redis'."""

    def __init__(self, binary: str, folder: Path) -> None:
        self.socket = folder / "s.sock"
        self._folder = folder
        self._command = [sys.executable, "-I", "-S", "-c", LAUNCHER, str(os.getpid())]  # ends with us
        self._command += [binary, "--port", "0", "--unixsocket", str(self.socket), "--dir", str(folder), "--save", ""]
        self._command += ["--appendonly", "yes", "--appendfsync", "always", "--loglevel", "warning"]
        self._process = self._started()

    def flush(self) -> None:
        with self._client() as client:
            client.flushall()

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()
        self._process = self._started()

    def stop(self) -> None:
        os.kill(self._process.pid, signal.SIGSTOP)

    def fill(self) -> None:
        with self._client() as client:
            client.config_set("maxmemory", 1)

    def heal(self) -> None:
        os.kill(self._process.pid, signal.SIGCONT)
        with self._client() as client:
            client.config_set("maxmemory", 0)

    def close(self) -> None:
        self._process.kill()
        self._process.wait()

    def _client(self) -> Redis:
        return Redis(unix_socket_path=str(self.socket))

    def _started(self) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(self._command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        await_answer(self.socket)
        return process


class EmbeddedStore:
    """The server that the service `service_pid` has in its data folder."""

    def __init__(self, folder: Path, service_pid: int) -> None:
        self.socket = folder / "store.sock"
        self._folder = folder
        self._service_pid = service_pid

    def kill(self) -> None:
        self._signal(signal.SIGKILL)

    def stop(self) -> None:
        self._signal(signal.SIGSTOP)

    def fill(self) -> None:
        """Nothing is written beyond this length of a file, by the server or by one that is started in its place."""
        newest = max(self._folder.glob("appendonlydir/*.aof"), key=lambda file: file.stat().st_mtime)
        self._limit(newest.stat().st_size + ROOM_BYTES)

    def heal(self) -> None:
        self._limit(resource.RLIM_INFINITY)
        self._signal(signal.SIGCONT)

    def _limit(self, length: int) -> None:
        for pid in (self._service_pid, *self._pids()):
            try:
                resource.prlimit(pid, resource.RLIMIT_FSIZE, (length, resource.RLIM_INFINITY))
            except ProcessLookupError:  # it has just ended
                continue

    def _signal(self, kind: signal.Signals) -> None:
        for pid in self._pids():
            try:
                os.kill(pid, kind)
            except ProcessLookupError:
                continue

    def _pids(self) -> list[int]:
        found: list[int] = []
        for file in Path(f"/proc/{self._service_pid}/task").glob("*/children"):
            try:
                found += map(int, file.read_text().split())
            except OSError:  # the thread has ended
                continue
        return found


def await_answer(path: Path) -> None:
    deadline = monotonic() + START_SECONDS_MAX
    with Redis(unix_socket_path=str(path)) as client:
        while True:
            try:
                client.ping()
            except (RedisError, OSError):
                if monotonic() > deadline:
                    raise
                sleep(0.002)
            else:
                return


@contextmanager
def a_shared_store(binary: str, folder: Path) -> Iterator[SharedStore]:
    folder.mkdir()
    store = SharedStore(binary, folder)
    try:
        yield store
    finally:
        store.close()


def dump(path: Path) -> dict[str, Any]:
    """All that the server at that socket holds, by key."""
    with Redis(unix_socket_path=str(path), decode_responses=True) as client:
        names = sorted(client.scan_iter(match="*", count=1_000))
        pipe = client.pipeline(transaction=False)
        for name in names:
            pipe.type(name)
        kinds = pipe.execute()
        for name, kind in zip(names, kinds, strict=True):
            _read(pipe, name, kind)
        return dict(zip(names, pipe.execute(), strict=True))


def _read(pipe: Any, name: str, kind: str) -> None:
    match kind:
        case "hash":
            pipe.hgetall(name)
        case "stream":
            pipe.xrange(name)
        case "set":
            pipe.smembers(name)
        case "zset":
            pipe.zrange(name, 0, -1, withscores=True)
        case _:
            pipe.get(name)
