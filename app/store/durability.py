"""Whether the store keeps what it acknowledges: it must not throw keys away, must write to a disk, and must take writes
now."""

from __future__ import annotations

import asyncio
import logging
import shutil
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from redis.exceptions import ResponseError

from app.store.gathering import GatheringRedis
from app.store.outages import Outages

LOG = logging.getLogger(__name__)
RECHECK_SECONDS = 30.0
"""Settings of a server seldom change, and a server that forbids the question notes each time that it was asked."""
DISK_FREE_BYTES_MIN = 8 * 1024 * 1024
EVICTS, NOT_DURABLE, DISK_FULL = "store_evicts", "store_not_durable", "store_disk_full"
MEANINGS = {
    EVICTS: "throws keys away when its memory is full: set maxmemory-policy to noeviction",
    NOT_DURABLE: "writes nothing to a disk: set appendonly to yes",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerSettings:
    """What a server says of itself; None where it does not say. Of a cluster, what its weakest masters say."""

    policy: str | None
    persists: bool | None

    @property
    def weaknesses(self) -> tuple[str, ...]:
        return (EVICTS,) * _evicts(self.policy) + (NOT_DURABLE,) * (self.persists is False)


class Durability:
    """With `allow_lossy` weaknesses are told in the log, and accepted. `folder` is where an embedded store writes."""

    def __init__(self, client: GatheringRedis, outages: Outages, *, allow_lossy: bool, folder: Path | None) -> None:
        self._client = client
        self._outages = outages
        self._allow_lossy = allow_lossy
        self._folder = folder
        self._settings: ServerSettings | None = None
        self._checked = 0.0

    async def weaknesses(self) -> tuple[str, ...]:
        """Codes of what may lose acknowledged changes. Writes a small key first, on every master of a cluster, and
        raises Unavailable("store_unavailable") where the store is away or refuses that."""
        with self._outages.reaching(writes=True):
            masters = await self._client.masters()
            await asyncio.gather(*(self._client.set(master.probe, "1") for master in masters))
            if self._settings is None or time.monotonic() - self._checked > RECHECK_SECONDS:
                self._take(_weakest([await _settings_of(master) for master in masters]))
        weak = self._settings.weaknesses if self._settings and not self._allow_lossy else ()
        return (*self._disk(), *weak)

    def _disk(self) -> Iterator[str]:
        """A small key may still fit where the slices of a bar do not: the store would end in the middle of them."""
        if self._folder is not None and shutil.disk_usage(self._folder).free < DISK_FREE_BYTES_MIN:
            yield DISK_FULL

    def _take(self, settings: ServerSettings) -> None:
        """Tell what is new."""
        before, self._settings, self._checked = self._settings, settings, time.monotonic()
        if settings == before:
            return
        for weakness in settings.weaknesses:
            accepted = "" if self._allow_lossy else ", or accept that with LEM_ALLOW_LOSSY_STORE=true"
            LOG.error("acknowledged orders may be lost: the store %s%s", MEANINGS[weakness], accepted)
        if before is not None and before.weaknesses and not settings.weaknesses:
            LOG.warning("the store keeps what it acknowledges again")
        unknown = ["evicts keys"] * (settings.policy is None) + ["writes to a disk"] * (settings.persists is None)
        if unknown:
            LOG.warning("the store does not say whether it %s; see that it keeps its keys", " and ".join(unknown))


def _weakest(every: Sequence[ServerSettings]) -> ServerSettings:
    """What may lose changes goes before what is unknown, and that before what keeps them."""
    return ServerSettings(
        policy=min((each.policy for each in every), key=lambda policy: (not _evicts(policy), policy is not None)),
        persists=min((each.persists for each in every), key=lambda persists: (persists is not False, persists is True)),
    )


def _evicts(policy: str | None) -> bool:
    """Our keys have no expiry, so that policies on keys with one (`volatile-*`) touch none of them."""
    return policy is not None and policy.startswith("allkeys-")


async def _settings_of(client: GatheringRedis) -> ServerSettings:
    """CONFIG where that is permitted, else INFO, which does not tell of snapshots."""
    async with client.pipeline(transaction=False) as pipe:
        for name in ("maxmemory-policy", "appendonly", "save"):
            pipe.config_get(name)
        pipe.info("memory")
        pipe.info("persistence")
        answers: Sequence[Any] = await pipe.execute(raise_on_error=False)
    said: dict[str, Any] = {}
    for answer in answers:
        if isinstance(answer, Mapping):
            said |= answer
        elif not isinstance(answer, ResponseError):
            raise answer
    return ServerSettings(policy=said.get("maxmemory-policy", said.get("maxmemory_policy")), persists=_persists(said))


def _persists(said: Mapping[str, Any]) -> bool | None:
    if said.get("appendonly") == "yes" or str(said.get("aof_enabled")) == "1":
        return True
    return bool(said["save"]) if "save" in said else None
