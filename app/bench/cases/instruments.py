"""`instruments`: a bar of each of many instruments in one request, with orders on all of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from app.bench.book import BAR_SECONDS, SENDERS
from app.bench.failures import BenchFailed
from app.bench.figures import Figure
from app.bench.market import STEPS_MAX, Walks, order_call
from app.bench.percentiles import percentile
from app.bench.process_stats import resident_bytes
from app.bench.run import Run
from app.bench.service import Service
from app.bench.wire import call_all

CASE = "instruments"
CPU_TARGET_SECONDS, MEMORY_TARGET_BYTES = 4.0, 500e6
TARGET_AT = (5_500, 1_000)
"""Orders and instruments."""


def instruments(run: Run, sizes: Sequence[int]) -> Iterator[Figure]:
    """Every instrument has as long a history as the model reads."""
    for orders in sizes:
        at_target = (orders, run.sizes.instruments) == TARGET_AT
        with run.service(f"instruments-{orders}") as service:
            symbols = [f"BENCH-{number}" for number in range(run.sizes.instruments)]
            run.on_progress(f"filling a service with {len(symbols):,} instruments and {orders:,} orders")
            walks, history = _filled(service, symbols, orders, run.sizes.requests)
            run.on_progress(f"{run.sizes.requests} requests with a bar of each instrument")
            costs = []
            for number in range(run.sizes.requests):
                [call] = walks.post(symbols, history + number)
                with service.measured() as cost:
                    call_all(service.address, [call])
                costs.append(cost)
            if service.live_orders() < orders:
                raise BenchFailed(f"{service.live_orders()} of {orders} orders are working")
            memory = resident_bytes(service.pid)
        cpu = percentile([cost.process_seconds for cost in costs], 0.5)
        store = percentile([cost.store_seconds for cost in costs], 0.5)
        seconds = percentile([cost.wall_seconds for cost in costs], 0.5)
        target = CPU_TARGET_SECONDS if at_target else None
        yield Figure(case=CASE, orders=orders, name="service_cpu", value=cpu, unit="s", target=target)
        yield Figure(case=CASE, orders=orders, name="store_cpu", value=store, unit="s")
        yield Figure(case=CASE, orders=orders, name="p50", value=seconds, unit="s")
        target = MEMORY_TARGET_BYTES if at_target else None
        yield Figure(case=CASE, orders=orders, name="service_memory", value=memory, unit="MB", target=target)


def _filled(service: Service, symbols: Sequence[str], orders: int, requests: int) -> tuple[Walks, int]:
    """The bars of the instruments, and how many of them the service has."""
    _, card = service.model()
    history, steps = int(card["lookback"]), min(STEPS_MAX, int(card["max_steps"]))
    walks = Walks(bar_seconds=BAR_SECONDS, bars=history + requests)
    call_all(service.address, walks.register(symbols) + walks.post(symbols, 0, history))
    calls = [order_call(symbols[number % len(symbols)], number, name="many", steps=steps) for number in range(orders)]
    call_all(service.address, calls, SENDERS)
    return walks, history
