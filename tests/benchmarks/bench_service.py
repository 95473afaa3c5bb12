"""How fast the service is: a real process, its embedded store with every write synced, one client.

    python -m tests.benchmarks.bench_service [ORDERS]

Prints the time of one bar's request, which answers when every slice that follows from the bar is decided and
committed, and of `slices/next` over one connection.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from statistics import median, quantiles
from tempfile import TemporaryDirectory
from time import perf_counter

import httpx

from app.demo.server import serving
from app.domain.bar import Bar
from tests.api.wire import bars_json, instrument_json, order_json
from tests.builders import bars

HISTORY, MEASURED_BARS, POLLS = 500, 10, 1_000


def main(order_count: int) -> None:
    with (
        TemporaryDirectory() as folder,
        serving(data_dir=Path(folder)) as server,
        httpx.Client(base_url=server.address, timeout=60) as client,
    ):
        client.put("/v1/instruments/BTC-USDT", json=instrument_json()).raise_for_status()
        client.post("/v1/bars", json=bars_json(bars(HISTORY))).raise_for_status()
        order_ids: list[str] = []
        _report("POST /v1/orders", [_seconds(partial(_send, client, n, order_ids)) for n in range(order_count)])
        one_bar = [partial(_post_bar, client, bar) for bar in bars(MEASURED_BARS, first=HISTORY, seed=1)]
        _report(
            f"POST /v1/bars, {order_count} working orders decided and committed", [_seconds(act) for act in one_bar]
        )
        polls = [partial(_poll, client, order_ids[poll % order_count]) for poll in range(POLLS)]
        _report("GET slices/next", [_seconds(act) for act in polls])


def _send(client: httpx.Client, number: int, order_ids: list[str]) -> None:
    horizon = {"min_steps": 12, "max_steps": 12}
    body = order_json(client_order_id=f"bench-{number}", quantity="100", horizon=horizon)
    order_ids.append(client.post("/v1/orders", json=body).raise_for_status().json()["order_id"])


def _post_bar(client: httpx.Client, bar: Bar) -> None:
    client.post("/v1/bars", json=bars_json([bar])).raise_for_status()


def _poll(client: httpx.Client, order_id: str) -> None:
    client.get(f"/v1/orders/{order_id}/slices/next").raise_for_status()


def _seconds(act: Callable[[], object]) -> float:
    started = perf_counter()
    act()
    return perf_counter() - started


def _report(what: str, seconds: list[float]) -> None:
    tail = quantiles(seconds, n=100)[98]
    print(f"{what}: median {median(seconds) * 1e3:.1f} ms, p99 {tail * 1e3:.1f} ms, n {len(seconds)}")  # noqa: T201


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000)
