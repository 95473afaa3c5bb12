"""`polling`: clients that poll all orders while bars come, from the bar's posting to the slice in hand."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator, Sequence
from contextlib import AsyncExitStack
from time import perf_counter

from app.bench.book import Book
from app.bench.figures import Figure
from app.bench.market import next_slice_call
from app.bench.percentiles import percentile
from app.bench.run import Run
from app.bench.wire import Call, Connection, in_a_loop

CASE = "polling"
TARGETS = {"p50": 0.3, "p99": 1.0}
TARGET_AT = (1_000, 100)
"""Orders and clients."""


def polling(run: Run, sizes: Sequence[int]) -> Iterator[Figure]:
    """Every client has its share of the orders and polls them in turn, without a pause, until it has seen the new slice
    of each. The seconds of one slice run from the moment at which the bar is sent."""
    clients = run.sizes.clients
    for orders in sizes:
        book = run.book(orders)
        run.on_progress(f"{clients} clients poll {orders:,} orders through {run.sizes.polled_bars} bars")
        seconds: list[float] = []
        polls = 0
        cpu = 0.0
        for _ in range(run.sizes.polled_bars):
            with book.service.measured() as cost:
                found, made = in_a_loop(_through_a_bar(book, clients))
            book.took_bar()
            seconds += found
            polls += made
            cpu += cost.process_seconds
        for name, share in (("p50", 0.5), ("p99", 0.99)):
            target = TARGETS[name] if (orders, clients) == TARGET_AT else None
            yield Figure(case=CASE, orders=orders, name=name, value=percentile(seconds, share), unit="s", target=target)
        bars = run.sizes.polled_bars
        yield Figure(case=CASE, orders=orders, name="polls_per_bar", value=polls / bars, unit="count")
        yield Figure(case=CASE, orders=orders, name="service_cpu_per_bar", value=cpu / bars, unit="ms")


async def _through_a_bar(book: Book, clients: int) -> tuple[list[float], int]:
    """The seconds until each order's new slice was in hand, and how many polls that took."""
    step, bar = book.slices + 1, book.next_bar()
    async with AsyncExitStack() as opened:
        feed, *connections = [
            await opened.enter_async_context(Connection.to(book.service.address)) for _ in range(clients + 1)
        ]
        desks = [_Desk(each, book.order_ids[number::clients], step) for number, each in enumerate(connections)]
        started = perf_counter()
        async with asyncio.TaskGroup() as group:
            group.create_task(feed.call(bar))
            for desk in desks:
                group.create_task(desk.poll(started))
    return [seconds for desk in desks for seconds in desk.seconds], sum(desk.polls for desk in desks)


class _Desk:
    """One client and its orders. `seconds` is when it had each new slice, since the bar was sent."""

    def __init__(self, connection: Connection, order_ids: Sequence[str], step: int) -> None:
        self.seconds: list[float] = []
        self.polls = 0
        self._connection = connection
        self._calls = [next_slice_call(order_id) for order_id in order_ids]
        self._step = step

    async def poll(self, started: float) -> None:
        while self._calls:
            self._calls = [call for call in self._calls if not await self._has_new_slice(call, started)]

    async def _has_new_slice(self, call: Call, started: float) -> bool:
        self.polls += 1
        piece = json.loads(await self._connection.call(call))["slice"]
        if piece is None or piece["step"] < self._step:
            return False
        self.seconds.append(perf_counter() - started)
        return True
