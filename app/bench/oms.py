"""A small order management system for the soak: it keeps a number of orders live, polls them and reports fills."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from decimal import Decimal
from typing import Any, Self

from app.bench.market import next_slice_call, order_call
from app.bench.wire import Call, Connection
from app.domain.lifecycle import Status
from app.domain.order import Fills

CONNECTIONS = 4
LIVE = {status.value for status in Status if status.live}
CENT = Decimal("0.01")
REPORTED_EVERY = 3
"""One order in three reports its fills; the others leave that to the service."""


class Oms:
    """`sent` counts the orders so far."""

    def __init__(self, connections: list[Connection], symbol: str, steps: int) -> None:
        self.sent = 0
        self._connections = connections
        self._symbol = symbol
        self._steps = steps
        self._orders: list[str] = []
        self._reported: set[str] = set()

    @classmethod
    @asynccontextmanager
    async def at(cls, address: str, symbol: str, *, steps: int) -> AsyncIterator[Self]:
        async with AsyncExitStack() as opened:
            connections = [await opened.enter_async_context(Connection.to(address)) for _ in range(CONNECTIONS)]
            yield cls(connections, symbol, steps)

    async def call(self, call: Call) -> dict[str, Any]:
        answer: dict[str, Any] = json.loads(await self._connections[0].call(call))
        return answer

    async def send(self, count: int) -> None:
        """So many new orders, each of which may stop from halfway on."""
        horizon = {"min_steps": self._steps // 2, "max_steps": self._steps}
        for _ in range(count):
            fills = Fills.ASSUMED if self.sent % REPORTED_EVERY else Fills.REPORTED
            order = order_call(self._symbol, self.sent, name="soak", steps=self._steps, horizon=horizon, fills=fills)
            order_id = str((await self.call(order))["order_id"])
            self._orders.append(order_id)
            if fills is Fills.REPORTED:
                self._reported.add(order_id)
            self.sent += 1

    async def trade(self) -> None:
        """Ask for the slice of each order, report it as traded where the order wants that, and send an order for each
        one that has ended."""
        asked, live = iter(self._orders), list[str]()
        async with asyncio.TaskGroup() as group:
            for connection in self._connections:
                group.create_task(self._trade(connection, asked, live))
        ended = set(self._orders) - set(live)
        self._orders = live
        self._reported -= ended
        await self.send(len(ended))

    async def _trade(self, connection: Connection, asked: Iterator[str], live: list[str]) -> None:
        for order_id in asked:
            answer = json.loads(await connection.call(next_slice_call(order_id)))
            if answer["status"] in LIVE:
                live.append(order_id)
            if answer["slice"] and order_id in self._reported and Decimal(answer["slice"]["quantity"]):
                await connection.call(_fill(order_id, answer["slice"]))


def _fill(order_id: str, piece: dict[str, Any]) -> Call:
    """The whole slice, at the price that the service expected."""
    fill = {
        "execution_id": piece["slice_id"],
        "slice_id": piece["slice_id"],
        "quantity": piece["quantity"],
        "price": f"{(Decimal(piece['notional']) / Decimal(piece['quantity'])).quantize(CENT)}",
        "executed_at": piece["window"]["start"],
    }
    return Call("POST", f"/v1/orders/{order_id}/fills", json.dumps(fill).encode())
