"""`overload`: how much longer a bar's slices take while other requests come in floods."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AsyncExitStack
from time import perf_counter

from app.bench.book import SYMBOL, Book
from app.bench.figures import Figure
from app.bench.floods import Flood, NextCall
from app.bench.market import next_slice_call, order_call
from app.bench.percentiles import percentile
from app.bench.run import Run
from app.bench.wire import Call, Connection, call_all, in_a_loop
from app.engine.tasks import end

CASE = "overload"
TARGETS = {f"{name}_p50": 3.0 for name in ("polls", "quotes", "schedules", "pages", "orders")}
"""The median bar, in units of the undisturbed one."""
TARGETS_AT = 1_000
SHARES = (("p50", 0.5), ("p99", 0.99))
HEALTH_SECONDS_TARGET = 0.1
LOOK_SECONDS = 0.02
PAUSE_SECONDS = 0.3
"""Between two bars, in which the flood goes on by itself."""
OTHER = f"{SYMBOL}-OTHER"
"""New orders come on an instrument of their own, so that those whose bars are measured stay as many."""


def overload(run: Run, sizes: Sequence[int]) -> Iterator[Figure]:
    """Bars one after the other, first alone and then under each flood: from the sending of the bar until all of its
    slices are committed. `/healthz` is asked all along."""
    for orders in sizes:
        run.on_progress(f"filling a service with {orders:,} working orders")
        with run.service(f"overload-{orders}") as service:
            book, health = Book.filled(service, orders), list[float]()
            call_all(service.address, book.walks.register([OTHER]) + book.walks.post([OTHER], 0, book.history))
            alone = in_a_loop(_through_bars(run, book, None, []))
            for label, share in SHARES:
                value = percentile(alone, share)
                yield Figure(case=CASE, orders=orders, name=f"undisturbed_{label}", value=value, unit="ms")
            for name, next_call in _floods(book).items():
                run.on_progress(f"{run.sizes.flooded_bars} bars with {orders:,} working orders, in a flood of {name}")
                flood = Flood(next_call)
                flooded = in_a_loop(_through_bars(run, book, flood, health))
                yield from _figures(orders, name, alone, flooded, flood)
            target = HEALTH_SECONDS_TARGET if orders == TARGETS_AT else None
            yield Figure(
                case=CASE, orders=orders, name="healthz_p99", value=percentile(health, 0.99), unit="ms", target=target
            )


def _figures(
    orders: int, name: str, alone: Sequence[float], flooded: Sequence[float], flood: Flood
) -> Iterator[Figure]:
    for label, share in SHARES:
        ratio = percentile(flooded, share) / percentile(alone, share)
        target = TARGETS.get(f"{name}_{label}") if orders == TARGETS_AT else None
        yield Figure(case=CASE, orders=orders, name=f"{name}_{label}", value=ratio, unit="ratio", target=target)
    yield Figure(case=CASE, orders=orders, name=f"{name}_answered", value=flood.answers.total(), unit="count")
    yield Figure(case=CASE, orders=orders, name=f"{name}_refused", value=flood.refused, unit="count")


def _floods(book: Book) -> Mapping[str, NextCall]:
    asked = Call("POST", "/v1/quotes", order_call(SYMBOL, 0, name="quote", steps=book.steps).body)
    ids = book.order_ids
    return {
        "polls": lambda number: next_slice_call(ids[number % len(ids)]),
        "quotes": lambda _: asked,
        "schedules": lambda number: Call("GET", f"/v1/orders/{ids[number % len(ids)]}/schedule"),
        "pages": lambda _: Call("GET", "/v1/orders?limit=1000"),
        "orders": lambda number: order_call(OTHER, number, name="flood", steps=book.steps),
    }


async def _through_bars(run: Run, book: Book, flood: Flood | None, health: list[float]) -> list[float]:
    """The seconds of each bar; `health` gets those of each look at `/healthz` meanwhile."""
    address, seconds = book.service.address, list[float]()
    async with AsyncExitStack() as opened:
        feed, operator = [await opened.enter_async_context(Connection.to(address)) for _ in range(2)]
        if flood is not None:
            await opened.enter_async_context(flood.running(address))
        looks = asyncio.create_task(_look(operator, health))
        opened.push_async_callback(end, looks)
        for _ in range(run.sizes.flooded_bars):
            bar, started = book.next_bar(), perf_counter()
            await feed.call(bar)
            seconds.append(perf_counter() - started)
            book.slices += 1
            await asyncio.sleep(PAUSE_SECONDS)
    book.require_working()
    return seconds


async def _look(operator: Connection, seconds: list[float]) -> None:
    while True:
        started = perf_counter()
        await operator.call(Call("GET", "/healthz"))
        seconds.append(perf_counter() - started)
        await asyncio.sleep(LOOK_SECONDS)
