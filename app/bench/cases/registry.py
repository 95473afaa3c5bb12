"""All cases, in the order in which they run: those that leave orders behind come after those that count bytes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from app.bench.cases.bar import bar
from app.bench.cases.events import events
from app.bench.cases.footprint import memory, ready, store
from app.bench.cases.instruments import instruments
from app.bench.cases.overload import overload
from app.bench.cases.polling import polling
from app.bench.cases.replicas import takeover
from app.bench.cases.requests import post_orders, slices_next
from app.bench.cases.soak import soak
from app.bench.cases.workers import workers
from app.bench.figures import Figure
from app.bench.run import Run


class CaseName(StrEnum):
    SLICES_NEXT = "slices_next"
    BAR = "bar"
    POLLING = "polling"
    STORE = "store"
    MEMORY = "memory"
    READY = "ready"
    ORDERS = "orders"
    INSTRUMENTS = "instruments"
    OVERLOAD = "overload"
    EVENTS = "events"
    WORKERS = "workers"
    TAKEOVER = "takeover"
    SOAK = "soak"


@dataclass(frozen=True, slots=True)
class Case:
    """`about` says what is measured. `orders` are its sizes where none are asked for, `quick_orders` those of a quick
    run."""

    measure: Callable[[Run, Sequence[int]], Iterator[Figure]]
    about: str
    orders: tuple[int, ...]
    quick_orders: tuple[int, ...] = (16,)


CASES = {
    CaseName.SLICES_NEXT: Case(slices_next, "GET slices/next, against a bare handler with one HGET", (100,)),
    CaseName.BAR: Case(bar, "one bar with working orders, to all slices committed", (100, 1_000, 10_000)),
    CaseName.STORE: Case(store, "the store's growth by orders and bars", (1_000,)),
    CaseName.MEMORY: Case(memory, "memory with orders that have gone through bars", (10_000,)),
    CaseName.READY: Case(ready, "from the command to readiness, empty and with orders", (10_000,)),
    CaseName.POLLING: Case(polling, "clients that poll all orders through bars, bar to slice in hand", (1_000,)),
    CaseName.ORDERS: Case(
        post_orders, "POST /v1/orders with its first slice, against a bare POST with a script", (1_000,)
    ),
    CaseName.INSTRUMENTS: Case(instruments, "a bar of each of many instruments in one request", (5_500,), (44,)),
    CaseName.OVERLOAD: Case(overload, "a bar's slices under floods of other requests, against no flood", (1_000,)),
    CaseName.EVENTS: Case(events, "from an order's commit to its events in clients' hands, two workers", (200,)),
    CaseName.WORKERS: Case(workers, "bars of many instruments, with two workers against one", (640,), (32,)),
    CaseName.TAKEOVER: Case(takeover, "from kill -9 of an instrument's owner to the next slices", (100,), (8,)),
    CaseName.SOAK: Case(soak, "days of one-minute bars, accelerated: memory, descriptors, store", (8,), (8,)),
}
ASKED_FOR = {CaseName.SOAK}
"""Cases that run only where they are named: a soak takes its time."""
