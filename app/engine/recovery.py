"""Recovery: opening an instrument replays, in order, the bars that its orders have not seen, with the history as it was
before each of them. A crash between a bar and its slices leaves no other slices than there would have been."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from datetime import datetime

from app.domain.errors import InvalidInput, Unavailable
from app.domain.state import OrderState
from app.engine.instruments.cache import LiveInstruments
from app.engine.instruments.live import LiveInstrument
from app.engine.instruments.loading import Loader
from app.engine.pipeline import Pipeline
from app.engine.ports import Calendars, Store
from app.engine.registry import registered
from app.engine.results import Readiness
from app.engine.stages.batch import InstrumentOrders
from app.engine.tasks import end

LOG = logging.getLogger(__name__)
PAUSE_SECONDS = 0.5


class Recovery:
    """Opens instruments for `LiveInstruments`, and keeps all of them open: see `start`."""

    def __init__(self, store: Store, calendars: Calendars, loader: Loader, pipeline: Pipeline, lookback: int) -> None:
        self._store = store
        self._calendars = calendars
        self._loader = loader
        self._pipeline = pipeline
        self._lookback = lookback
        self._recovered = False
        self._task: asyncio.Task[None] | None = None

    async def start(self, instruments: LiveInstruments) -> None:
        """Replay what orders have not seen. While the store is away that goes on in the background; see `readiness`."""
        with contextlib.suppress(Unavailable):
            await self._recover(instruments)
        self._task = asyncio.create_task(self._recover_after_failures(instruments), name="recovery")

    async def stop(self) -> None:
        await end(self._task)

    @property
    def stopped(self) -> bool:
        """Whether nobody opens instruments again after a failure: the task that does has ended."""
        return self._task is not None and self._task.done()

    async def readiness(self) -> Readiness:
        """Whether every instrument is open and the store answers."""
        reasons = [] if self._recovered else ["recovering"]
        try:
            await self._store.ping()
        except Unavailable as error:
            reasons.append(error.code)
        return Readiness(ready=not reasons, reasons=tuple(reasons))

    async def open_instrument(self, symbol: str) -> LiveInstrument:
        """The instrument as its newest bar has left it, every order moved by every bar.
        Raises NotFound("unknown_instrument")."""
        instrument = await registered(self._store, symbol)
        calendar = await asyncio.to_thread(self._calendars, instrument.calendar)
        live = LiveInstrument(instrument, calendar, self._lookback)
        await self._catch_up(live)
        return live

    async def _catch_up(self, live: LiveInstrument) -> None:
        """The last bar that every order has seen is taken once more: its slices may be missing."""
        orders = await self._loader.orders(live)
        unseen = min((_unseen_from(state) for state in orders), default=None)
        seen = await self._store.bars_before(live.symbol, unseen, 1)
        if not seen:
            return
        live.push(seen[-1])
        await self._loader.ensure_histories(live, orders)
        [part] = await self._pipeline.advance([InstrumentOrders(live=live, orders=tuple(orders))])
        if unseen is not None:
            async for bars in self._loader.bars_since(live.symbol, unseen):
                [part] = await self._pipeline.over_bars([part], [bars])

    async def _recover(self, instruments: LiveInstruments) -> None:
        self._recovered = False
        instruments.on_failure.clear()
        for instrument in await self._store.instruments():
            try:
                await instruments.get(instrument.symbol)
            except InvalidInput:  # its calendar is not known here: the others must not wait for it
                LOG.exception("%s cannot be opened", instrument.symbol)
        self._recovered = True

    async def _recover_after_failures(self, instruments: LiveInstruments) -> None:
        """A failure in the middle of a bar leaves orders without slices until their instrument is opened anew."""
        while True:
            if self._recovered:
                await instruments.on_failure.wait()
            try:
                await self._recover(instruments)
            except Unavailable:
                await asyncio.sleep(PAUSE_SECONDS)
            except Exception:  # whatever it was, orders must not be left behind for good
                LOG.exception("recovery failed; trying again")
                await asyncio.sleep(PAUSE_SECONDS)


def _unseen_from(state: OrderState) -> datetime:
    """Every bar that opens before this has done to the order what it will, but perhaps the last of them."""
    piece = state.oldest_open
    return piece.window.start if piece is not None else state.next_open
