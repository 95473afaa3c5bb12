"""What the servers say of themselves, asked only by people who look."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from time import monotonic
from typing import Any

from redis.exceptions import ResponseError

from app.engine.store_facts import StoreFacts
from app.store.gathering import GatheringRedis
from app.store.outages import Outages


async def store_facts(client: GatheringRedis, outages: Outages) -> StoreFacts:
    """Raises Unavailable("store_unavailable")."""
    with outages.reaching():
        masters = await client.masters()
        began = monotonic()
        await asyncio.gather(*(master.execute_command("PING") for master in masters))
        seconds = monotonic() - began
        said = await asyncio.gather(*(_said(master) for master in masters))
    used = [each["used_memory"] for each in said if "used_memory" in each]
    return StoreFacts(
        masters=len(masters),
        seconds=seconds,
        name=_name(said[0]) if said else None,
        memory_bytes=sum(map(int, used)) if used and len(used) == len(said) else None,
    )


async def _said(client: GatheringRedis) -> Mapping[str, Any]:
    """Nothing where a server forbids the question."""
    found: dict[str, Any] = {}
    for section in ("server", "memory"):
        try:
            found |= await client.info(section)
        except ResponseError:
            continue
    return found


def _name(said: Mapping[str, Any]) -> str | None:
    for kind in ("valkey", "redis"):
        if f"{kind}_version" in said:
            return f"{kind.capitalize()} {said[f'{kind}_version']}"
    return None
