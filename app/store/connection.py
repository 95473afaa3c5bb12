"""Redis client: runs Lua scripts by their SHA in one pipeline, on one server, on a master with replicas, or on a
cluster."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from redis.exceptions import NoScriptError

from app.store.cluster import ClusterRedis
from app.store.gathering import Command, GatheringRedis
from app.store.pools import close_sentinels, pool_at, sentinel_pool
from app.store.replication import Replication
from app.store.urls import Kind, store_url


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


def script(name: str) -> Script:
    source = (Path(__file__).parent / "lua" / f"{name}.lua").read_text(encoding="utf-8")
    return Script(name, source, hashlib.sha1(source.encode(), usedforsecurity=False).hexdigest())


def connect(url: str, replication: Replication | None = None) -> GatheringRedis:
    """A client that connects when it is first used. Raises ValueError, which never repeats the password."""
    where = store_url(url)
    if where.kind is Kind.CLUSTER:
        return ClusterRedis(where, replication)
    pool = sentinel_pool(where) if where.kind is Kind.SENTINEL else pool_at(url)
    return GatheringRedis(pool, replication, on_close=lambda: close_sentinels(pool))


async def run(client: GatheringRedis, calls: Sequence[Call]) -> list[Any]:
    """Run all calls in one round trip, in order; on a cluster, those of each node. A script that a server does not know
    is sent whole. Raises the first error that a call met."""
    answers = await client.together([_command("EVALSHA", each.script.digest, each) for each in calls])
    missed = [index for index, answer in enumerate(answers) if isinstance(answer, NoScriptError)]
    if missed:
        again = await client.together([_command("EVAL", calls[index].script.source, calls[index]) for index in missed])
        for index, answer in zip(missed, again, strict=True):
            answers[index] = answer
    for answer in answers:
        if isinstance(answer, Exception):
            raise answer
    return answers


def _command(name: str, script_text: str, call: Call) -> Command:
    return name, script_text, len(call.keys), *call.keys, *call.args
