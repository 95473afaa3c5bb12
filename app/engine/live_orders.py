"""The orders that await bars, as this process knows them.

Gauges and readiness ask here, since they must not read all orders from the store each time. What is known of an
instrument is replaced whenever its orders are read: at recovery and with every bar.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable

from app.domain.slice import Basis
from app.domain.state import OrderState


class LiveOrders:
    """Of the instruments that this process `owns`: each process tells of its own."""

    def __init__(self, owns: Callable[[str], bool]) -> None:
        self._owns = owns
        self._orders: dict[str, dict[str, OrderState]] = {}

    def read(self, symbol: str, orders: Iterable[OrderState]) -> None:
        """These are all orders of the instrument that await bars."""
        self._orders[symbol] = {state.order.order_id: state for state in orders}

    def changed(self, state: OrderState) -> None:
        """The order is recorded like this now."""
        if not self._owns(state.order.instrument):
            return
        known = self._orders.setdefault(state.order.instrument, {})
        if state.awaits_bars:
            known[state.order.order_id] = state
        else:
            known.pop(state.order.order_id, None)

    def forget(self, symbol: str) -> None:
        """Another process tells of the instrument's orders from now on."""
        self._orders.pop(symbol, None)

    def of(self, symbol: str) -> Iterable[OrderState] | None:
        """The instrument's orders that await bars; None where this process has not read them."""
        known = self._orders.get(symbol)
        return known.values() if known is not None and self._owns(symbol) else None

    def has_orders(self, symbol: str) -> bool:
        """Whether an order awaits bars of the instrument."""
        return bool(self._orders.get(symbol))

    def behind(self) -> int:
        """How many orders cannot be done in time within their limits."""
        return sum(bool(state.behind) for orders in self._orders.values() for state in orders.values())

    def slices_by_basis(self) -> Counter[Basis]:
        """The slices that run or come next."""
        current = (state.current for orders in self._orders.values() for state in orders.values())
        bases = Counter(piece.decided.basis for piece in current if piece is not None)
        return Counter({basis: bases[basis] for basis in Basis})
