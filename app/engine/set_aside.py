"""Orders that cannot be moved over a bar: left out alone, told once, and tried again with every bar."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from collections.abc import Set as AbstractSet

from app.domain.state import OrderState
from app.engine.ports import Metrics

LOG = logging.getLogger(__name__)


class SetAside:
    """The orders that this process has set aside: their ids by instrument, each with the kind of its last failure."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        self._failures: dict[str, dict[str, str]] = {}

    @property
    def count(self) -> int:
        return sum(map(len, self._failures.values()))

    def split(self, orders: Sequence[OrderState]) -> tuple[Sequence[OrderState], Sequence[OrderState]]:
        """The orders that are not set aside, and those that are."""
        if not self._failures:
            return orders, ()
        aside = {order_id for failures in self._failures.values() for order_id in failures}
        return (
            [state for state in orders if state.order_id not in aside],
            [state for state in orders if state.order_id in aside],
        )

    def add(self, state: OrderState, error: Exception) -> None:
        """The order has failed. The log tells each kind of failure of an order once."""
        failures = self._failures.setdefault(state.order.instrument, {})
        kind = type(error).__name__
        if failures.get(state.order_id) != kind:
            LOG.error("order %s is set aside: it cannot be moved", state.order_id, exc_info=error)
        failures[state.order_id] = kind
        self._tell()

    def keep_only(self, symbol: str, failed: AbstractSet[str]) -> None:
        """Of the instrument's orders only these have failed now; the others have moved, or await no bars any more."""
        if symbol not in self._failures:
            return
        failures = self._failures[symbol]
        for order_id in [each for each in failures if each not in failed]:
            del failures[order_id]
            LOG.warning("order %s is no longer set aside", order_id)
        if not failures:
            del self._failures[symbol]
        self._tell()

    def _tell(self) -> None:
        self._metrics.orders_set_aside(self.count)
