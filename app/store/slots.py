"""Which master of a Redis Cluster has which of the 16,384 slots, as a node of it says."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator, Sequence
from typing import Any

from redis.asyncio import ConnectionPool
from redis.crc import REDIS_CLUSTER_HASH_SLOTS, key_slot
from redis.exceptions import ClusterDownError, RedisError, ResponseError
from redis.exceptions import ConnectionError as RedisConnectionError

from app.store import keys
from app.store.gathering import GatheringRedis
from app.store.pools import pool_at
from app.store.replication import Replication
from app.store.urls import Host, StoreUrl

LOG = logging.getLogger(__name__)
ASK_SECONDS_MAX = 1.0
"""Of one node; another one is asked then."""
SLOTS = REDIS_CLUSTER_HASH_SLOTS
NO_HOST = (None, "", "?")
"""How a node says that it does not know the address at which it was asked."""


def slot_of(key: str) -> int:
    return key_slot(key.encode("utf-8", "replace"))


class Slots:
    """Clients of the masters, by slot. Empty until a node has been asked."""

    def __init__(self, url: StoreUrl, replication: Replication | None) -> None:
        self._url = url
        self._replication = replication
        self._clients: dict[Host, GatheringRedis] = {}
        self._ranges: list[tuple[int, int, Host]] = []
        self._by_slot: list[GatheringRedis | None] = [None] * SLOTS
        self._answered: Host | None = None

    @property
    def known(self) -> bool:
        return bool(self._ranges)

    @property
    def masters(self) -> Sequence[GatheringRedis]:
        """Raises ClusterDownError where slots have no master: some instruments could not be served."""
        missing = self._by_slot.count(None)
        if missing:
            raise ClusterDownError(f"CLUSTERDOWN {missing} of {SLOTS} slots have no master")
        return [self._clients[host] for host in sorted({host for _, _, host in self._ranges})]

    @property
    def pools(self) -> Sequence[ConnectionPool]:
        """Of the masters, or of the nodes of the url until one has been asked."""
        hosts = sorted({host for _, _, host in self._ranges}) or self._url.hosts
        return [self.client_at(host).connection_pool for host in hosts]

    def master_of(self, slot: int) -> GatheringRedis:
        """Raises ClusterDownError where the slot has none."""
        client = self._by_slot[slot]
        if client is None:
            raise ClusterDownError(f"CLUSTERDOWN slot {slot} has no master")
        return client

    def client_at(self, host: Host) -> GatheringRedis:
        """Raises ValueError where the options of the url are none."""
        if host not in self._clients:
            self._clients[host] = GatheringRedis(pool_at(self._url.at(host)), self._replication)
        return self._clients[host]

    async def ask(self, first: Host | None) -> None:
        """Ask `first`, who is believed to know best, whoever answered last, the known masters and those of the url,
        until one answers. Raises ConnectionError where none does."""
        refusal: Exception | None = None
        hosts = [first, self._answered, *(host for _, _, host in self._ranges), *self._url.hosts]
        for host in dict.fromkeys(filter(None, hosts)):
            try:
                async with asyncio.timeout(ASK_SECONDS_MAX):
                    found: Any = await self.client_at(host).execute_command("CLUSTER", "SLOTS")
            except (RedisError, OSError) as error:  # a time-out is an OSError, too
                refusal = error
                continue
            if found:
                self._answered = host
                await self._take(sorted(_ranges(found, host)))
                return
            refusal = ResponseError("no slot has a master")
        raise RedisConnectionError(f"no node of the cluster answers: {refusal}") from refusal

    async def close(self) -> None:
        for client in self._clients.values():
            await client.aclose()

    async def _take(self, ranges: list[tuple[int, int, Host]]) -> None:
        if ranges == self._ranges:
            return
        if self._ranges:
            LOG.warning("the slots of the cluster have moved: %s", _as_text(ranges))
        self._ranges, self._by_slot = ranges, [None] * SLOTS
        for first, last, host in ranges:
            self._by_slot[first : last + 1] = [self.client_at(host)] * (last - first + 1)
        self._give_probes({host for _, _, host in ranges})
        for host in self._clients.keys() - {host for _, _, host in ranges} - set(self._url.hosts):
            await self._clients.pop(host).connection_pool.disconnect(inuse_connections=False)

    def _give_probes(self, hosts: set[Host]) -> None:
        """Each master gets a key of its own to be probed by."""
        lacking = {id(self._clients[host]) for host in hosts}
        for number in range(SLOTS):
            client = self._by_slot[slot_of(keys.probe(number))]
            if client is not None and id(client) in lacking:
                client.probe = keys.probe(number)
                lacking.discard(id(client))
            if not lacking:
                return


def _ranges(answer: Sequence[Any], asked: Host) -> Iterator[tuple[int, int, Host]]:
    """First and last slot, and their master, from what `CLUSTER SLOTS` says."""
    for first, last, master, *_ in answer:
        name, port = asked[0] if master[0] in NO_HOST else str(master[0]), int(master[1])
        yield int(first), int(last), (name, port)


def _as_text(ranges: Sequence[tuple[int, int, Host]]) -> str:
    return ", ".join(f"{first}-{last} at {name}:{port}" for first, last, (name, port) in ranges)
