"""`workers` and `takeover`: what a second worker brings, and how long an owner that is killed is missed."""

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

WORKERS, TAKEOVER = "workers", "takeover"
INSTRUMENTS = 32
CONNECTIONS = 8
WORKERS_TARGET, TAKEOVER_TARGET_SECONDS = 1 / 1.8, 3.0
LATE_SECONDS_MAX = 30.0


def workers(run: Run, sizes: Sequence[int]) -> Iterator[Figure]:
    """The same bars of the same instruments, each bar a request of its own, with one worker and with two."""
    for orders in sizes:
        seconds = {count: _seconds_of_bars(run, orders, count) for count in (1, 2)}
        for count, each in seconds.items():
            name = f"seconds_per_round_with_{count}"
            yield Figure(case=WORKERS, orders=orders, name=name, value=percentile(each, 0.5), unit="ms")
        ratio = percentile(seconds[2], 0.5) / percentile(seconds[1], 0.5)
        yield Figure(
            case=WORKERS, orders=orders, name="time_of_two_to_one", value=ratio, unit="ratio", target=WORKERS_TARGET
        )


def takeover(run: Run, sizes: Sequence[int]) -> Iterator[Figure]:
    """From kill -9 of the owner to the slices of the next bar."""
    for orders in sizes:
        with run.service(f"takeover-{orders}", workers=2) as service:
            run.on_progress(f"killing the owner of {orders:,} orders {run.sizes.starts} times")
            walks, history, order_ids = _filled(service, [SYMBOL], orders, run.sizes.starts + 1)
            seconds = []
            for number in range(run.sizes.starts):
                [bar] = walks.post([SYMBOL], history + number)
                seconds.append(_seconds_to_slices(service, bar, order_ids, number + 2))
        yield Figure(case=TAKEOVER, orders=orders, name="p50", value=percentile(seconds, 0.5), unit="s")
        worst, target = max(seconds), TAKEOVER_TARGET_SECONDS
        yield Figure(case=TAKEOVER, orders=orders, name="worst", value=worst, unit="s", target=target)


def _seconds_of_bars(run: Run, orders: int, count: int) -> list[float]:
    """Of each round of a bar of every instrument."""
    symbols = [f"BENCH-{number}" for number in range(INSTRUMENTS)]
    with run.service(f"workers-{count}-{orders}", workers=count) as service:
        run.on_progress(f"{run.sizes.bars} rounds of bars of {INSTRUMENTS} instruments with {count} workers")
        walks, history, _ = _filled(service, symbols, orders, run.sizes.bars)
        seconds = []
        for number in range(run.sizes.bars):
            calls = [call for symbol in symbols for call in walks.post([symbol], history + number)]
            started = perf_counter()
            answers = call_all(service.address, calls, CONNECTIONS)
            seconds.append(perf_counter() - started)
            if any("decided" in json.loads(answer.body) for answer in answers):
                raise BenchFailed("a bar was answered before its slices were decided")
    return seconds


def _filled(service: Service, symbols: Sequence[str], orders: int, bars: int) -> tuple[Walks, int, list[str]]:
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
