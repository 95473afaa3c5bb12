"""What other processes do, as this one follows it: bars that they append, orders that they change."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable
from time import monotonic

from app.domain.errors import LemError, Unavailable
from app.engine.instruments.cache import LiveInstruments
from app.engine.ownership.decisions import Decisions
from app.engine.ownership.leases import Leases
from app.engine.ownership.notices import (
    BarsAppended,
    BarsDecided,
    DecisionsAwaited,
    InstrumentChanged,
    LeaseAssigned,
    Notice,
    NoticesMissed,
    OrdersChanged,
)
from app.engine.ownership.shared_store import SharedStore
from app.engine.ports import Metrics
from app.engine.waiters import Waiters

LOG = logging.getLogger(__name__)


class Follower:
    """Hears notices, which takes no time, and decides on the bars of others in a task of its own: see `decide`."""

    def __init__(
        self,
        store: SharedStore,
        leases: Leases,
        instruments: LiveInstruments,
        waiters: Waiters,
        decisions: Decisions,
        metrics: Metrics,
    ) -> None:
        self._store = store
        self._leases = leases
        self._instruments = instruments
        self._waiters = waiters
        self._decisions = decisions
        self._metrics = metrics
        self._undecided: dict[str, float] = {}
        self._deciding: dict[str, float] = {}
        self._asked = asyncio.Event()

    @property
    def lag_seconds(self) -> float:
        """For how long the oldest of the bars that others have appended waits for this process to decide."""
        since = [*self._undecided.values(), *self._deciding.values()]
        return monotonic() - min(since) if since else 0.0

    def hear(self, notice: Notice) -> None:
        match notice:
            case BarsAppended(symbol, newest, after, bars):
                live = self._instruments.open_now(symbol)
                if live is not None:
                    live.unread.tell(live.newest, bars, after, newest)
                self.ask([symbol])
            case OrdersChanged(symbol, order_ids):
                self._waiters.wake_to_read(order_ids)
                self._note_changed(symbol)
            case BarsDecided(newest):
                self._decisions.learn(newest)
            case DecisionsAwaited(symbols):
                self._note_behind(symbols)
                self.ask(symbols)
            case LeaseAssigned(symbol, lease):
                self._leases.learn(symbol, lease)
            case InstrumentChanged(symbol):
                self._decisions.forget(symbol)
                self._instruments.drop(symbol)
                self._instruments.on_failure.set()
            case NoticesMissed():
                self._doubt_everything(expected=notice.expected)

    def ask(self, symbols: Iterable[str]) -> None:
        """Somebody waits for this process to decide on the instruments' newest bars, where it owns them."""
        for symbol in symbols:
            if self._leases.owns(symbol):
                self._undecided.setdefault(symbol, monotonic())
                self._asked.set()

    async def decide(self) -> None:
        """Decide on bars that others have appended, and tell them, for ever."""
        while True:
            await self._asked.wait()
            self._asked.clear()
            self._deciding, self._undecided = self._undecided, {}
            try:
                await self._decide_on(sorted(self._deciding))
            except Unavailable:  # told where it began; who waits asks again
                pass
            except Exception:
                LOG.exception("bars that another process has appended are not decided; who waits asks again")
            self._deciding = {}

    async def _decide_on(self, symbols: Iterable[str]) -> None:
        """An instrument that is open and has no unread bars has decided on all of them."""
        async with self._instruments.all_locked([symbol for symbol in symbols if await self._opens(symbol)]) as live:
            newest = {each.symbol: each.last.open_time for each in live.values() if each.owned and each.newest}
        if newest:
            await self._store.tell(BarsDecided(newest))

    async def _opens(self, symbol: str) -> bool:
        try:
            await self._instruments.ensure_open(symbol)
        except LemError:  # told where it failed, and tried again
            return False
        return True

    def _note_behind(self, symbols: Iterable[str]) -> None:
        """The notice of their bars may have been lost."""
        for symbol in symbols:
            live = self._instruments.open_now(symbol)
            if live is not None:
                live.unread.doubt()

    def _note_changed(self, symbol: str) -> None:
        """Somebody must look when the next bar of these orders is late."""
        live = self._instruments.open_now(symbol)
        if live is not None and live.owned:
            live.orders_changed = True

    def _doubt_everything(self, *, expected: bool) -> None:
        """All that notices would have told is asked for again."""
        if not expected:
            self._metrics.notices_missed()
        self._waiters.wake_all_to_read()
        for live in self._instruments.opened:
            live.unread.doubt()
            live.orders_changed = live.owned
        self.ask(self._leases.held)
