"""A service under test, in a process that has just been forked: it serves as `lem serve` does, tells on its control
socket which points it passes, and stands still at the one where it is to be harmed.

The control socket is its standard input and output, a line of JSON each way: the service says where it listens and what
it passes, and waits for a line where its driver is to do the harm.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from threading import Lock
from typing import Any, Self

from pydantic import SecretStr

from app import main, serve
from app.bundles.bundle import LemPolicy
from app.engine.bounded_thread import BoundedThread
from app.engine.ownership import sharing
from app.engine.stages import decide
from app.settings import ClockKind, Settings
from app.store import connection
from tests.crashes.faults import Fault, plant
from tests.crashes.points import Point, watch

DECIDE_SECONDS_MAX = 60.0
"""How long a process stands still, or how busy the machine is, shall not change who decides."""
STORE_SECONDS_MAX = 0.5
"""A service that waits for a store that does not answer does so for 5 s, which thousands of scenarios have not."""
LEASE_SECONDS = 0.5
"""Of a service among several, for the same reason."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """How a service is to be started. `point` is where it is harmed at passage `passage`: it ends there itself where
    it `dies`, and otherwise asks its driver. One that `tells` says every passage."""

    data_dir: str
    log: str
    redis_url: str | None
    point: Point | None = None
    passage: int = 1
    dies: bool = False
    tells: bool = False
    fault: Fault | None = None

    def to_json(self) -> bytes:
        return json.dumps(asdict(self)).encode()

    @classmethod
    def from_json(cls, text: bytes) -> Self:
        fields = json.loads(text)
        kinds = {"point": Point, "fault": Fault}
        return cls(**fields | {name: kind(fields[name]) for name, kind in kinds.items() if fields[name]})


@dataclass(slots=True)
class Passing:
    """Counts what is passed, in whichever thread that happens."""

    order: Order
    _lock: Any = None
    _counts: Any = None

    def __post_init__(self) -> None:
        self._lock, self._counts = Lock(), Counter[Point]()

    def __call__(self, point: Point) -> None:
        with self._lock:
            self._counts[point] += 1
            hit = point is self.order.point and self._counts[point] == self.order.passage
        if self.order.tells:
            say("passed", point)
        if hit and self.order.dies:
            os.kill(os.getpid(), signal.SIGKILL)
        if hit:
            say("at", point)
            _line()


def say(word: str, value: str) -> None:
    os.write(1, f"{word} {value}\n".encode())


def _line() -> None:
    while os.read(0, 1) not in {b"\n", b""}:
        pass


def run(order: Order, model: LemPolicy) -> None:
    """Serve until a signal ends this process. `model` is the bundle, loaded before the fork."""
    _patient(model)
    if order.fault:
        plant(order.fault)
    watch(Passing(order))
    settings = Settings(
        redis_url=SecretStr(order.redis_url) if order.redis_url else None,
        allow_lossy_store=True,
        data_dir=Path(order.data_dir),
        clock=ClockKind.BARS,
    )
    serve.run(settings, "127.0.0.1", 0)


def _patient(model: LemPolicy) -> None:
    """What the time on a busy machine would otherwise decide, and what every start would do again."""

    def loaded(_: Settings) -> LemPolicy:
        return model

    def patient(_: float) -> BoundedThread:
        return BoundedThread(DECIDE_SECONDS_MAX)

    replaced: tuple[tuple[Any, str, Callable[..., Any] | float], ...] = (
        (main, "_model", loaded),
        (decide, "BoundedThread", patient),
        (connection, "TIMEOUT_SECONDS", STORE_SECONDS_MAX),
        (sharing, "LEASE_SECONDS", LEASE_SECONDS),
        (sharing, "BEAT_SECONDS", LEASE_SECONDS / 3),
    )
    for owner, name, other in replaced:
        setattr(owner, name, other)


def become(order: Order, control: int, model: LemPolicy) -> None:
    """Take up the order in a process that was forked for it; never returns."""
    code = 1
    try:
        log = os.open(order.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        for source, target in ((control, 0), (control, 1), (log, 2)):
            os.dup2(source, target)
        os.closerange(3, 256)
        run(order, model)
        code = 0
    except main.CannotStart as error:
        with suppress(OSError):
            say("failed", str(error))
    except BaseException:  # noqa: BLE001 -- nothing of the nursery may go on in here
        sys.excepthook(*sys.exc_info())
        sys.stderr.flush()
    finally:
        os._exit(code)
