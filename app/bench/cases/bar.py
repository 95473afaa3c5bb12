"""`bar`: one bar with many working orders, to all slices committed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from statistics import mean

from app.bench.figures import Figure
from app.bench.percentiles import percentile
from app.bench.run import Run

CASE = "bar"
SECONDS_TARGETS = {100: 0.020, 1_000: 0.150, 10_000: 1.2}


def bar(run: Run, sizes: Sequence[int]) -> Iterator[Figure]:
    """Bars one after the other, for each number of orders."""
    by_order: list[float] = []
    for orders in sizes:
        book = run.book(orders)
        run.on_progress(f"{run.sizes.bars} bars with {orders:,} working orders")
        costs = [book.post_bar() for _ in range(run.sizes.bars)]
        seconds = [cost.wall_seconds for cost in costs]
        service = mean(cost.process_seconds for cost in costs)
        store = mean(cost.store_seconds for cost in costs)
        by_order.append((service + store) / orders)
        target = SECONDS_TARGETS.get(orders)
        yield Figure(case=CASE, orders=orders, name="p50", value=percentile(seconds, 0.5), unit="ms", target=target)
        yield Figure(case=CASE, orders=orders, name="p99", value=percentile(seconds, 0.99), unit="ms")
        yield Figure(case=CASE, orders=orders, name="service_cpu", value=service, unit="ms")
        yield Figure(case=CASE, orders=orders, name="store_cpu", value=store, unit="ms")
        yield Figure(case=CASE, orders=orders, name="cpu_per_order", value=by_order[-1], unit="us")
    if len(sizes) > 1:
        steepness = by_order[-1] / by_order[0]
        yield Figure(case=CASE, name="cpu_per_order_last_to_first", value=steepness, unit="ratio")
