"""One feed's stream: messages are read as far as the window allows, and each is answered once its bars are decided."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Protocol

from fastapi.exceptions import RequestValidationError
from starlette.websockets import WebSocket, WebSocketDisconnect

from app.api.bar_parts import ReadBars
from app.api.bar_stream.answers import NewestBarOut, StreamOpenedOut, StreamRefusedOut, StreamTakenOut
from app.api.bar_stream.messages import StreamMessage
from app.api.bar_stream.protocol import PING_SECONDS, ending_of
from app.api.bar_stream.window import BYTES_MAX, MESSAGE_BYTES_MAX, MESSAGES_MAX, Window
from app.api.bars import BARS_MAX, IngestedOut
from app.api.lane_routes import BULK_BYTES
from app.api.lanes import Lane
from app.api.values import Answer
from app.domain.errors import LemError, Unavailable
from app.engine.engine import Engine

LOG = logging.getLogger(__name__)
IDLE_SECONDS_MAX = 3_600.0
"""Without a message. The client of a closed market connects again when it has bars."""


@dataclass(frozen=True, slots=True)
class Close:
    """Why the service closes a stream."""

    code: int
    reason: str


ENDING = Close(1012, "the service ends; connect again and go on from what is stored")
IDLE = Close(4408, "no message for too long; connect again when there are bars")


class StreamMetrics(Protocol):
    def bar_streams_open(self, count: int) -> None: ...

    def bar_stream_refused(self, code: str) -> None:
        """A handshake was refused, for that reason."""
        ...

    def bar_message_answered(self, code: str) -> None:
        """`code` is that of the problem, or `taken`."""
        ...


class BarStream:
    """Messages that share an instrument are taken one after the other, as they came; others at the same time. `lanes`
    are those of small and of large messages."""

    def __init__(
        self, socket: WebSocket, engine: Engine, lanes: Sequence[Lane], metrics: StreamMetrics, *, partial: bool
    ) -> None:
        self._socket = socket
        self._engine = engine
        self._lanes = lanes
        self._metrics = metrics
        self._partial = partial
        self._window = Window()
        self._messages = 0
        self._newest: dict[str, asyncio.Task[None]] = {}

    async def serve(self, symbols: Sequence[str]) -> None:
        """Until the client goes, the stream is idle for too long, or the service ends. What was begun by then is
        ended, and answered where there is somebody to hear it."""
        await self._socket.accept()
        await self._tell(await self._opened(symbols))
        async with asyncio.TaskGroup() as tasks:
            close = await self._read_all(tasks)
        if close is not None:
            with contextlib.suppress(WebSocketDisconnect):
                await self._socket.close(close.code, close.reason)

    async def _opened(self, symbols: Sequence[str]) -> StreamOpenedOut:
        newest = await self._engine.stored_bars.newest(symbols)
        return StreamOpenedOut(
            window=MESSAGES_MAX,
            window_bytes=BYTES_MAX,
            message_bytes_max=MESSAGE_BYTES_MAX,
            bars_max=BARS_MAX,
            ping_seconds=PING_SECONDS,
            idle_seconds=IDLE_SECONDS_MAX,
            newest=[NewestBarOut.of(each) for each in newest],
        )

    async def _read_all(self, tasks: asyncio.TaskGroup) -> Close | None:
        """None once the client has gone."""
        ending = asyncio.create_task(ending_of(self._socket.scope).wait())
        try:
            while True:
                await self._window.room()
                body = await self._next(ending)
                if not isinstance(body, bytes):
                    return body
                await self._begin(body, tasks)
        finally:
            ending.cancel()

    async def _next(self, ending: asyncio.Task[bool]) -> bytes | Close | None:
        """The next message, or what ends the stream: None where the client has."""
        receiving = asyncio.create_task(self._socket.receive())
        try:
            await asyncio.wait({receiving, ending}, timeout=IDLE_SECONDS_MAX, return_when=asyncio.FIRST_COMPLETED)
            if ending.done():
                return ENDING
            if not receiving.done():
                return IDLE
        finally:
            receiving.cancel()
        message = receiving.result()
        if message["type"] == "websocket.disconnect":
            return None
        text: str | None = message.get("text")
        return text.encode() if text is not None else bytes(message["bytes"])

    async def _begin(self, body: bytes, tasks: asyncio.TaskGroup) -> None:
        """Read the message here, so that the order of the messages is known, and take its bars in a task."""
        self._messages += 1
        message = StreamMessage(self._messages, body)
        self._window.take(len(body))
        try:
            read = await message.read(partial=self._partial)
        except Exception as error:  # noqa: BLE001 -- whatever it is, it is told, and the stream goes on
            await self._refuse(message, error)
            return
        symbols = {bar.instrument for bar in read.bars}
        earlier = {self._newest[symbol] for symbol in symbols if symbol in self._newest}
        task = tasks.create_task(self._take(message, read, earlier))
        self._newest |= dict.fromkeys(symbols, task)
        task.add_done_callback(lambda _: self._forget(task, symbols))

    def _forget(self, task: asyncio.Task[None], symbols: Collection[str]) -> None:
        for symbol in symbols:
            if self._newest.get(symbol) is task:
                del self._newest[symbol]

    async def _take(self, message: StreamMessage, read: ReadBars, earlier: Collection[asyncio.Task[None]]) -> None:
        if earlier:
            await asyncio.wait(earlier)
        try:
            result = await self._posted(message, read)
        except Exception as error:  # noqa: BLE001 -- whatever it is, it is told, and the stream goes on
            await self._refuse(message, error)
        else:
            self._metrics.bar_message_answered("taken")
            await self._answer(message, StreamTakenOut.of(message, result))

    async def _posted(self, message: StreamMessage, read: ReadBars) -> IngestedOut:
        """In the lane of bars, as a request with the same bars."""
        lane = self._lane_of(message)
        try:
            await lane.enter(self._engine.right_of_way)
            try:
                ingested = await self._engine.bars.post(read.bars, partial=read.partial)
            finally:
                lane.leave()
        except Unavailable:
            lane.metrics.request_refused(lane.size.name)
            raise
        return IngestedOut.of(read.with_its_indexes(ingested), partial=read.partial)

    def _lane_of(self, message: StreamMessage) -> Lane:
        return self._lanes[len(message.body) > BULK_BYTES]

    async def _refuse(self, message: StreamMessage, error: Exception) -> None:
        if not isinstance(error, (LemError, RequestValidationError)):
            LOG.error("message %d of a stream of bars failed", message.number, exc_info=error)
        refused = StreamRefusedOut.of(message, error)
        self._metrics.bar_message_answered(refused.problem.code)
        await self._answer(message, refused)

    async def _answer(self, message: StreamMessage, answer: Answer) -> None:
        """Until the client reads its answers, it is left alone with its next messages."""
        await self._tell(answer)
        self._window.free(len(message.body))

    async def _tell(self, answer: Answer) -> None:
        """Nobody hears it where the client has gone, or where its connection was closed for not answering pings."""
        with contextlib.suppress(WebSocketDisconnect, RuntimeError):
            await self._socket.send_text(answer.model_dump_json(exclude_none=True))
