"""`takeover`: how long an owner that is killed is missed."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator, Sequence
from contextlib import suppress
from time import perf_counter

from app.bench.book import BAR_SECONDS, SENDERS, SYMBOL
from app.bench.failures import BenchFailed
from app.bench.figures import Figure
from app.bench.market import STEPS_MAX, Walks, next_slice_call, order_call
from app.bench.percentiles import percentile
from app.bench.run import Run
from app.bench.service import Service
from app.bench.wire import Call, CallRefused, call_all
from app.store import keys

TAKEOVER = "takeover"
TAKEOVER_TARGET_SECONDS = 3.0
LATE_SECONDS_MAX = 30.0


def takeover(run: Run, sizes: Sequence[int]) -> Iterator[Figure]:
    """From kill -9 of the owner to the slices of the next bar."""
    for orders in sizes:
        with run.service(f"takeover-{orders}", workers=2) as service:
            run.on_progress(f"killing the owner of {orders:,} orders {run.sizes.starts} times")
            walks, history, order_ids = filled(service, [SYMBOL], orders, run.sizes.starts + 1)
            seconds = []
            for number in range(run.sizes.starts):
                [bar] = walks.post([SYMBOL], history + number)
                seconds.append(_seconds_to_slices(service, bar, order_ids, number + 2))
        yield Figure(case=TAKEOVER, orders=orders, name="p50", value=percentile(seconds, 0.5), unit="s")
        worst, target = max(seconds), TAKEOVER_TARGET_SECONDS
        yield Figure(case=TAKEOVER, orders=orders, name="worst", value=worst, unit="s", target=target)


def filled(service: Service, symbols: Sequence[str], orders: int, bars: int) -> tuple[Walks, int, list[str]]:
    """The bars of the instruments, how many of them the service has, and the orders, spread over the instruments."""
    _, card = service.model()
    history, steps = int(card["lookback"]), min(STEPS_MAX, int(card["max_steps"]))
    walks = Walks(bar_seconds=BAR_SECONDS, bars=history + bars)
    call_all(service.address, walks.register(symbols) + walks.post(symbols, 0, history))
    calls = [order_call(symbols[number % len(symbols)], number, name="many", steps=steps) for number in range(orders)]
    answers = call_all(service.address, calls, SENDERS)
    return walks, history, [str(json.loads(answer.body)["order_id"]) for answer in answers]


def _seconds_to_slices(service: Service, bar: Call, order_ids: Sequence[str], step: int) -> float:
    with service.store() as store:
        owner = int(str(store.hget(keys.instrument(SYMBOL), "owner"), "utf-8").split(":")[1])  # type: ignore[arg-type]
    started = perf_counter()
    os.kill(owner, signal.SIGKILL)
    while not _has_slices(service, bar, order_ids, step):
        if perf_counter() - started > LATE_SECONDS_MAX:
            raise BenchFailed(f"no slice within {LATE_SECONDS_MAX:.0f} s of the owner's death")
    return perf_counter() - started


def _has_slices(service: Service, bar: Call, order_ids: Sequence[str], step: int) -> bool:
    """Post the bar, again where the worker that took it has died, and ask for the last order's slice."""
    with suppress(CallRefused, OSError, EOFError):
        call_all(service.address, [bar])
        [answer] = call_all(service.address, [next_slice_call(order_ids[-1])])
        found = json.loads(answer.body)["slice"]
        return bool(found) and int(found["step"]) >= step
    return False
