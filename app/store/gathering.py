"""Commands that many ask for at the same time travel together: one round trip for all instruments of a request, and for
all who poll at once. A round trip costs more than what the server does in it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

from redis.asyncio import Redis

COMMANDS_MAX = 128
"""Of one round trip: more gain little, and the first answer would wait for the last one."""


@dataclass(frozen=True, slots=True)
class _Asked:
    command: tuple[Any, ...]
    options: dict[str, Any]
    answer: asyncio.Future[Any]


class GatheringRedis(Redis):
    """A client whose commands are sent at once while no other is under way, and otherwise with those that are asked for
    in the same turn of the event loop. Each has its own answer or error; only a lost connection is everybody's."""

    _under_way = 0

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._waiting: list[_Asked] = []
        self._tasks: set[asyncio.Task[None]] = set()

    async def execute_command(self, *args: Any, **options: Any) -> Any:
        if self._under_way:
            return await self._gathered(args, options)
        self._under_way += 1
        try:
            return await self._sent(args, options)
        finally:
            self._under_way -= 1

    async def _sent(self, command: tuple[Any, ...], options: dict[str, Any]) -> Any:
        return await super().execute_command(*command, **options)  # type: ignore[no-untyped-call]

    async def _gathered(self, command: tuple[Any, ...], options: dict[str, Any]) -> Any:
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
            answers = await self._answers(asked)
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

    async def _answers(self, asked: list[_Asked]) -> list[Any]:
        if len(asked) == 1:
            return [await self._sent(asked[0].command, asked[0].options)]
        async with self.pipeline(transaction=False) as pipe:
            for each in asked:
                pipe.execute_command(*each.command, **each.options)
            return await pipe.execute(raise_on_error=False)


def _tell(waiting: asyncio.Future[Any], answer: Any) -> None:
    if waiting.done():  # who asked has been cancelled
        return
    if isinstance(answer, Exception):
        waiting.set_exception(answer)
    else:
        waiting.set_result(answer)
