"""The real application on a real socket, in this process, and the client of a feed."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from uvicorn.server import ServerState
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from app.api.bar_stream.handshake import STREAM
from app.api.bar_stream.protocol import StreamConnection
from app.api.places import FILES_RESERVED, Places
from app.main import create_app
from app.serve import server_config
from app.settings import ClockKind, Settings
from tests.api.conftest import loaded_once
from tests.api.wire import SYMBOL, Json, bar_json
from tests.builders import bars

SOON_SECONDS = 60


@dataclass(slots=True)
class Feed:
    """A feed's side of a stream. `opened` is the first message that came."""

    socket: ClientConnection
    opened: Json = field(default_factory=dict)

    async def send(self, *messages: Any) -> None:
        for message in messages:
            await self.socket.send(message if isinstance(message, (str, bytes)) else json.dumps(message))

    async def answer(self) -> Json:
        async with asyncio.timeout(SOON_SECONDS):
            answer: Json = json.loads(await self.socket.recv())
        return answer

    async def asked(self, message: Any) -> Json:
        """The answer to a message that is sent while no other one is under way."""
        await self.send(message)
        return await self.answer()

    async def close_code(self) -> int:
        """With which code the service ends the stream; what comes before is passed over."""
        async with asyncio.timeout(SOON_SECONDS):
            try:
                while True:
                    await self.socket.recv()
            except ConnectionClosed as closed:
                return closed.rcvd.code if closed.rcvd else 1006


@asynccontextmanager
async def feeding(address: str, query: str = f"instrument={SYMBOL}", **options: Any) -> AsyncIterator[Feed]:
    """A stream at `http://...` that has begun."""
    url = address.replace("http", "ws", 1) + f"{STREAM}?{query}"
    async with connect(url, proxy=None, open_timeout=SOON_SECONDS, **options) as socket:
        feed = Feed(socket)
        feed.opened = await feed.answer()
        yield feed


@dataclass(slots=True)
class Served:
    """A service that listens: its `address`, a `client` of it, and what uvicorn knows of its connections."""

    address: str
    client: httpx.AsyncClient
    application: FastAPI
    state: ServerState
    places: Places

    @property
    def streams(self) -> list[StreamConnection]:
        return [each for each in self.state.connections if isinstance(each, StreamConnection)]

    def end(self) -> None:
        """What uvicorn tells the connections when a signal has come."""
        for connection in list(self.state.connections):
            connection.shutdown()


@asynccontextmanager
async def listening(data_dir: Path, **options: Any) -> AsyncIterator[Served]:
    """With the bars clock. `options` are other ones of uvicorn's than `lem serve` has."""
    application = create_app(Settings(data_dir=data_dir, clock=ClockKind.BARS, redis_url=None))
    places, state = Places(4 * FILES_RESERVED, application.state.metrics), ServerState()
    config = server_config(application, places)
    for name, value in options.items():
        setattr(config, name, value)
    config.load()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("app.main.load_bundle", loaded_once)
        async with application.router.lifespan_context(application):
            loop = asyncio.get_running_loop()
            made: Any = config.http_protocol_class
            server = await loop.create_server(
                lambda: made(config=config, server_state=state, app_state={}), "127.0.0.1", 0
            )
            host, port = server.sockets[0].getsockname()[:2]
            address = f"http://{host}:{port}"
            try:
                async with httpx.AsyncClient(base_url=address, timeout=SOON_SECONDS) as client:
                    yield Served(address, client, application, state, places)
            finally:
                server.close()
                for connection in list(state.connections):
                    connection.transport.abort()
                async with asyncio.timeout(SOON_SECONDS):
                    await asyncio.gather(*state.tasks, return_exceptions=True)


def messages(numbers: Iterable[int], symbol: str = SYMBOL) -> list[Json]:
    """One message with bar `number` of the walk for each of them."""
    numbers = list(numbers)
    made = bars(max(numbers) + 1)
    return [{"sequence": number, **bar_json(made[number], symbol)} for number in numbers]
