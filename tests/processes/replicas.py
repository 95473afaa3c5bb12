"""Several services as processes on one store, and what a test does to them."""

from __future__ import annotations

import signal
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import httpx
from redis import Redis

from app.demo.server import Server, serving
from app.settings import ClockKind
from app.store import keys
from tests.api.wire import HISTORY, SYMBOL, bars_json, instrument_json, order_json
from tests.builders import bars

PATIENT_SECONDS = 60
"""The machine may be busy: what is to happen within seconds is waited for that long."""
POLL_SECONDS = 0.02
WAIT_SECONDS = 20


class Replica:
    """A service and a client of it."""

    def __init__(self, server: Server) -> None:
        self.pid = server.process.pid
        self.process = server.process
        self.client = httpx.Client(base_url=server.address, timeout=PATIENT_SECONDS)

    def post(self, path: str, body: Any) -> dict[str, Any]:
        answer = self.client.post(path, json=body)
        assert answer.status_code in (200, 201), answer.text
        found: dict[str, Any] = answer.json()
        return found

    def prepared(self, symbol: str = SYMBOL, **terms: Any) -> None:
        assert self.client.put(f"/v1/instruments/{symbol}", json=instrument_json(**terms)).status_code == 201
        self.post("/v1/bars", bars_json(bars(HISTORY), symbol))

    def order(self, **changes: Any) -> str:
        return str(self.post("/v1/orders", order_json(**changes))["order_id"])

    def feed(self, number: int, symbol: str = SYMBOL) -> dict[str, Any]:
        """Bar `number` of the walk."""
        return self.post("/v1/bars", bars_json(bars(number + 1)[number:], symbol))

    def step(self, order_id: str, wait: float = 0.0) -> int:
        """Of the slice that is to be traded now; 0 while there is none."""
        answer = self.client.get(f"/v1/orders/{order_id}/slices/next", params={"wait": wait}).json()
        return int(answer["slice"]["step"]) if answer["slice"] else 0

    def await_step(self, order_id: str, step: int) -> None:
        until(lambda: self.step(order_id, wait=1.0) >= step)


@contextmanager
def replicas(folder: Path, url: str, count: int, clock: ClockKind = ClockKind.BARS) -> Iterator[list[Replica]]:
    """So many services, each of which knows the others."""
    with ExitStack() as stack:
        started = [
            Replica(stack.enter_context(serving(data_dir=folder / str(number), redis_url=url, clock=clock)))
            for number in range(count)
        ]
        for replica in started:
            stack.callback(replica.process.send_signal, signal.SIGCONT)  # a stopped process cannot end
            stack.callback(replica.client.close)
        until(lambda: all("lem_processes " + f"{count}.0" in each.client.get("/metrics").text for each in started))
        yield started


def until(holds: Any) -> None:
    deadline = monotonic() + PATIENT_SECONDS
    while not holds():
        assert monotonic() < deadline, "it has not happened"
        sleep(POLL_SECONDS)


def owner_pid(url: str, symbol: str = SYMBOL) -> int:
    """The process that decides for the instrument."""
    with Redis.from_url(url, decode_responses=True) as client:
        return int(str(client.hget(keys.instrument(symbol), "owner") or "::").split(":")[1] or 0)


def split(started: Sequence[Replica], url: str) -> tuple[Replica, Replica]:
    """The owner of the instrument and another one, once the owner is who is to stay so."""
    [owner] = [each for each in started if each.pid == owner_pid(url)]
    return owner, next(each for each in started if each is not owner)


def recorded_slices(url: str, symbol: str = SYMBOL) -> dict[str, dict[str, str]]:
    """The slices of all orders as the store has them, by order and step."""
    with Redis.from_url(url, decode_responses=True) as client:
        found = {key: client.hgetall(key) for key in client.scan_iter(f"lem:{{{symbol}}}:slices:*")}
    return {str(key): dict(slices) for key, slices in found.items()}
