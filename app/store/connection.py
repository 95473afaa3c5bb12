"""Redis client: runs Lua scripts by their SHA in one pipeline, and writes commands with hiredis."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from hiredis import pack_command
from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.connection import AbstractConnection
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import NoScriptError, ResponseError

from app.store.gathering import GatheringRedis

TIMEOUT_SECONDS = 5.0
CONNECTIONS_MAX = 64
URL_FORMS = (
    "must be like redis://[[user]:password@]host[:port][/db], rediss://... or unix://path; "
    "in a password, write / as %2F, @ as %40, # as %23 and ? as %3F"
)


@dataclass(frozen=True, slots=True)
class Script:
    """A Lua script. The server knows a script by its SHA once the script has been sent."""

    name: str
    source: str
    digest: str


@dataclass(frozen=True, slots=True)
class Call:
    script: Script
    keys: Sequence[str]
    args: Sequence[str | int]


class _Packing(AbstractConnection):
    """A connection that writes its commands with hiredis, which takes a thirtieth of the time. redis-py uses hiredis
    for what it reads, and in asyncio for nothing else."""

    def pack_command(self, *args: Any) -> list[bytes]:
        try:
            name, *rest = args
            return [pack_command((*name.split(), *rest))]
        except (TypeError, UnicodeError):  # redis-py knows more types, and replaces what is no text
            return super().pack_command(*args)


def _packing(connection: type[AbstractConnection]) -> type[AbstractConnection]:
    return type(f"Packing{connection.__name__}", (_Packing, connection), {})


def script(name: str) -> Script:
    source = (Path(__file__).parent / "lua" / f"{name}.lua").read_text(encoding="utf-8")
    return Script(name, source, hashlib.sha1(source.encode(), usedforsecurity=False).hexdigest())


def connect(url: str) -> Redis:
    """A client that connects when it is first used. Raises ValueError, which never repeats the password.

    A failed call is tried again once, at once: a restarted server has closed the pool's connections, and everything
    that is sent can be sent twice. Requests beyond `CONNECTIONS_MAX` wait for a connection."""
    try:
        pool = BlockingConnectionPool.from_url(
            url,
            decode_responses=True,
            encoding_errors="replace",  # one value that is no text must not end the answer that it travels in
            socket_timeout=TIMEOUT_SECONDS,
            socket_connect_timeout=TIMEOUT_SECONDS,
            max_connections=CONNECTIONS_MAX,
            timeout=TIMEOUT_SECONDS,
            retry=Retry(NoBackoff(), 1),
        )
        pool.connection_class = _packing(pool.connection_class)
        cast("Any", pool).make_connection()  # an option that does not exist would only show at the first call
    except (ValueError, TypeError):  # their texts hold parts of the url
        raise ValueError(URL_FORMS) from None
    return GatheringRedis.from_pool(pool)


async def run(client: Redis, calls: Sequence[Call]) -> list[Any]:
    """Run all calls in one round trip, in order. Where the server does not know a script, the script is sent and its
    calls are repeated. Raises the first error that a call met."""
    answers = await _evaluate(client, calls)
    missed = [index for index, answer in enumerate(answers) if isinstance(answer, NoScriptError)]
    if missed:
        for each in {calls[index].script for index in missed}:
            await client.script_load(each.source)
        again = await _evaluate(client, [calls[index] for index in missed])
        for index, answer in zip(missed, again, strict=True):
            answers[index] = answer
    for answer in answers:
        if isinstance(answer, Exception):
            raise answer
    return answers


async def _evaluate(client: Redis, calls: Sequence[Call]) -> list[Any]:
    if len(calls) == 1:  # a pipeline of one costs half as much again
        [call] = calls
        try:
            return [
                await cast("Any", client).execute_command(
                    "EVALSHA", call.script.digest, len(call.keys), *call.keys, *call.args
                )
            ]
        except ResponseError as error:
            return [error]
    async with client.pipeline(transaction=False) as pipe:
        for call in calls:
            pipe.evalsha(call.script.digest, len(call.keys), *call.keys, *call.args)
        return await pipe.execute(raise_on_error=False)
