"""What ownership needs of the store, as a protocol. `app/store/process_records.py` implements it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Protocol

from app.engine.ownership.lease import Lease
from app.engine.ownership.notices import BarsDecided, DecisionsAwaited, InstrumentChanged, Notice


class SharedStore(Protocol):
    """What the processes on one store record of each other, and tell each other; `process` is this one's name."""

    process: str

    async def beat(self, lease_ms: int) -> Sequence[str]:
        """This process lives for so long from now on. Returns all that live."""
        ...

    async def leave(self) -> None:
        """This process ends."""
        ...

    async def symbols(self) -> Sequence[str]:
        """Of all instruments."""
        ...

    async def leases(self, symbols: Sequence[str]) -> Sequence[Lease]: ...

    async def assign(self, symbol: str, known: Lease, owner: str) -> Lease:
        """Give the instrument another owner, where its fence is the known one. Returns the lease as it is then."""
        ...

    async def tell(self, notice: BarsDecided | DecisionsAwaited | InstrumentChanged) -> None:
        """Give notice to all other processes. They are told of bars, of orders and of owners by what records those."""
        ...

    def notices(self) -> AsyncIterator[Notice]:
        """What other processes give notice of, for ever."""
        ...

    def forget_orders(self, symbol: str) -> None:
        """Another process decides for the instrument: its orders need not be held any more."""
        ...
