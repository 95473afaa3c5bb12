"""The way to the server: scripts by digest in few round trips, and one meaning for every way of its being away."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import NoScriptError, OutOfMemoryError, ReadOnlyError, ResponseError
from redis.exceptions import TimeoutError as RedisTimeoutError

from app.domain.errors import Unavailable

TIMEOUT_SECONDS = 5.0
CONNECTIONS_MAX = 64
AWAY = ("MISCONF", "LOADING", "CLUSTERDOWN", "MASTERDOWN", "NOREPLICAS")
"""Error words of a server that is there and cannot write now."""


@dataclass(frozen=True, slots=True)
class Script:
    """A Lua script; the server knows it by its digest once it has been sent."""

    name: str
    source: str
    digest: str


@dataclass(frozen=True, slots=True)
class Call:
    script: Script
    keys: Sequence[str]
    args: Sequence[str | int]


def script(name: str) -> Script:
    source = (Path(__file__).parent / "lua" / f"{name}.lua").read_text(encoding="utf-8")
    return Script(name, source, hashlib.sha1(source.encode(), usedforsecurity=False).hexdigest())


def connect(url: str) -> Redis:
    """A client that connects when it is first used. One immediate retry: a server that was restarted has closed what
    the pool holds, and everything that is sent can be sent twice. Requests beyond the pool wait for their turn."""
    pool = BlockingConnectionPool.from_url(
        url,
        decode_responses=True,
        socket_timeout=TIMEOUT_SECONDS,
        socket_connect_timeout=TIMEOUT_SECONDS,
        max_connections=CONNECTIONS_MAX,
        timeout=TIMEOUT_SECONDS,
        retry=Retry(NoBackoff(), 1),
    )
    return Redis.from_pool(pool)


@contextmanager
def reaching() -> Iterator[None]:
    """Raises Unavailable("store_unavailable") for a server that is away, starting, full or cannot write."""
    try:
        yield
    except (RedisConnectionError, RedisTimeoutError, OSError, OutOfMemoryError, ReadOnlyError) as error:
        raise Unavailable("store_unavailable", f"the store cannot be reached: {error}") from error
    except ResponseError as error:
        if str(error).startswith(AWAY):
            raise Unavailable("store_unavailable", f"the store cannot write: {error}") from error
        raise


async def run(client: Redis, calls: Sequence[Call]) -> list[Any]:
    """All calls in one round trip, in order; scripts that a new server does not know are sent first and the calls that
    missed them repeated. Raises the first error that a call met."""
    answers = await _evaluate(client, calls)
    missed = [place for place, answer in enumerate(answers) if isinstance(answer, NoScriptError)]
    if missed:
        for each in {calls[place].script for place in missed}:
            await client.script_load(each.source)
        for place, answer in zip(missed, await _evaluate(client, [calls[at] for at in missed]), strict=True):
            answers[place] = answer
    for answer in answers:
        if isinstance(answer, Exception):
            raise answer
    return answers


async def _evaluate(client: Redis, calls: Sequence[Call]) -> list[Any]:
    async with client.pipeline(transaction=False) as pipe:
        for call in calls:
            pipe.evalsha(call.script.digest, len(call.keys), *call.keys, *call.args)
        return await pipe.execute(raise_on_error=False)
