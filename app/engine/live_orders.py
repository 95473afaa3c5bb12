"""The orders that await bars, and the basis of their current slices, as this process knows them.

Gauges and readiness ask here, since they must not read all orders from the store each time. What is known of an
instrument is replaced whenever its orders are read: at recovery and with every bar.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from app.domain.slice import Basis
from app.domain.state import OrderState


class LiveOrders:
    def __init__(self) -> None:
        self._bases: dict[str, dict[str, Basis | None]] = {}

    def read(self, symbol: str, orders: Iterable[OrderState]) -> None:
        """These are all orders of the instrument that await bars."""
        self._bases[symbol] = {state.order_id: _basis(state) for state in orders}

    def changed(self, state: OrderState) -> None:
        """The order is recorded like this now."""
        known = self._bases.setdefault(state.order.instrument, {})
        if state.awaits_bars:
            known[state.order_id] = _basis(state)
        else:
            known.pop(state.order_id, None)

    def has_orders(self, symbol: str) -> bool:
        """Whether an order awaits bars of the instrument."""
        return bool(self._bases.get(symbol))

    def slices_by_basis(self) -> Counter[Basis]:
        """The slices that run or come next."""
        bases = Counter(basis for orders in self._bases.values() for basis in orders.values())
        return Counter({basis: bases[basis] for basis in Basis})


def _basis(state: OrderState) -> Basis | None:
    return state.current.decided.basis if state.current else None
