"""The orders to which bars still matter: read once, and then held for as long as nobody else changes them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

from app.domain.errors import Unavailable
from app.domain.state import OrderState
from app.store import keys
from app.store.gathering import GatheringRedis
from app.store.held_orders import HeldOrders
from app.store.lost_tail import LostTail
from app.store.outages import Outages
from app.store.reading import Reader
from app.store.unreadable import Kind, Unreadable


class AwaitingOrders:
    """A part of `RedisStore`; see `engine.ports.Store`."""

    def __init__(
        self,
        client: GatheringRedis,
        outages: Outages,
        unreadable: Unreadable,
        reader: Reader,
        held: HeldOrders,
        lost_tail: LostTail,
    ) -> None:
        self._client = client
        self._outages = outages
        self._unreadable = unreadable
        self._reader = reader
        self._held = held
        self._lost_tail = lost_tail

    async def awaiting(self, symbol: str) -> list[OrderState]:
        """One small read where all that was recorded since the last one was recorded by this process, and one more for
        what others have recorded and given notice of."""
        while not await self._up_to_date(symbol):
            pass
        return self._held.orders(symbol)

    async def _up_to_date(self, symbol: str) -> bool:
        """False where the orders were forgotten while they were read: the instrument has gone to another process."""
        self._held.begin(symbol)
        changed = await self._changed(symbol)
        if not await self._held.holds(symbol, changed):
            self._held.hold(symbol, changed, await self._read_again(symbol))
        elif unread := self._held.unread(symbol):
            return self._held.add(symbol, unread, await self._read(symbol, list(unread)))
        return True

    async def order(self, symbol: str, order_id: str) -> OrderState | None:
        """One order, in one small read where it is held as it is recorded: whoever polls for a slice has nothing
        decoded. None where it is not recorded. Raises Unavailable where it is not understood."""
        if self._held.has(symbol, order_id):
            held = self._held.order_as_of(symbol, order_id, await self._changed(symbol))
            if held is not None:
                return held
        acknowledged = self._lost_tail.version_of(order_id)
        found = await self._reader.order(symbol, order_id)
        self._lost_tail.read(symbol, order_id, acknowledged, found)
        return found

    async def _changed(self, symbol: str) -> str:
        """The name of the last change of the instrument's orders; empty where there was none."""
        key = keys.instrument(symbol)
        with self._outages.reaching(), self._unreadable.understanding(Kind.INSTRUMENT, key):
            return str(await cast("Any", self._client.hget(key, "changed")) or "")

    async def _ids(self, symbol: str) -> list[str]:
        key = keys.awaiting(symbol)
        with self._outages.reaching(), self._unreadable.understanding(Kind.INSTRUMENT, key):
            return sorted(await cast("Any", self._client.smembers(key)))

    async def _read_again(self, symbol: str) -> dict[str, OrderState | None]:
        """All orders that await bars. What is held is compared with what is there: others have written, or the store
        has lost what it had acknowledged."""
        known = self._held.known(symbol)
        found = await self._read(symbol, await self._ids(symbol))
        others = [order_id for order_id in known if order_id not in found]
        ended = dict(zip(others, await self._reader.orders(symbol, others), strict=True))
        there = {order_id: state for order_id, state in found.items() if state is not None}
        self._lost_tail.read_all(
            symbol, known, there | {name: each for name, each in ended.items() if not isinstance(each, Unavailable)}
        )
        return found

    async def _read(self, symbol: str, order_ids: Sequence[str]) -> dict[str, OrderState | None]:
        found = await self._reader.orders(symbol, order_ids)
        return {
            order_id: each if isinstance(each, OrderState) else None
            for order_id, each in zip(order_ids, found, strict=True)
        }
