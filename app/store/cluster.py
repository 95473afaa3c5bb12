"""Client of a Redis Cluster: sends each command to the master of its key's slot, and those of one master together.

redis-py has a client for clusters, too. This one is made of the client that serves a single server, one for each
master, so that many who ask at once share round trips and wait for a connection rather than fail for want of one, and
so that no call to one master is cut because another master has failed.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence
from typing import Any

from redis.asyncio.client import Pipeline, PubSub
from redis.exceptions import AskError, MovedError, TryAgainError
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError

from app.store.gathering import Command, GatheringRedis
from app.store.replication import Replication
from app.store.slots import Slots, slot_of
from app.store.urls import Host, StoreUrl

TRIES_MAX = 5
"""Of one command: slots that move may turn it away more than once."""
TRY_AGAIN_SECONDS = 0.05
AWAY = (RedisConnectionError, RedisTimeoutError, OSError)
SCRIPTS = frozenset({"EVAL", "EVALSHA"})


class ClusterRedis(GatheringRedis):
    """See `GatheringRedis`. All keys of a script lie in one slot. The slots are asked for with the first command, and
    again when a master is away or says that a slot is another one's.

    A command that is turned away is sent again, since nothing was done; one whose answer is lost is sent again where
    its slot has another master by then: everything that is sent can be sent twice."""

    clustered = True

    def __init__(self, url: StoreUrl, replication: Replication | None) -> None:
        self._slots = Slots(url, replication)
        super().__init__(self._slots.client_at(url.hosts[0]).connection_pool, replication)
        self._asking: asyncio.Task[None] | None = None
        self._subscribed = 0

    async def masters(self) -> Sequence[GatheringRedis]:
        """As a node says now. Raises ClusterDownError where slots have no master."""
        await self._ask_for_slots()
        return self._slots.masters

    async def aclose(self, close_connection_pool: bool | None = None) -> None:
        if self._asking is not None:
            self._asking.cancel()
            with contextlib.suppress(asyncio.CancelledError, *AWAY):
                await self._asking
        await self._slots.close()

    def pipeline(self, transaction: Any = None, shard_hint: str | None = None) -> Pipeline:
        """Commands that are sent together to their masters, in no order. None of them is a transaction."""
        return _ClusterPipeline(self)

    def pubsub(self, **options: Any) -> PubSub:
        """At one of the masters, another one each time: nodes pass on to each other what is published."""
        self._subscribed += 1
        return PubSub(self._slots.pools[self._subscribed % len(self._slots.pools)], **options)

    async def execute_command(self, *args: Any, **options: Any) -> Any:
        tries = 0
        while True:
            tries += 1
            client = await self._master_of(args)
            try:
                return await client.execute_command(*args, **options)
            except AskError as error:  # Moved is an Ask for good
                if tries == TRIES_MAX:
                    raise
                at = (error.host or _host_of(client), error.port)
                if not isinstance(error, MovedError):
                    return await self._asked_at(at, args)
                await self._ask_for_slots(at)
            except TryAgainError:
                if tries == TRIES_MAX:
                    raise
                await asyncio.sleep(TRY_AGAIN_SECONDS)
            except AWAY:
                await self._ask_for_slots()
                if tries == TRIES_MAX or await self._master_of(args) is client:
                    raise

    async def together(self, commands: Sequence[Command]) -> list[Any]:
        """The answers of all commands, an error in the place of a command that met it. They are sent in the same turn,
        so that those of one master share a round trip."""
        sent = (self.execute_command(*command) for command in commands)
        return _without_cancelled(await asyncio.gather(*sent, return_exceptions=True))

    async def _master_of(self, command: Command) -> GatheringRedis:
        if not self._slots.known:
            await self._ask_for_slots()
        key = _key_of(command)
        return self._slots.masters[0] if key is None else self._slots.master_of(slot_of(key))

    async def _asked_at(self, host: Host, command: Command) -> Any:
        """The slot is on its way: its new master takes commands of it that say so, on the same connection."""
        _, answer = await self._slots.client_at(host).together([("ASKING",), command])
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def _ask_for_slots(self, first: Host | None = None) -> None:
        """Once for all who want to know at the same time."""
        if self._asking is None or self._asking.done():
            self._asking = asyncio.create_task(self._slots.ask(first), name="slots of the cluster")
        await asyncio.shield(self._asking)


class _ClusterPipeline(Pipeline):
    """redis-py's pipeline but for the way in which it is sent."""

    def __init__(self, cluster: ClusterRedis) -> None:
        super().__init__(cluster.connection_pool, cluster.response_callbacks, transaction=False, shard_hint=None)
        self._cluster = cluster

    async def execute(self, raise_on_error: bool = True) -> list[Any]:
        commands = [(command, options) for command, options in self.command_stack]
        self.command_stack = []
        sent = (self._cluster.execute_command(*command, **options) for command, options in commands)
        answers = _without_cancelled(await asyncio.gather(*sent, return_exceptions=True))
        errors = [answer for answer in answers if isinstance(answer, Exception)]
        away = [error for error in errors if isinstance(error, AWAY)]
        if away or (errors and raise_on_error):
            raise (away or errors)[0]
        return answers


def _without_cancelled(answers: Sequence[Any]) -> list[Any]:
    for answer in answers:
        if isinstance(answer, BaseException) and not isinstance(answer, Exception):
            raise answer
    return list(answers)


def _key_of(command: Command) -> str | None:
    """The key by which the slot is found; None for a command that any master can answer."""
    place = 3 if command[0] in SCRIPTS else 1
    return str(command[place]) if len(command) > place else None


def _host_of(client: GatheringRedis) -> str:
    return str(client.connection_pool.connection_kwargs["host"])
