"""All live orders of an account, for whoever looks at all of them again and again.

Orders of instruments that this process decides are in memory. Those of other processes, and of instruments that cannot
be opened, are read from the store, at most once a second for all who look.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from time import monotonic

from app.domain.instrument import Instrument
from app.domain.lifecycle import LIVE
from app.domain.state import OrderState
from app.engine.instruments.cache import LiveInstruments
from app.engine.live_orders import LiveOrders
from app.engine.ports import Store
from app.engine.tasks import shared

AGE_SECONDS_MAX = 1.0
PAGE = 1_000
ORDERS_READ_MAX = 10_000
"""Of other processes' orders. Who has more of them looks at one instrument at a time."""


class LiveBook:
    """`terms` are the instruments by symbol, as they were when orders were last asked for."""

    def __init__(self, store: Store, live_orders: LiveOrders, instruments: LiveInstruments) -> None:
        self._store = store
        self._live_orders = live_orders
        self._live = instruments
        self.terms: Mapping[str, Instrument] = {}
        self._elsewhere: Sequence[OrderState] = ()
        self._read_at = float("-inf")
        self._read = shared(self._read_again)

    @property
    def failed(self) -> frozenset[str]:
        """Instruments that cannot be opened now, by symbol."""
        return frozenset(self._live.failures.symbols)

    async def orders(self, account: str | None = None) -> list[OrderState]:
        """The live orders of one account; with None those of all. Raises Unavailable."""
        await self.refresh()
        here = (state for symbol in self.terms for state in self._live_orders.of(symbol) or ())
        there = (state for state in self._elsewhere if self._live_orders.of(state.order.instrument) is None)
        return list(_live_of(account, (*here, *there)))

    async def refresh(self) -> None:
        """Read `terms` again, where they are older than a second. Raises Unavailable."""
        if monotonic() - self._read_at > AGE_SECONDS_MAX:
            await self._read()

    async def _read_again(self) -> None:
        began = monotonic()
        terms = {each.symbol: each for each in await self._store.instruments()}
        found: list[OrderState] = []
        for symbol in terms:
            if self._live_orders.of(symbol) is None and await self._store.awaited(symbol):
                found += await self._orders_of(symbol, ORDERS_READ_MAX - len(found))
        self.terms, self._elsewhere, self._read_at = terms, found, began

    async def _orders_of(self, symbol: str, most: int) -> list[OrderState]:
        found: list[OrderState] = []
        for status in sorted(LIVE):
            cursor = None
            while len(found) < most:
                page = await self._store.page(status=status, instrument=symbol, limit=PAGE, cursor=cursor)
                found += page.orders
                cursor = page.next_cursor
                if cursor is None:
                    break
        return found


def _live_of(account: str | None, orders: Iterable[OrderState]) -> Iterable[OrderState]:
    return (state for state in orders if state.status.live and account in (None, state.order.account))
