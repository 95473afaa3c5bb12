"""Recovery: opening an instrument replays, in order, the bars that its orders have not seen, with the history as it was
before each of them. A crash between a bar and its slices leaves no other slices than there would have been."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Sequence
from datetime import datetime

from app.domain.bar import Bar
from app.domain.errors import InvalidInput, LemError, NotFound, Unavailable
from app.domain.state import OrderState
from app.engine.instruments.cache import LiveInstruments
from app.engine.instruments.live import LiveInstrument
from app.engine.instruments.loading import A_SECOND, PAGE_BARS, Loader
from app.engine.ownership.lease import Ownership
from app.engine.pipeline import Pipeline
from app.engine.ports import STORE_AWAY, Calendars, Store
from app.engine.registry import registered
from app.engine.results import Readiness
from app.engine.stages.announce import Announcer
from app.engine.stages.batch import InstrumentOrders
from app.engine.stages.check import OPEN_TIME_MIN
from app.engine.tasks import end, together

LOG = logging.getLogger(__name__)
PAUSE_SECONDS = 0.5
PAUSE_SECONDS_MAX = 30.0
FAILED_TOLD_MAX = 20
READS_AT_ONCE = 64


class Recovery:
    """Opens instruments for `LiveInstruments`, and keeps all of them open: see `start`."""

    def __init__(
        self,
        store: Store,
        calendars: Calendars,
        loader: Loader,
        pipeline: Pipeline,
        announcer: Announcer,
        ownership: Ownership,
        lookback: int,
    ) -> None:
        self._store = store
        self._calendars = calendars
        self._loader = loader
        self._pipeline = pipeline
        self._announcer = announcer
        self._ownership = ownership
        self._lookback = lookback
        self._recovered = False
        self._instruments: LiveInstruments | None = None
        self._refused: set[str] = set()
        self._task: asyncio.Task[None] | None = None

    async def start(self, instruments: LiveInstruments) -> None:
        """Replay what orders have not seen. What cannot be replayed now is tried again in the background, and nothing
        keeps the service from starting; see `readiness`."""
        self._instruments = instruments
        with contextlib.suppress(Exception):  # the task meets it again, and tells
            await self._recover(instruments)
        self._task = asyncio.create_task(self._recover_after_failures(instruments), name="recovery")

    async def stop(self) -> None:
        await end(self._task)

    @property
    def stopped(self) -> bool:
        """Whether nobody opens instruments again after a failure: the task that does has ended."""
        return self._task is not None and self._task.done()

    async def readiness(self) -> Readiness:
        """Whether every instrument has been opened, or tried, and the store keeps what it acknowledges. One instrument
        that fails is told and keeps nobody from being served."""
        reasons = [] if self._recovered else ["recovering"]
        try:
            reasons += await self._store.weaknesses()
        except Unavailable as error:
            reasons.append(error.code)
        failed = self._instruments.failures.symbols[:FAILED_TOLD_MAX] if self._instruments else []
        return Readiness(ready=not reasons, reasons=tuple(reasons), instruments_failed=tuple(failed))

    async def open_instrument(self, symbol: str) -> LiveInstrument:
        """The instrument as its newest bar has left it, every order moved by every bar where this process owns it.
        Raises NotFound("unknown_instrument")."""
        live = await self._opened(symbol)
        while live.owned != self._ownership.owns(symbol):  # another process, or this one, has got it meanwhile
            live = await self._opened(symbol)
        return live

    async def _opened(self, symbol: str) -> LiveInstrument:
        instrument = await registered(self._store, symbol)
        calendar = await asyncio.to_thread(self._calendars, instrument.calendar)
        live = LiveInstrument(instrument, calendar, self._lookback)
        holding = await self._ownership.claim(symbol)
        live.owned, live.fence = holding.owned, holding.fence
        try:
            await (self._replay(live) if live.owned else self._follow(live))
        except InvalidInput as error:  # no fault of whoever asks for the instrument
            raise RuntimeError(f"orders of {symbol} cannot be moved: {error}") from error
        return live

    async def catch_up(self, lives: Sequence[LiveInstrument]) -> None:
        """Take the bars that other processes have appended, and move the orders of instruments that are owned. Orders
        are read after the bars: what is created later stands on the newest of these."""
        told = {live: live.unread.take(live.newest) for live in lives}
        untold = [live for live in lives if told[live] is None]
        read = dict(zip(untold, await together(map(self._unread, untold), READS_AT_ONCE), strict=True))
        bars = {live: read[live] if each is None else each for live, each in told.items()}
        for live in lives:
            for bar in [] if live.owned else bars[live]:
                live.push(bar)
        owned = [live for live in lives if live.owned and bars[live]]
        orders = await together(map(self._loader.awaiting, owned), READS_AT_ONCE)
        batch = [InstrumentOrders(live=live, orders=held) for live, held in zip(owned, orders, strict=True)]
        await self._pipeline.over_bars(batch, [bars[live] for live in owned])

    async def _unread(self, live: LiveInstrument) -> list[Bar]:
        since = live.newest.open_time + A_SECOND if live.newest is not None else OPEN_TIME_MIN
        found: list[Bar] = []
        async for page in self._loader.bars_since(live.symbol, since):
            found += page
            if len(page) < PAGE_BARS:  # mostly one bar; to ask whether there are more would double its cost
                break
        return found

    async def _follow(self, live: LiveInstrument) -> None:
        """Another process moves the orders. Histories are read when somebody asks for them."""
        for bar in await self._store.bars_before(live.symbol, None, 1):
            live.push(bar)

    async def _replay(self, live: LiveInstrument) -> None:
        """The last bar that every order has seen is taken once more: its slices may be missing."""
        orders = await self._loader.orders(live)
        self._announcer.wake(orders)  # another process may have given slices that somebody waits for here
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
        """Open every instrument that this process owns and that is not open, each whatever becomes of the others.
        Raises Unavailable while the store is away."""
        instruments.on_failure.clear()
        symbols = [each.symbol for each in await self._store.instruments() if self._ownership.owns(each.symbol)]
        for symbol in symbols:
            try:
                await instruments.get(symbol)
            except (InvalidInput, NotFound) as error:  # its calendar is not known here; the others must not wait
                self._tell_refused(symbol, error)
            except Unavailable as error:
                if error.code == STORE_AWAY:
                    raise
        self._recovered = True

    def _tell_refused(self, symbol: str, error: LemError) -> None:
        """Once for each instrument."""
        if symbol not in self._refused:
            self._refused.add(symbol)
            LOG.error("%s cannot be opened: %s", symbol, error)

    async def _recover_after_failures(self, instruments: LiveInstruments) -> None:
        """A failure in the middle of a bar leaves orders without slices until their instrument is opened anew."""
        failures = 0
        while True:
            if self._recovered:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(instruments.failures.pause_seconds):
                        await instruments.on_failure.wait()
            try:
                await self._recover(instruments)
                failures = 0
            except Unavailable:  # the store tells of its outage itself
                self._recovered = False
                await asyncio.sleep(PAUSE_SECONDS)
            except Exception:  # whatever it was, orders must not be left behind for good
                self._recovered = False
                failures += 1
                if failures == 1:
                    LOG.exception("recovery failed and is tried again")
                await asyncio.sleep(min(PAUSE_SECONDS * failures, PAUSE_SECONDS_MAX))


def _unseen_from(state: OrderState) -> datetime:
    """Every bar that opens before this has done to the order what it will, but perhaps the last of them."""
    piece = state.oldest_open
    return piece.window.start if piece is not None else state.next_open
