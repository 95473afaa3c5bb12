"""The leases as this process knows them, and how they come to it and leave it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence

from app.engine.ownership.lease import NOBODY, Lease
from app.engine.ownership.rendezvous import preferred
from app.engine.ownership.shared_store import SharedStore
from app.engine.ports import Metrics
from app.engine.tasks import together

LOG = logging.getLogger(__name__)
ASSIGNED_AT_ONCE = 64
OnChange = Callable[[str, bool], None]
"""Told the instrument whose lease has come to this process, or (False) has left it."""


class Leases:
    """Every change of an owner counts the fence up in the store, in one script with the change. So it does not matter
    for what is decided who believes to be the owner: only the newest one can commit."""

    def __init__(self, store: SharedStore, metrics: Metrics, on_change: OnChange) -> None:
        self._store = store
        self._metrics = metrics
        self._on_change = on_change
        self._known: dict[str, Lease] = {}
        self._live: tuple[str, ...] = (store.process,)
        self._choices: dict[str, str] = {}

    @property
    def held(self) -> list[str]:
        """The instruments that this process owns."""
        return [symbol for symbol, lease in self._known.items() if lease.owner == self._store.process]

    @property
    def left_over(self) -> list[str]:
        """The instruments that nobody owns who lives."""
        return [symbol for symbol, lease in self._known.items() if lease.owner not in self.live]

    @property
    def live(self) -> tuple[str, ...]:
        """The processes that live, by name."""
        return self._live

    @property
    def owners(self) -> Mapping[str, str]:
        """The process that owns each instrument, by symbol, as far as this one knows."""
        return {symbol: lease.owner for symbol, lease in self._known.items() if lease.owner}

    def are_live(self, processes: Iterable[str]) -> None:
        live = tuple(sorted(processes))
        if live != self._live:
            self._live, self._choices = live, {}

    def owns(self, symbol: str) -> bool:
        return self._known.get(symbol, NOBODY).owner == self._store.process

    async def claim(self, symbol: str) -> Lease:
        """The lease; an instrument that has never had an owner gets the one whom all processes would choose."""
        if symbol not in self._known:
            await self.read([symbol])
        lease = self._known.get(symbol, NOBODY)
        if not lease.owner:
            await self._assign(symbol, self._choice(symbol))
        return self._known.get(symbol, NOBODY)

    async def read(self, symbols: Sequence[str]) -> None:
        """Learn the leases as they are recorded. What was learned since the question is newer than its answer."""
        asked = {symbol: self._known.get(symbol) for symbol in symbols}
        for symbol, lease in zip(symbols, await self._store.leases(symbols), strict=True):
            if self._known.get(symbol) == asked[symbol]:
                self._take(symbol, lease)

    async def read_all(self) -> None:
        """Those of instruments that were deleted too: they have no owner any more."""
        symbols = await self._store.symbols()
        gone = self._known.keys() - set(symbols)
        await self.read([*symbols, *gone])
        for symbol in gone:
            if not self._known[symbol].owner:
                del self._known[symbol]

    def learn(self, symbol: str, lease: Lease) -> None:
        """The lease is recorded like this, or was a moment ago: news may overtake each other."""
        if lease.fence >= self._known.get(symbol, NOBODY).fence:
            self._take(symbol, lease)

    def _take(self, symbol: str, lease: Lease) -> None:
        known = self._known.get(symbol, NOBODY)
        self._known[symbol] = lease
        own, owned = lease.owner == self._store.process, known.owner == self._store.process
        if own != owned or (own and lease.fence != known.fence):
            LOG.info("lease gained" if own else "lease lost", extra={"instrument": symbol, "fence": lease.fence})
            dead = bool(known.owner) and known.owner not in self.live
            self._metrics.owner_changed(taken_over=own and dead)
            self._on_change(symbol, own)

    async def take_left_over(self) -> None:
        """Take what nobody owns that is live, as far as it falls to this process."""
        left = self.left_over
        await self._assign_all((symbol, self._store.process) for symbol in left if self._is_choice(symbol))

    def to_hand_over(self) -> list[str]:
        """What this process owns and another one is to have."""
        return [symbol for symbol in self.held if not self._is_choice(symbol)]

    async def hand_over(self, symbol: str) -> None:
        """Give the instrument to the process that is to have it."""
        await self._assign(symbol, self._choice(symbol))

    async def give_back(self) -> None:
        """This process ends: give all instruments to those that stay."""
        others = [process for process in self.live if process != self._store.process]
        await self._assign_all((symbol, preferred(symbol, others)) for symbol in self.held)

    def _is_choice(self, symbol: str) -> bool:
        return self._choice(symbol) == self._store.process

    def _choice(self, symbol: str) -> str:
        """The process that is to have the instrument, worked out once for the processes that live."""
        if symbol not in self._choices:
            self._choices[symbol] = preferred(symbol, self._live)
        return self._choices[symbol]

    async def _assign_all(self, owners: Iterable[tuple[str, str]]) -> None:
        await together((self._assign(symbol, owner) for symbol, owner in owners), ASSIGNED_AT_ONCE)

    async def _assign(self, symbol: str, owner: str) -> None:
        self.learn(symbol, await self._store.assign(symbol, self._known.get(symbol, NOBODY), owner))
