"""Books by instrument, read from the store when first needed and after every failure.

Opening a book replays, in order, the bars that the instrument's orders have not seen, with the history as it was before
each of them: a crash between a bar and its slices leaves no other slices than there would have been.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from weakref import WeakValueDictionary

from app.domain.bar import Bar
from app.domain.errors import Conflict, InvalidInput, NotFound
from app.domain.state import OrderState
from app.engine.advance import Advance
from app.engine.book import Book
from app.engine.ports import Calendars, Store
from app.engine.steps import step_seconds_of

REPLAY_BARS = 1_000


class Library:
    """One lock per instrument keeps its bars in order. `on_failure` is set when a book had to be given up."""

    def __init__(self, store: Store, calendars: Calendars, advance: Advance, lookback: int) -> None:
        self._store = store
        self._calendars = calendars
        self._advance = advance
        self._lookback = lookback
        self._books: dict[str, Book] = {}
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()  # only while somebody holds them
        self.on_failure = asyncio.Event()

    @property
    def books(self) -> list[Book]:
        """Those that are open."""
        return list(self._books.values())

    async def book(self, symbol: str) -> Book:
        """The book as it is, perhaps in the middle of a bar. Raises NotFound("unknown_instrument")."""
        if symbol in self._books:
            return self._books[symbol]
        async with self.locked(symbol) as book:
            return book

    @asynccontextmanager
    async def locked(self, symbol: str) -> AsyncIterator[Book]:
        """The book, between two bars. After any failure inside it is read again: what it holds cannot be trusted.
        Raises NotFound("unknown_instrument")."""
        lock = self._locks.setdefault(symbol, asyncio.Lock())
        async with lock:
            book = self._books.get(symbol)
            if book is None:
                book = await self._opened(symbol)
            try:
                yield book
            except (Conflict, InvalidInput, NotFound):  # refused before anything was done
                raise
            except BaseException:
                self.forget(symbol)
                self.on_failure.set()
                raise

    async def wait_for_newer(self, symbol: str) -> None:
        """The store has a bar that the book has not: wait until it has passed through, or, where another process has
        appended it, give the book up so that it is read again."""
        before = self._books.get(symbol)
        newest = before.newest if before else None
        async with self.locked(symbol) as book:
            if book is before and book.newest is newest:
                self.forget(symbol)

    def forget(self, symbol: str) -> None:
        self._books.pop(symbol, None)

    async def ensure_series(self, book: Book, step_seconds: int) -> None:
        """Read the history of a step length that nobody has asked for yet."""
        while book.series(step_seconds) is None and book.newest is not None:
            upto = book.newest
            parts = step_seconds // book.instrument.bar_seconds
            count = self._lookback * parts + parts
            bars = await self._history(book.instrument.symbol, upto.open_time + timedelta(seconds=1), count)
            if book.newest is upto:  # else a bar has come in the meantime
                book.add_series(step_seconds, bars)

    async def awaiting(self, book: Book) -> list[OrderState]:
        """The orders that await bars, with the history that they need at hand."""
        orders = await self._store.awaiting(book.instrument.symbol)
        for step_seconds in {step_seconds_of(working, book.instrument) for working in orders}:
            await self.ensure_series(book, step_seconds)
        return orders

    async def replay(self, book: Book, orders: list[OrderState], bars: Sequence[Bar]) -> list[OrderState]:
        """Take recorded bars one after the other; returns the orders that still await bars."""
        for bar in bars:
            book.push(bar)
            if orders:
                orders = await self._advance.over_bar(book, orders)
        return orders

    async def _history(self, symbol: str, before: datetime, count: int) -> list[Bar]:
        """In pages: a long history must not keep everybody else waiting."""
        bars: list[Bar] = []
        while page := await self._store.bars_before(symbol, before, min(REPLAY_BARS, count - len(bars))):
            bars, before = page + bars, page[0].open_time
            if len(bars) >= count:
                break
        return bars

    async def _opened(self, symbol: str) -> Book:
        instrument = await self._store.instrument(symbol)
        if instrument is None:
            raise NotFound("unknown_instrument", f"no instrument is named {symbol!r}")
        book = Book(instrument, self._calendars(instrument.calendar), self._lookback)
        try:
            await self._catch_up(book)
        except BaseException:
            self.on_failure.set()
            raise
        self._books[symbol] = book
        return book

    async def _catch_up(self, book: Book) -> None:
        """The last bar that every order has seen is taken once more: its slices may be missing."""
        symbol = book.instrument.symbol
        orders = await self._store.awaiting(symbol)
        unseen = min((_unseen_from(working) for working in orders), default=None)
        seen = await self._store.bars_before(symbol, unseen, 1)
        if not seen:
            return
        book.push(seen[-1])
        for step_seconds in {step_seconds_of(working, book.instrument) for working in orders}:
            await self.ensure_series(book, step_seconds)
        if orders:
            orders = await self._advance.over_bar(book, orders)
        while unseen is not None and (bars := await self._store.bars_since(symbol, unseen, REPLAY_BARS)):
            orders = await self.replay(book, orders, bars)
            unseen = bars[-1].open_time + timedelta(seconds=1)


def _unseen_from(working: OrderState) -> datetime:
    """Every bar that opens before this has done to the order what it will, but perhaps the last of them."""
    piece = working.oldest_open
    return piece.window.start if piece is not None else working.next_open
