"""A process that listens, with an embedded store of its own, and what both cost while something is measured."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Self

from app.bench.failures import BenchFailed
from app.bench.process_stats import children_of, cpu_seconds, working_folder
from app.demo.server import Server, listening

OWN_STORE = {"LEM_REDIS_URL": ""}


@dataclass(slots=True)
class Cost:
    """CPU of the process and of its store, and time on the clock."""

    process_seconds: float = 0.0
    store_seconds: float = 0.0
    wall_seconds: float = 0.0


class MeasuredProcess:
    """Runs `module` with `words` as a process. Use as a context manager; `folder` is for its log and its store."""

    def __init__(self, module: str, *words: str, folder: Path) -> None:
        self.folder = folder
        self._command = (module, *words)
        self._opened = ExitStack()
        self._server: Server | None = None
        self._store_pid: int | None = None

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Returns when the process listens. Raises ServerFailed."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        log = self.folder.with_suffix(".log")
        self._server = self._opened.enter_context(listening(*self._command, log=log, environment=OWN_STORE))

    def stop(self) -> None:
        self._opened.close()
        self._server = self._store_pid = None

    @property
    def address(self) -> str:
        return self._running.address

    @property
    def pid(self) -> int:
        return self._running.process.pid

    @property
    def store_pid(self) -> int:
        """The child that works in the folder. Raises BenchFailed where there is none, or several."""
        if self._store_pid is None:
            stores = [child for child in children_of(self.pid) if working_folder(child) == self.folder.resolve()]
            if len(stores) != 1:
                raise BenchFailed(f"{len(stores)} processes work in the store's folder; there should be one")
            [self._store_pid] = stores
        return self._store_pid

    @property
    def _running(self) -> Server:
        if self._server is None:
            raise AssertionError("the process is not started")
        return self._server

    @contextmanager
    def measured(self) -> Iterator[Cost]:
        """What happens inside. The cost is known once it has ended."""
        cost = Cost()
        process, store, started = cpu_seconds(self.pid), cpu_seconds(self.store_pid), perf_counter()
        yield cost
        cost.wall_seconds = perf_counter() - started
        cost.process_seconds = cpu_seconds(self.pid) - process
        cost.store_seconds = cpu_seconds(self.store_pid) - store
