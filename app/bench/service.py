"""The service under test: `lem serve` as a process with its embedded store, every write synced, on the clock of the
bars."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter, sleep
from typing import Any, cast

import httpx
from redis import Redis

from app.bench.failures import BenchFailed
from app.bench.measured_process import Cost, MeasuredProcess
from app.bench.process_stats import cpu_seconds
from app.bench.profiles import Recorder
from app.settings import ClockKind

TIMEOUT_SECONDS = 60.0
READY_POLL_SECONDS = 0.005
READY_SECONDS_MAX = 300.0
KEYS_ASKED_AT_ONCE = 1_000
KIND = re.compile(r"lem:(?:\{[^}]*\}:)?(\w+)")
LIVE_ORDERS = re.compile(r'^lem_live_orders\{status="(?:accepted|working)"\} ([\d.e+]+)$', re.MULTILINE)


@dataclass(frozen=True, slots=True)
class StartTime:
    """From the command to the first readiness: on the clock, and in CPU."""

    wall_seconds: float
    cpu_seconds: float


class Service(MeasuredProcess):
    """`stacks`, where it is given, collects a profile of all that is measured with one worker. `start_time` is that of
    the last start."""

    def __init__(
        self, folder: Path, *, bundle: Path | None = None, workers: int = 1, stacks: Counter[str] | None = None
    ) -> None:
        self.start_time = StartTime(0.0, 0.0)
        self._recorder = None if stacks is None or workers > 1 else Recorder(folder.with_suffix(".folded"), stacks)
        words = ["serve", "--port", "0", "--clock", ClockKind.BARS, "--data-dir", str(folder)]
        words += ["--bundle", str(bundle)] if bundle else []
        words += ["--workers", str(workers)] if workers > 1 else []
        if self._recorder is None:
            super().__init__("app.cli", *words, folder=folder)
        else:
            super().__init__("app.bench.profiled_service", str(self._recorder.path), *words, folder=folder)

    def start(self) -> None:
        """Returns when the service is ready."""
        with httpx.Client(timeout=TIMEOUT_SECONDS) as client:  # made before: a client takes its time to begin with
            started = perf_counter()
            super().start()
            while client.get(f"{self.address}/readyz").status_code != httpx.codes.OK:
                if perf_counter() - started > READY_SECONDS_MAX:
                    raise BenchFailed(f"the service was not ready within {READY_SECONDS_MAX:.0f} s")
                sleep(READY_POLL_SECONDS)
            self.start_time = StartTime(perf_counter() - started, cpu_seconds(self.pid))

    def restart(self) -> None:
        """Stop in order and start on the same store."""
        self.stop()
        self.start()

    @contextmanager
    def measured(self) -> Iterator[Cost]:
        """What happens inside, and its profile where one is asked for."""
        if self._recorder is not None:
            self._recorder.start(self.pid)
        with super().measured() as cost:
            yield cost
        if self._recorder is not None:
            self._recorder.stop(self.pid)

    def model(self) -> tuple[str, dict[str, Any]]:
        """The name of the model that decides, and its card."""
        answer = httpx.get(f"{self.address}/v1/models", timeout=TIMEOUT_SECONDS).raise_for_status().json()
        [active] = [model for model in answer["models"] if model["active"]]
        return str(active["name"]), cast("dict[str, Any]", active["card"])

    def live_orders(self) -> int:
        """Orders that bars move now, as the service counts them in its store."""
        page = httpx.get(f"{self.address}/metrics", timeout=TIMEOUT_SECONDS).raise_for_status().text
        return round(sum(map(float, LIVE_ORDERS.findall(page))))

    @contextmanager
    def store(self) -> Iterator[Redis]:
        """A client of the embedded store."""
        socket = self.folder / "store.sock"
        if not socket.exists():
            raise BenchFailed("the folder for temporary files has too long a path; set TMPDIR to a shorter one")
        with Redis(unix_socket_path=str(socket)) as client:
            yield client

    def store_bytes(self) -> int:
        """What the store holds in memory, by its own account. Scripts and buffers make this uncertain by some hundred
        kilobytes; see `bytes_by_kind`."""
        with self.store() as client:
            return int(cast("dict[str, int]", client.info("memory"))["used_memory_dataset"])

    def bytes_by_kind(self) -> Counter[str]:
        """What each kind of key takes in the store's memory, exactly; asks for every key in turn."""
        found: Counter[str] = Counter()
        with self.store() as client:
            keys = list(client.scan_iter(count=KEYS_ASKED_AT_ONCE))
            for first in range(0, len(keys), KEYS_ASKED_AT_ONCE):
                part = keys[first : first + KEYS_ASKED_AT_ONCE]
                asked = client.pipeline(transaction=False)
                for key in part:
                    asked.memory_usage(key, samples=0)
                for key, size in zip(part, asked.execute(), strict=True):
                    found[_kind(key.decode())] += size
        return found


def _kind(key: str) -> str:
    """What stands behind the instrument, or behind `lem:` where there is none."""
    found = KIND.match(key)
    return found[1] if found else key
