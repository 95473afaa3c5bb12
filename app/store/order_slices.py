"""The slices of an order, and of those in whose place it stands."""

from __future__ import annotations

from collections.abc import Sequence

from app.domain.earlier import Earlier
from app.domain.slice import Slice
from app.store import keys
from app.store.gathering import GatheringRedis
from app.store.order_codec import earlier_from
from app.store.outages import Outages
from app.store.state_codec import slices_from
from app.store.unreadable import Kind, Unreadable


class OrderSlices:
    """A part of `RedisStore`; see `engine.ports.Store`."""

    def __init__(self, client: GatheringRedis, outages: Outages, unreadable: Unreadable) -> None:
        self._client = client
        self._outages = outages
        self._unreadable = unreadable

    async def of_order(self, symbol: str, order_id: str) -> list[Slice]:
        """By step, from the first of the orders on that have replaced one another."""
        key = keys.slices(symbol, order_id)
        with self._outages.reaching(), self._unreadable.understanding(Kind.ORDER, key):
            async with self._client.pipeline(transaction=False) as pipe:
                pipe.hgetall(key)
                pipe.hmget(keys.order(symbol, order_id), "mandate", "state")  # no older than the slices
                lines, (mandate, state) = await pipe.execute()
            own = slices_from(mandate, state, [lines[step] for step in sorted(lines, key=int)]) if lines else []
            earlier = earlier_from(mandate) if mandate else ()
            return [*await self._earlier(symbol, earlier), *own] if earlier else own

    async def _earlier(self, symbol: str, earlier: Sequence[Earlier]) -> list[Slice]:
        """Those that the earlier orders have asked for. What lies behind the last step of one of them was decided anew
        by the order after it."""
        async with self._client.pipeline(transaction=False) as pipe:
            for each in earlier:
                pipe.hgetall(keys.slices(symbol, each.order_id))
                pipe.hmget(keys.order(symbol, each.order_id), "mandate", "state")
            answers = await pipe.execute()
        found: list[Slice] = []
        first = 1
        for each, lines, (mandate, state) in zip(earlier, answers[::2], answers[1::2], strict=True):
            found += slices_from(mandate, state, [lines[str(step)] for step in range(first, each.last_step + 1)])
            first = each.last_step + 1
        return found
