"""The live instruments of this process, each opened when it is first needed and again after every failure."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from weakref import WeakValueDictionary

from app.domain.errors import Conflict, InvalidInput, NotFound, TooEarly, Unavailable
from app.domain.state import OrderState
from app.engine.instruments.failures import OpeningFailures
from app.engine.instruments.live import LiveInstrument
from app.engine.instruments.order_windows import next_window
from app.engine.ports import STORE_AWAY

PASSING = (STORE_AWAY, "busy")
"""Refusals that say nothing of the instrument."""
CANNOT_OPEN = ("instrument_failed", "instrument_unreadable")
"""Refusals of an instrument that cannot be opened for the time being."""

Open = Callable[[str], Awaitable[LiveInstrument]]
"""Opens an instrument by its symbol. Raises NotFound("unknown_instrument")."""
CatchUp = Callable[[Sequence[LiveInstrument]], Awaitable[None]]
"""Takes the bars that other processes have appended."""


class LiveInstruments:
    """One lock per instrument keeps its bars in order. `on_failure` is set when an instrument had to be given up, or
    an order is known of one that is not open; `failures` are those that cannot be opened."""

    def __init__(self, open_instrument: Open, catch_up: CatchUp) -> None:
        self._open = open_instrument
        self._catch_up = catch_up
        self._live: dict[str, LiveInstrument] = {}
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()  # only while somebody holds them
        self._asked_for: set[str] = set()
        self.on_failure = asyncio.Event()
        self.failures = OpeningFailures()

    @property
    def opened(self) -> list[LiveInstrument]:
        """Those that are open."""
        return list(self._live.values())

    async def get(self, symbol: str) -> LiveInstrument:
        """The instrument as it is, perhaps in the middle of a bar. Raises NotFound("unknown_instrument")."""
        live = self._live.get(symbol)
        if live is not None and not live.unread:
            return live
        async with self.locked(symbol) as live:
            return live

    def open_now(self, symbol: str) -> LiveInstrument | None:
        """The instrument where it is open, whatever bars it lacks."""
        return self._live.get(symbol)

    async def ensure_open(self, symbol: str) -> None:
        """Raises as `get`, and takes no bars that others have appended since it was opened."""
        if symbol not in self._live:
            async with self._locked(symbol):
                pass

    @asynccontextmanager
    async def all_locked(self, symbols: Iterable[str]) -> AsyncIterator[dict[str, LiveInstrument]]:
        """Several instruments by symbol, as `locked`. Locks are always taken in the same order, so that no
        two requests wait for each other."""
        ordered = sorted(symbols)
        for symbol in ordered:
            await self.ensure_open(symbol)  # one that cannot be opened must not make those before it fail, too
        async with AsyncExitStack() as stack:
            live = {symbol: await stack.enter_async_context(self._locked(symbol)) for symbol in ordered}
            if behind := [each for each in live.values() if each.unread]:
                await self._catch_up(behind)
            yield live

    @asynccontextmanager
    async def locked(self, symbol: str) -> AsyncIterator[LiveInstrument]:
        """The instrument between two bars, with all bars that others are known to have appended. After any failure
        inside it is opened anew: what it holds cannot be trusted. Raises NotFound("unknown_instrument")."""
        async with self._locked(symbol) as live:
            if live.unread:
                await self._catch_up([live])
            yield live

    @asynccontextmanager
    async def _locked(self, symbol: str) -> AsyncIterator[LiveInstrument]:
        lock = self._locks.setdefault(symbol, asyncio.Lock())
        async with lock:
            live = self._live.get(symbol)
            if live is None:
                live = await self._opened(symbol)
            try:
                yield live
            except (Conflict, InvalidInput, NotFound, TooEarly):  # refused before anything was done
                raise
            except BaseException:
                self.forget(symbol)
                self.on_failure.set()
                raise

    def has(self, live: LiveInstrument) -> bool:
        """Whether this is the instrument as it is open now."""
        return self._live.get(live.symbol) is live

    def note_known(self, state: OrderState) -> None:
        """An order is recorded: somebody must look whether its next bar is late, whoever has recorded the order."""
        symbol = state.order.instrument
        live = self._live.get(symbol)
        if live is None:
            if symbol not in self._asked_for:
                self._asked_for.add(symbol)
                self.on_failure.set()
        elif live.newest is not None and state.status.live and (live.due is None or state.next_open < live.due):
            with contextlib.suppress(InvalidInput):  # the calendar ends: no window comes that could be late
                if (window := next_window(state, live)) is not None:
                    live.note_due(window.start)

    def try_again(self, symbol: str) -> None:
        """An instrument that cannot be opened may open now: its terms or an order of it have changed."""
        if self.failures.try_again(symbol):
            self.on_failure.set()

    def forget(self, symbol: str) -> None:
        self._live.pop(symbol, None)

    def drop(self, symbol: str) -> None:
        """The instrument is another one now, or none: what is known of it means nothing, nor that it could not be
        opened."""
        self.forget(symbol)
        self.failures.forget(symbol)

    async def _opened(self, symbol: str) -> LiveInstrument:
        self.failures.require_due(symbol)
        try:
            live = await self._open(symbol)
        except (NotFound, InvalidInput):  # opening it again would not help
            raise
        except Unavailable as error:
            self.on_failure.set()
            if error.code not in PASSING:
                self.failures.failed(symbol, error)
            raise
        except Exception as error:
            self.on_failure.set()
            raise self.failures.failed(symbol, error) from error
        except BaseException:
            self.on_failure.set()
            raise
        self.failures.opened(symbol)
        self._live[symbol] = live
        return live
