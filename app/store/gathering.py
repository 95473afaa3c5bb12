"""Commands that many ask for at the same time travel together: one round trip for all instruments of a request, and for
all who poll at once. A round trip costs more than what the server does in it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, cast

from redis.asyncio import ConnectionPool, Redis
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import ResponseError
from redis.exceptions import TimeoutError as RedisTimeoutError

from app.engine.tasks import end
from app.store import keys
from app.store.replication import WRITES, Replication, confirmed

COMMANDS_MAX = 128
"""Of one round trip: more gain little, and the first answer would wait for the last one."""
Command = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class _Asked:
    command: Command
    options: dict[str, Any]
    answer: asyncio.Future[Any]


async def _nothing() -> None:
    """Closes nothing."""


class GatheringRedis(Redis):
    """A client whose commands are sent at once while no other is under way, and otherwise with those that are asked for
    in the same turn of the event loop. Each has its own answer or error; only a lost connection is everybody's.

    With `replication`, what is written is answered when so many replicas have it. `probe` is a key of the server's own,
    which whoever asks whether it takes writes may write. `on_close` is called last when the client is closed."""

    clustered = False
    """Whether the keys of one script must lie in one slot."""
    _under_way = 0

    def __init__(
        self,
        pool: ConnectionPool,
        replication: Replication | None = None,
        *,
        probe: str = keys.PROBE,
        on_close: Callable[[], Awaitable[None]] = _nothing,
    ) -> None:
        super().__init__(connection_pool=pool)
        self.auto_close_connection_pool = True
        self.probe = probe
        self._replication = replication
        self._on_close = on_close
        self._waiting: list[_Asked] = []
        self._tasks: set[asyncio.Task[None]] = set()

    async def masters(self) -> Sequence[GatheringRedis]:
        """The servers that take writes, each as a client of its own."""
        return [self]

    async def aclose(self, close_connection_pool: bool | None = None) -> None:
        for task in list(self._tasks):  # one that goes on would connect again, and nobody would close that
            await end(task)
        await super().aclose(close_connection_pool)
        await self._on_close()

    async def together(self, commands: Sequence[Command]) -> list[Any]:
        """The answers of all commands in one round trip, in order; an error in the place of a command that met it.
        Raises where the server is away."""
        if len(commands) == 1:  # it may travel with others
            try:
                return [await self.execute_command(*commands[0])]
            except Exception as error:  # noqa: BLE001 -- the answer of that command
                return [error]
        return await self._answers([(command, {}) for command in commands])

    async def execute_command(self, *args: Any, **options: Any) -> Any:
        if self._under_way:
            return await self._gathered(args, options)
        self._under_way += 1
        try:
            return await self._sent(args, options)
        finally:
            self._under_way -= 1

    async def _sent(self, command: Command, options: dict[str, Any]) -> Any:
        [answer] = await self._answers([(command, options)])
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def _gathered(self, command: Command, options: dict[str, Any]) -> Any:
        loop = asyncio.get_running_loop()
        asked = _Asked(command, options, loop.create_future())
        if not self._waiting:
            loop.call_soon(self._send)
        self._waiting.append(asked)
        return await asked.answer

    def _send(self) -> None:
        waiting, self._waiting = self._waiting, []
        for first in range(0, len(waiting), COMMANDS_MAX):
            task = asyncio.create_task(self._exchange(waiting[first : first + COMMANDS_MAX]), name="round trip")
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _exchange(self, asked: list[_Asked]) -> None:
        self._under_way += 1
        try:
            if len(asked) == 1:
                answers = [await self._sent(asked[0].command, asked[0].options)]
            else:
                answers = await self._answers([(each.command, each.options) for each in asked])
        except Exception as error:  # noqa: BLE001 -- whatever it is, those who wait are told
            answers = [error] * len(asked)
        except BaseException:
            for each in asked:
                each.answer.cancel()
            raise
        finally:
            self._under_way -= 1
        for each, answer in zip(asked, answers, strict=True):
            _tell(each.answer, answer)

    async def _answers(self, asked: Sequence[tuple[Command, dict[str, Any]]]) -> list[Any]:
        """In one round trip. What is written waits for its replicas at the end of it."""
        waits = self._replication if any(command[0] in WRITES for command, _ in asked) else None
        every = list(asked)
        every += [(command, {}) for command in waits.commands(self.probe)] if waits else []
        answers = await self._exchanged(every)
        return confirmed(waits, [command for command, _ in asked], answers) if waits else answers

    async def _exchanged(self, asked: Sequence[tuple[Command, dict[str, Any]]]) -> list[Any]:
        """Write all commands at once and read their answers, on one connection; on another one once more where that
        fails: the server has closed the pool's connections when it was restarted. redis-py does as much, and measures
        and counts, which takes longer than the exchange."""
        connection = await cast("Any", self.connection_pool).get_connection()
        try:
            try:
                return await self._exchanged_on(connection, asked)
            except (RedisConnectionError, RedisTimeoutError):
                await connection.disconnect()
                return await self._exchanged_on(connection, asked)
        except BaseException:  # answers that nobody has read must not meet the next command
            await connection.disconnect(nowait=True)
            raise
        finally:
            await self.connection_pool.release(connection)

    async def _exchanged_on(self, connection: Any, asked: Sequence[tuple[Command, dict[str, Any]]]) -> list[Any]:
        await connection.send_packed_command(connection.pack_commands([command for command, _ in asked]))
        return [await self._answer(connection, command, options) for command, options in asked]

    async def _answer(self, connection: Any, command: Command, options: dict[str, Any]) -> Any:
        try:
            return await cast("Any", self).parse_response(connection, command[0], **options)
        except ResponseError as error:  # the answer of that command
            return error


def _tell(waiting: asyncio.Future[Any], answer: Any) -> None:
    if waiting.done():  # who asked has been cancelled
        return
    if isinstance(answer, Exception):
        waiting.set_exception(answer)
    else:
        waiting.set_result(answer)
