"""What a store has lost though it had acknowledged it, found where this process knows better.

A master that dies takes with it what its replicas had not yet received, and a loss of power takes what no disk had. The
store that comes back is then older than the memory of whoever wrote to it. Nothing can be decided about that here: the
slices that are lost may be decided again, and otherwise. But nobody shall have to find out alone.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from app.domain.state import OrderState

LOG = logging.getLogger(__name__)
ORDERS_KEPT = 100_000
ORDERS_TOLD_MAX = 5
"""In one line of the log."""


class Lost(StrEnum):
    """What was acknowledged and is gone. `order`: an order, or changes of it."""

    ORDER = "order"
    BAR = "bar"


@dataclass(frozen=True, slots=True)
class _Bars:
    """The newest bar that was acknowledged, and the revision of its instrument."""

    newest: datetime
    revision: int


class LostTail:
    """`on_lost` is called with what was found lost, and how many."""

    def __init__(self, on_lost: Callable[[str, int], None]) -> None:
        self._on_lost = on_lost
        self._versions: dict[str, int] = {}
        self._bars: dict[str, _Bars] = {}

    def acknowledged(self, state: OrderState) -> None:
        """The order is recorded like this."""
        order_id = state.order.order_id
        if order_id not in self._versions and len(self._versions) >= ORDERS_KEPT:
            del self._versions[next(iter(self._versions))]
        self._versions[order_id] = state.version

    def version_of(self, order_id: str) -> int | None:
        """The version that was acknowledged last; to be asked before the order is read."""
        return self._versions.get(order_id)

    def read(self, symbol: str, order_id: str, acknowledged: int | None, found: OrderState | None) -> None:
        """An order was read, None where there is none."""
        if acknowledged is not None and (found is None or found.version < acknowledged):
            self._tell(symbol, {order_id: found})
        elif found is not None:
            self.acknowledged(found)

    def read_all(self, symbol: str, held: Mapping[str, OrderState], found: Mapping[str, OrderState | None]) -> None:
        """All orders of the instrument were read that were `held` as they were acknowledged before."""
        self._tell(
            symbol,
            {
                order_id: found[order_id]
                for order_id, known in held.items()
                if order_id in found and _is_lost(known, found[order_id])
            },
        )

    def appended(self, symbol: str, bars: Sequence[datetime], after: datetime | None, revision: int | None) -> None:
        """Bars that open at these times were recorded behind the one that opens at `after`."""
        known = self._bars.get(symbol)
        if known is not None and (revision or 0) <= known.revision and (after is None or after < known.newest):
            LOG.error(
                "the store has lost acknowledged bars of %s: its newest one was that of %s and not that of %s; "
                "send the bars between them again",
                symbol,
                after and after.isoformat(),
                known.newest.isoformat(),
            )
            self._on_lost(Lost.BAR, 1)
        self._bars[symbol] = _Bars(bars[-1], revision or 0)

    def _tell(self, symbol: str, lost: Mapping[str, OrderState | None]) -> None:
        if not lost:
            return
        for order_id, state in lost.items():
            self._versions.pop(order_id, None)
            if state is not None:
                self.acknowledged(state)
        gone = sum(state is None for state in lost.values())
        LOG.error(
            "the store has lost acknowledged changes of %d orders of %s, and %d of these orders altogether: %s%s; "
            "their slices may be decided again, and otherwise; send the orders and their fills again",
            len(lost),
            symbol,
            gone,
            ", ".join(list(lost)[:ORDERS_TOLD_MAX]),
            ", ..." if len(lost) > ORDERS_TOLD_MAX else "",
        )
        self._on_lost(Lost.ORDER, len(lost))


def _is_lost(known: OrderState, found: OrderState | None) -> bool:
    """Another process may have moved an older order on to the same version by now: its slice tells."""
    if found is None or found.version < known.version:
        return True
    return found.version == known.version and found.current != known.current
