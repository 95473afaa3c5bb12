"""`store`, `memory` and `ready`: what many orders take in the store, in the service's memory and at a start."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from app.bench.book import Book
from app.bench.figures import Figure
from app.bench.percentiles import percentile
from app.bench.process_stats import folder_bytes, resident_bytes
from app.bench.run import Run
from app.bench.service import StartTime

STORE, MEMORY, READY = "store", "memory", "ready"
SLICES = 10
"""Of each order where its bytes in the store and in memory are looked at."""
SHARE_SHOWN = 0.01
"""Of an order's bytes; smaller parts are not worth a line."""
ORDER_TARGET_BYTES, BAR_TARGET_BYTES = 3_000.0, 160.0
MEMORY_TARGETS_BYTES = {10_000: 300e6}
READY_TARGETS_SECONDS = {0: 1.5, 10_000: 3.0}


def store(run: Run, sizes: Sequence[int]) -> Iterator[Figure]:
    """What the keys take in the store's memory: all that belongs to orders, of that the parts, and the bars."""
    for orders in sizes:
        book = _after_slices(run, orders)
        run.on_progress(f"the store's {orders:,} orders of {book.slices} slices")
        found = book.service.bytes_by_kind()
        bars, whole = found.pop("bars"), found.total()
        target = ORDER_TARGET_BYTES if book.slices == SLICES else None
        shown = [(kind, size) for kind, size in found.most_common() if size > SHARE_SHOWN * whole]
        for name, value, aim in (
            (f"order_of_{book.slices}_slices", whole / orders, target),
            *((f"of_that_{kind}", size / orders, None) for kind, size in shown),
            ("bar", bars / (book.history + book.slices - 1), BAR_TARGET_BYTES),
            ("files_per_order", folder_bytes(book.service.folder) / orders, None),
        ):
            yield Figure(case=STORE, orders=orders, name=name, value=value, unit="bytes", target=aim)


def memory(run: Run, sizes: Sequence[int]) -> Iterator[Figure]:
    """Resident memory once the orders have gone through some bars."""
    for orders in sizes:
        book = _after_slices(run, orders)
        run.on_progress(f"the memory of {orders:,} orders")
        held, target = resident_bytes(book.service.pid), MEMORY_TARGETS_BYTES.get(orders)
        yield Figure(case=MEMORY, orders=orders, name="service", value=held, unit="MB", target=target)
        held = resident_bytes(book.service.store_pid)
        yield Figure(case=MEMORY, orders=orders, name="store", value=held, unit="MB")


def _after_slices(run: Run, orders: int) -> Book:
    """A book whose orders have their slices: `SLICES`, or fewer in a quick run."""
    book = run.book(orders)
    book.post_bars_until(min(SLICES, run.sizes.bars + 1))
    return book


def ready(run: Run, sizes: Sequence[int]) -> Iterator[Figure]:
    """From the command to the first time that the service says so, on an empty folder and with orders."""
    for orders in (0, *sizes):
        starts = _restarts(run, orders) if orders else _empty_starts(run)
        wall = percentile([start.wall_seconds for start in starts], 0.5)
        cpu = percentile([start.cpu_seconds for start in starts], 0.5)
        target = READY_TARGETS_SECONDS.get(orders)
        yield Figure(case=READY, orders=orders, name="p50", value=wall, unit="s", target=target)
        yield Figure(case=READY, orders=orders, name="service_cpu", value=cpu, unit="s")


def _restarts(run: Run, orders: int) -> list[StartTime]:
    service = run.book(orders).service
    run.on_progress(f"starting a service with {orders:,} orders")
    starts = []
    for _ in range(run.sizes.starts):
        service.restart()
        starts.append(service.start_time)
    return starts


def _empty_starts(run: Run) -> list[StartTime]:
    """Services that other cases have started count."""
    run.on_progress("starting an empty service")
    while len(run.empty_starts) < run.sizes.starts:
        with run.service(f"empty-{len(run.empty_starts)}"):
            pass
    return run.empty_starts
