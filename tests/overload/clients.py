"""Many clients of a real service at a time, over plain sockets: a general client would take the machine for itself."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from prometheus_client.parser import text_string_to_metric_families

from app.bench.process_stats import resident_bytes
from app.demo.server import Server, serving
from tests.api.wire import HISTORY, SYMBOL, bars_json, instrument_json, order_json
from tests.builders import bars

PATIENCE_SECONDS = 240
"""Far longer than anything takes on an idle machine: tests run on busy ones, too."""
BARS = bars(HISTORY + 40)


@dataclass(frozen=True, slots=True)
class Reply:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def code(self) -> str:
        return str(json.loads(self.body).get("code", ""))

    def json(self) -> Any:
        return json.loads(self.body)


class Client:
    """One connection. `call` opens it again where the service has closed it while it was idle, as services do."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    def __init__(self, address: str) -> None:
        host, port = address.removeprefix("http://").split(":")
        self._place = host, int(port)

    async def connect(self) -> None:
        self.reader, self.writer = await asyncio.open_connection(*self._place)

    def send(self, method: str, path: str, body: Any = None) -> None:
        content = b"" if body is None else json.dumps(body).encode()
        head = f"{method} {path} HTTP/1.1\r\nhost: lem\r\n"
        if content:
            head += f"content-type: application/json\r\ncontent-length: {len(content)}\r\n"
        self.writer.write(head.encode() + b"\r\n" + content)

    async def reply(self) -> Reply:
        head = (await self.reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in head[1:]) if name}
        body = await self.reader.readexactly(int(headers.get("content-length", 0)))
        return Reply(int(head[0].split()[1]), headers, body)

    async def call(self, method: str, path: str, body: Any = None) -> Reply:
        """Asks again where no answer came: everything that is sent may be sent twice."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while True:
                try:
                    self.send(method, path, body)
                    return await self.reply()
                except (ConnectionError, asyncio.IncompleteReadError):
                    self.vanish()
                    await self.connect()

    def vanish(self) -> None:
        self.writer.transport.abort()


@asynccontextmanager
async def clients_of(server: Server, count: int) -> AsyncIterator[list[Client]]:
    """So many connections, a few of them opened at a time: the service accepts them one after the other."""
    clients = [Client(server.address) for _ in range(count)]
    async with AsyncExitStack() as opened:
        for first in range(0, count, 200):
            some = clients[first : first + 200]
            await asyncio.gather(*(client.connect() for client in some))
            for client in some:
                opened.callback(client.vanish)
        yield clients


@contextmanager
def a_service(folder: Path, symbols: Sequence[str] = (SYMBOL,), redis_url: str | None = None) -> Iterator[Server]:
    """A running service with these instruments and the history of each."""
    with (
        serving(data_dir=folder, redis_url=redis_url) as server,
        httpx.Client(base_url=server.address, timeout=PATIENCE_SECONDS) as client,
    ):
        for symbol in symbols:
            assert client.put(f"/v1/instruments/{symbol}", json=instrument_json()).status_code == 201
            history = bars_json(BARS[:HISTORY], symbol)
            assert client.post("/v1/bars", json=history).status_code == 200
        yield server


def bar_json(index: int, symbol: str = SYMBOL) -> Any:
    """The body with one bar: the first after the history has index 0."""
    return bars_json([BARS[HISTORY + index]], symbol)


def a_long_order(name: str, symbol: str = SYMBOL, **changes: Any) -> Any:
    horizon = {"min_steps": 23, "max_steps": 24}
    return order_json(client_order_id=name, instrument=symbol, quantity="1000", horizon=horizon, **changes)


async def sent_orders(clients: Sequence[Client], bodies: Sequence[Any]) -> list[str]:
    """The ids of these orders; whoever is refused asks again, as the service says."""
    left, ids = iter(bodies), list[str]()

    async def send(client: Client) -> None:
        for body in left:
            ids.append((await insist(client, "POST", "/v1/orders", body)).json()["order_id"])

    async with asyncio.TaskGroup() as group:
        for client in clients:
            group.create_task(send(client))
    return ids


@dataclass(slots=True, kw_only=True)
class Book:
    """A running service with working orders, and the clients that have sent them: `own` asks while the others make
    trouble. `megabytes_before` is the memory of the service once it had the orders."""

    server: Server
    own: Client
    others: Sequence[Client]
    order_ids: Sequence[str]
    megabytes_before: float = field(init=False)

    def __post_init__(self) -> None:
        self.megabytes_before = megabytes(self.server)

    @property
    def megabytes_more(self) -> float:
        return megabytes(self.server) - self.megabytes_before

    async def steps(self, count: int | None = None) -> set[int]:
        """The steps of the slices that the first so many orders have now; of all orders without a number."""
        return await steps_of(self.own, self.order_ids[:count])


@asynccontextmanager
async def a_book(
    folder: Path, *, clients: int, bodies: Sequence[Any], symbols: Sequence[str] = (SYMBOL,)
) -> AsyncIterator[Book]:
    with a_service(folder, symbols) as server:
        async with clients_of(server, clients) as every:
            order_ids = await sent_orders(every, bodies)
            yield Book(server=server, own=every[0], others=every[1:], order_ids=order_ids)


async def insist(client: Client, method: str, path: str, body: Any = None) -> Reply:
    """Until it is answered; a refusal must say when to ask again."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            reply = await client.call(method, path, body)
            if reply.status not in (429, 503):
                assert reply.status in (200, 201), reply
                return reply
            assert int(reply.headers["retry-after"]) >= 1
            await asyncio.sleep(0.05)


async def steps_of(client: Client, order_ids: Sequence[str]) -> set[int]:
    """The steps of the slices that these orders have now."""
    found = set()
    for order_id in order_ids:
        piece = (await insist(client, "GET", f"/v1/orders/{order_id}/slices/next")).json()["slice"]
        found.add(piece["step"] if piece else 0)
    return found


async def metric(client: Client, name: str) -> float:
    """The sum of a metric over its labels."""
    page = (await client.call("GET", "/metrics")).body.decode()
    families = text_string_to_metric_families(page)
    return sum(sample.value for family in families for sample in family.samples if sample.name == name)


async def until_metric(client: Client, name: str, value: float) -> None:
    async with asyncio.timeout(PATIENCE_SECONDS):
        while await metric(client, name) != value:  # noqa: ASYNC110 -- another process tells nobody
            await asyncio.sleep(0.05)


def megabytes(server: Server) -> float:
    return resident_bytes(server.process.pid) / 1e6
