"""The parent of the workers: it keeps the embedded store and the port, starts workers again that die, and ends all."""

from __future__ import annotations

import asyncio
import logging
import os
import shutil
import signal
import socket
import sys
import tempfile
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

from redis.asyncio import Redis

from app.engine.tasks import end
from app.logs.json_lines import log_as_json
from app.main import CannotStart
from app.serve import address_of, listening_line
from app.settings import Settings
from app.store import keys
from app.store.child_processes import Restarts, end_process
from app.store.data_folder.errors import DataFolderError
from app.store.embedded import EmbeddedStore, StoreStartError
from app.workers.worker import READY, REFUSED

LOG = logging.getLogger(__name__)


def run_workers(settings: Settings, host: str, port: int, count: int) -> None:
    """Serve with so many workers until SIGTERM or SIGINT. Raises CannotStart."""
    log_as_json(settings.log_level)
    asyncio.run(_serve(settings, host, port, count))


async def _serve(settings: Settings, host: str, port: int, count: int) -> None:
    stopping = asyncio.Event()
    for kind in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(kind, stopping.set)
    async with AsyncExitStack() as stack:
        reserved = stack.enter_context(_reserved(host, port))
        folder = tempfile.mkdtemp(prefix="lem-workers-")
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        store_url = None if settings.redis_url else await _embedded(settings, stack)
        words = [str(count), host, str(reserved.getsockname()[1]), folder, *([store_url] if store_url else [])]
        workers = [Worker(number, words, settings) for number in range(count)]
        stack.push_async_callback(_stop_all, workers)
        if not await _all_ready(workers, stopping):
            return
        print(listening_line(address_of(reserved)), flush=True)  # noqa: T201 -- whoever started it waits for this line
        for worker in workers:
            worker.keep()
        await stopping.wait()


async def _all_ready(workers: list[Worker], stopping: asyncio.Event) -> bool:
    """False where a signal ends the start. Raises CannotStart."""
    starting: asyncio.Task[Any] = asyncio.create_task(_start_all(workers))
    stopped: asyncio.Task[Any] = asyncio.create_task(stopping.wait())
    try:
        await asyncio.wait([starting, stopped], return_when=asyncio.FIRST_COMPLETED)
        return starting.done() and bool(starting.result())
    finally:
        await end(starting)
        await end(stopped)


async def _start_all(workers: list[Worker]) -> bool:
    await asyncio.gather(*(worker.start() for worker in workers))
    return True


async def _stop_all(workers: list[Worker]) -> None:
    await asyncio.gather(*(worker.stop() for worker in workers))


async def _embedded(settings: Settings, stack: AsyncExitStack) -> str:
    """The url of the store, in which no process lives: nobody but us can use its folder."""
    try:
        embedded = await stack.enter_async_context(EmbeddedStore(settings.data_dir))
    except (DataFolderError, StoreStartError, OSError) as error:
        raise CannotStart(f"no store: {error}") from error
    async with Redis.from_url(embedded.url) as client:
        await client.delete(keys.PROCESSES)
    return embedded.url


def _reserved(host: str, port: int) -> socket.socket:
    """A socket that keeps the port and does not listen: port 0 is the same free one for all workers."""
    reserved = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    try:
        with socket.socket(reserved.family) as alone:  # another service may share the port, and would not be told
            alone.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            alone.bind((host, port))
        reserved.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        reserved.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        reserved.bind((host, port))
    except OSError as error:
        reserved.close()
        raise CannotStart(f"cannot listen on {host} port {port}: {error.strerror or error}") from error
    return reserved


class Worker:
    """A worker process, and the next one in its place when it dies."""

    def __init__(self, number: int, words: list[str], settings: Settings) -> None:
        self._number = number
        self._words = words
        self._settings = settings
        self._process: asyncio.subprocess.Process | None = None
        self._keeping: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Returns when the worker serves. Raises CannotStart."""
        self._process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "app.workers.worker", str(os.getpid()), str(self._number), *self._words),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            env=os.environ | _environment(self._settings),
            start_new_session=True,  # Ctrl-C is for the parent, which then ends the workers
        )
        said = await self._process.stdout.readline() if self._process.stdout else b""
        line = said.decode().strip()
        if line != READY:
            code = await self._process.wait()
            raise CannotStart(line.removeprefix(REFUSED) or f"worker {self._number} ended with {code}")

    def keep(self) -> None:
        """From now on, start the worker again whenever it dies."""
        self._keeping = asyncio.create_task(self._keep(), name=f"worker {self._number}")

    async def stop(self) -> None:
        await end(self._keeping)
        await end_process(self._process)

    async def _keep(self) -> None:
        """Pause longer while it does not stay up."""
        loop, restarts = asyncio.get_running_loop(), Restarts()
        while self._process is not None:
            started = loop.time()
            code = await self._process.wait()
            LOG.error("worker %d ended with %s and is started again", self._number, code)
            await asyncio.sleep(restarts.ended(loop.time() - started))
            try:
                await self.start()
            except CannotStart as error:
                LOG.error("worker %d did not start: %s", self._number, error)  # noqa: TRY400 -- no traceback of ours


def _environment(settings: Settings) -> dict[str, str]:
    """What options have set; a worker reads all else from the environment that it shares with the parent."""
    return {
        "LEM_DATA_DIR": str(Path(settings.data_dir).resolve()),
        "LEM_CLOCK": settings.clock,
        "LEM_BUNDLE": str(Path(settings.bundle).resolve()),
        **({"LEM_BUNDLES": str(Path(settings.bundles).resolve())} if settings.bundles else {}),
        "LEM_ALLOW_NO_KEYS": str(settings.allow_no_keys),
    }
