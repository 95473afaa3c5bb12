"""What processes on one store tell each other. A notice saves a wait, and a read of what it repeats: the truth is
in the store, and whoever may have missed notices looks there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from app.domain.bar import Bar
from app.engine.ownership.lease import Lease


@dataclass(frozen=True, slots=True)
class BarsAppended:
    """Behind the bar that opens at `after`, None where there was none. The newest of the bars opens at `newest`; `bars`
    are all of them, as they were recorded in the moment of this notice, or none where they are too many."""

    symbol: str
    newest: datetime
    after: datetime | None = None
    bars: tuple[Bar, ...] = ()


@dataclass(frozen=True, slots=True)
class OrdersChanged:
    symbol: str
    order_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class BarsDecided:
    """By instrument, the opening of the newest bar whose slices are all committed."""

    newest: Mapping[str, datetime]


@dataclass(frozen=True, slots=True)
class DecisionsAwaited:
    """Somebody waits for the owners of these instruments to decide on their newest bars."""

    symbols: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class LeaseAssigned:
    symbol: str
    lease: Lease


@dataclass(frozen=True, slots=True)
class InstrumentChanged:
    """Its terms or its older bars are others now."""

    symbol: str


@dataclass(frozen=True, slots=True)
class ProcessesChanged:
    """A process has come or gone."""


@dataclass(frozen=True, slots=True)
class NoticesMissed:
    """Notices of other processes may have been missed until now; `expected` where this process begins to listen."""

    expected: bool


Notice = (
    BarsAppended
    | OrdersChanged
    | BarsDecided
    | DecisionsAwaited
    | LeaseAssigned
    | InstrumentChanged
    | ProcessesChanged
    | NoticesMissed
)
