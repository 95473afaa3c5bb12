"""Whose order an event is about: kept in memory, since an order's account never changes."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence

from app.outbox.log import Batch, EventLog, RecordedEvent

ORDERS_KNOWN_MAX = 100_000


class OrderAccounts:
    """Asks the store once for each order."""

    def __init__(self, log: EventLog) -> None:
        self._log = log
        self._known: OrderedDict[str, str | None] = OrderedDict()

    async def events_of(self, account: str, batch: Batch) -> Sequence[RecordedEvent]:
        """The events of that account's orders. Raises Unavailable where the store is away."""
        orders = {each.order_id: each.place.instrument for each in batch.events}
        unknown = [(symbol, order_id) for order_id, symbol in orders.items() if order_id not in self._known]
        found = await self._log.accounts(unknown) if unknown else ()
        accounts = {order_id: self._known.get(order_id) for order_id in orders}
        for (_, order_id), owner in zip(unknown, found, strict=True):
            accounts[order_id] = self._known[order_id] = owner
        while len(self._known) > ORDERS_KNOWN_MAX:
            self._known.popitem(last=False)
        return [each for each in batch.events if accounts[each.order_id] == account]
