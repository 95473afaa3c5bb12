"""What processes on one store record of each other: which of them are live, and which of them owns an instrument."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Any, cast

from app.engine.ownership.lease import Lease
from app.engine.ownership.notices import BarsDecided, DecisionsAwaited, InstrumentChanged, Notice
from app.store import keys
from app.store.connection import Call, run, script
from app.store.gathering import GatheringRedis
from app.store.held_orders import HeldOrders
from app.store.notices import Notices, text_of
from app.store.outages import Outages
from app.store.reading import Reader

ASSIGN_LEASE, BEAT = script("assign_lease"), script("beat")
READ_AT_ONCE = 500


class ProcessRecords:
    """A part of `RedisStore`; see `engine.ownership.shared_store.SharedStore`."""

    def __init__(
        self, client: GatheringRedis, outages: Outages, reader: Reader, held: HeldOrders, process: str
    ) -> None:
        self.process = process
        self._client = client
        self._outages = outages
        self._reader = reader
        self._held = held
        self._notices = Notices(client, process, held)

    async def beat(self, lease_ms: int) -> Sequence[str]:
        """The script reads the server's clock alone, so that those of the processes need not agree."""
        call = Call(BEAT, (keys.PROCESSES,), (self.process, lease_ms, keys.NOTICES))
        with self._outages.reaching(writes=True):
            [live] = await run(self._client, [call])
        self._notices.listen_to(live)
        return cast("Sequence[str]", live)

    async def leave(self) -> None:
        await self.beat(0)

    async def symbols(self) -> Sequence[str]:
        return await self._reader.symbols()

    async def leases(self, symbols: Sequence[str]) -> list[Lease]:
        found: list[Any] = []
        for first in range(0, len(symbols), READ_AT_ONCE):
            with self._outages.reaching():
                async with self._client.pipeline(transaction=False) as pipe:
                    for symbol in symbols[first : first + READ_AT_ONCE]:
                        pipe.hmget(keys.instrument(symbol), ("owner", "fence"))
                    found += await pipe.execute(raise_on_error=False)
        return [_lease(fields) for fields in found]

    async def assign(self, symbol: str, known: Lease, owner: str) -> Lease:
        call = Call(ASSIGN_LEASE, (keys.instrument(symbol),), (known.fence, owner, keys.notices(self.process), symbol))
        with self._outages.reaching(writes=True):
            [fields] = await run(self._client, [call])
        return _lease(fields)

    def forget_orders(self, symbol: str) -> None:
        self._held.forget(symbol)

    async def tell(self, notice: BarsDecided | DecisionsAwaited | InstrumentChanged) -> None:
        with self._outages.reaching():
            await self._client.publish(keys.notices(self.process), text_of(notice))

    def notices(self) -> AsyncIterator[Notice]:
        return self._notices.notices()


def _lease(fields: Any) -> Lease:
    """A key that holds something else has no owner: whoever opens its instrument is told."""
    if isinstance(fields, Exception):
        return Lease()
    owner, fence = fields
    return Lease(owner or "", int(fence or 0))
