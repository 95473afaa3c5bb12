"""Stage "announce": what is recorded is logged and counted, and those who wait for an order are woken."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence

from app.domain.slice import Basis
from app.domain.state import OrderState
from app.engine.changes import Change
from app.engine.live_orders import LiveOrders
from app.engine.ports import Metrics
from app.engine.stages.order_log import log_changes
from app.engine.waiters import Waiters


class Announcer:
    """Told once a change is recorded, never before. `on_ended` is told of orders that have ended."""

    def __init__(
        self,
        metrics: Metrics,
        waiters: Waiters,
        live_orders: LiveOrders,
        on_ended: Callable[[OrderState], None] = lambda _: None,
    ) -> None:
        self._metrics = metrics
        self._waiters = waiters
        self._live_orders = live_orders
        self._on_ended = on_ended

    def announce(self, changes: Sequence[Change]) -> None:
        """These changes were recorded by this process."""
        log_changes(changes)
        reasons: Counter[str] = Counter()
        for change in changes:
            self._live_orders.changed(change.after)
            if change.status is not None:
                self._metrics.order_changed(change.status)
                if not change.status.live:
                    self._on_ended(change.after)
            for warning in change.fill.warnings if change.fill else ():
                self._metrics.fill_flagged(warning)
            piece = change.slice
            if piece is not None and piece.decided.basis is Basis.FALLBACK:
                reasons[piece.decided.fallback_reason or "unknown"] += 1
        for reason, count in reasons.items():
            self._metrics.fell_back(reason, count)

    def wake(self, orders: Iterable[OrderState]) -> None:
        """These orders have changed, by this process or another one: this is how they are recorded now."""
        self._waiters.wake(orders)

    def wake_to_read(self, order_ids: Iterable[str]) -> None:
        """These orders may have changed."""
        self._waiters.wake_to_read(order_ids)
