"""The use case of the watchdog: where a bar is late, orders get their slices without the bar."""

from __future__ import annotations

import logging
from datetime import datetime

from app.domain.errors import Unavailable
from app.engine.instruments.cache import LiveInstruments
from app.engine.instruments.live import LiveInstrument
from app.engine.instruments.loading import Loader
from app.engine.instruments.order_windows import looks_at
from app.engine.lateness import FeedLateness
from app.engine.pipeline import Pipeline
from app.engine.ports import STORE_AWAY, Clock, Store
from app.engine.stages.announce import Announcer
from app.engine.stages.batch import InstrumentOrders

LOG = logging.getLogger(__name__)


class LateSlices:
    """Gives the slices that are due though their bar has not come. `lateness` says how long a bar is waited for."""

    def __init__(
        self,
        store: Store,
        instruments: LiveInstruments,
        loader: Loader,
        pipeline: Pipeline,
        clock: Clock,
        lateness: FeedLateness,
        announcer: Announcer,
    ) -> None:
        self._store = store
        self._instruments = instruments
        self._loader = loader
        self._pipeline = pipeline
        self._clock = clock
        self._lateness = lateness
        self._announcer = announcer
        self._failing: set[str] = set()

    async def give(self) -> None:
        """Give a fallback slice wherever a window has opened and the bar before it is late. The late bar will then
        close only its own window. An instrument that fails is told once in the log, and keeps no other from its slices.
        """
        for known in self._instruments.opened:
            if not known.owned or (self._late_since(known) is None and not known.orders_changed):
                continue
            try:
                await self._give_on(known.symbol)
            except Unavailable as error:
                if error.code == STORE_AWAY:
                    raise
            except Exception:
                if known.symbol not in self._failing:
                    LOG.exception("late slices of %s fail and are tried again", known.symbol)
                self._failing.add(known.symbol)
            else:
                self._failing.discard(known.symbol)

    async def _give_on(self, symbol: str) -> None:
        async with self._instruments.locked(symbol) as live:
            self._lateness.learn(live.instrument, await self._store.lateness(symbol))
            if live.orders_changed:
                await self._note_changed(live)
            if await self._outrun(live):
                self._instruments.forget(symbol)
            else:
                await self._give(live)
        await self._instruments.get(symbol)

    async def _note_changed(self, live: LiveInstrument) -> None:
        """Another process has taken orders, or changed them: their next bar may be late, too."""
        live.orders_changed = False
        orders = await self._loader.awaiting(live)
        for opens in filter(None, (looks_at(state, live) for state in orders)):
            live.note_due(opens)

    async def _outrun(self, live: LiveInstrument) -> bool:
        """Whether another process has taken bars that this one has not seen: they are not late, but unread."""
        newest = await self._store.bars_before(live.symbol, None, 1) if live.newest is not None else []
        return bool(newest) and newest[0].open_time > live.last.open_time

    async def _give(self, live: LiveInstrument) -> None:
        while (late_since := self._late_since(live)) is not None:
            live.due = None
            if live.close_of(live.frontier, live.instrument.bar_seconds) <= late_since:
                self._lateness.missed(live.instrument)
            orders = await self._loader.awaiting(live)
            self._announcer.wake(orders)  # another process may have given slices that somebody waits for here
            await self._pipeline.advance([InstrumentOrders(live=live, orders=orders, late_since=late_since)])

    def _late_since(self, live: LiveInstrument) -> datetime | None:
        """Windows that opened by then and have no slice are late; None where there are none."""
        if live.due is None:
            return None
        opened_by = self._clock.now(live.last.close_time) - self._lateness.grace(live.instrument)
        return opened_by if live.due <= opened_by else None
