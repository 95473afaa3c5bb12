"""`events`: how soon an event is in a client's hands, whichever process has committed it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator, Sequence
from contextlib import AsyncExitStack
from datetime import datetime
from time import time

from app.bench.book import BAR_SECONDS, SYMBOL
from app.bench.figures import Figure
from app.bench.market import STEPS_MAX, Walks, order_call
from app.bench.percentiles import percentile
from app.bench.run import Run
from app.bench.service import Service
from app.bench.wire import Call, Connection, call_all, in_a_loop

CASE = "events"
STREAMS = 8
"""So many that both workers have some."""
EVENTS_OF_AN_ORDER = 3
"""It is accepted, it works, and its first slice is committed."""
TARGETS = {"p50": 0.05, "p99": None}
STREAM = Call("GET", "/v1/events")


def events(run: Run, sizes: Sequence[int]) -> Iterator[Figure]:
    """By the clock of this machine, which is that of the store too: an event tells the millisecond of its commit."""
    for orders in sizes:
        with run.service(f"events-{orders}", workers=2) as service:
            run.on_progress(f"{STREAMS} streams hear of {orders:,} orders")
            seconds = in_a_loop(_heard(service.address, _prepared(service, orders), STREAMS))
        for name, share in (("p50", 0.5), ("p99", 0.99)):
            value, target = percentile(seconds, share), TARGETS[name]
            yield Figure(case=CASE, orders=orders, name=name, value=value, unit="ms", target=target)


def _prepared(service: Service, orders: int) -> list[Call]:
    """The instrument has its history; the orders are still to be sent."""
    _, card = service.model()
    history, steps = int(card["lookback"]), min(STEPS_MAX, int(card["max_steps"]))
    walks = Walks(bar_seconds=BAR_SECONDS, bars=history)
    call_all(service.address, walks.register([SYMBOL]) + walks.post([SYMBOL], 0, history))
    return [order_call(SYMBOL, number, name="told", steps=steps) for number in range(orders)]


async def _heard(address: str, orders: Sequence[Call], streams: int) -> list[float]:
    """The seconds from each event's commit to its coming on each stream."""
    async with AsyncExitStack() as opened:
        sender = await opened.enter_async_context(Connection.to(address))
        readers = [await opened.enter_async_context(Connection.to(address)) for _ in range(streams)]
        for reader in readers:
            await reader.begin(STREAM)
        wanted = len(orders) * EVENTS_OF_AN_ORDER
        async with asyncio.TaskGroup() as group:
            listening = [group.create_task(_listen(reader, wanted)) for reader in readers]
            for order in orders:
                await sender.call(order)
        return [seconds for task in listening for seconds in task.result()]


async def _listen(stream: Connection, wanted: int) -> list[float]:
    found: list[float] = []
    while len(found) < wanted:
        line = await stream.line()
        if line.startswith(b"data: "):
            at = datetime.fromisoformat(json.loads(line.removeprefix(b"data: "))["at"])
            found.append(time() - at.timestamp())
    return found
