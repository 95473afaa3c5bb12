"""The use case of a feed: bars are checked as a whole, appended, and taken over every order of their instruments."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AsyncExitStack
from datetime import timedelta

from app.domain.bar import Bar
from app.domain.errors import InvalidInput, Unavailable
from app.engine.book import Book
from app.engine.ingest import Plan, has_long_gap, plan, to_bar, windows_wanted
from app.engine.library import Library
from app.engine.ports import Clock, Metrics, Store
from app.engine.results import FeedBar, Ingested

APPEND_BARS = 1_000
RECORDED_BARS = 1_000
RACES_MAX = 5
CLOCK_SKEW = timedelta(seconds=5)
"""How far a feed's clock may run ahead of ours: a bar that closes later than that has not closed."""


class _OutrunError(Exception):
    """Another process has appended bars of the instrument."""


class Post:
    def __init__(self, store: Store, library: Library, clock: Clock, metrics: Metrics) -> None:
        self._store = store
        self._library = library
        self._clock = clock
        self._metrics = metrics

    async def __call__(self, bars: Sequence[FeedBar]) -> Ingested:
        """See `Engine.post_bars`."""
        sent: dict[str, list[FeedBar]] = {}
        for bar in bars:
            sent.setdefault(bar.instrument, []).append(bar)
        for _ in range(RACES_MAX):
            try:
                return await self._post(sent)
            except _OutrunError:  # the books were given up; read them again
                continue
        raise Unavailable("busy", "other processes append bars of the same instruments")

    async def _post(self, sent: dict[str, list[FeedBar]]) -> Ingested:
        """Nothing is appended before all is planned; locks are taken in one order, so that none waits in a ring."""
        async with AsyncExitStack() as stack:
            books = {symbol: await stack.enter_async_context(self._library.locked(symbol)) for symbol in sorted(sent)}
            plans = {symbol: await self._planned(books[symbol], sent[symbol]) for symbol in sent}
            for symbol, planned in plans.items():
                await self._apply(books[symbol], planned)
        return Ingested(
            accepted=sum(len(planned.bars) - planned.synthetic for planned in plans.values()),
            duplicates=sum(planned.duplicates for planned in plans.values()),
            gaps_filled=sum(planned.synthetic for planned in plans.values()),
        )

    async def _planned(self, book: Book, sent: Sequence[FeedBar]) -> Plan:
        bars = [to_bar(each, book) for each in sent]
        for bar in bars:
            if bar.close_time > self._clock.now(bar.close_time) + CLOCK_SKEW:
                raise InvalidInput(
                    "bar_not_closed", f"the bar closes at {bar.close_time.isoformat()}, which is yet to come"
                )
        wanted = 0
        if has_long_gap(book, bars):
            wanted = windows_wanted(book, await self._library.awaiting(book))
        return plan(book, bars, await self._recorded(book, bars), wanted)

    async def _recorded(self, book: Book, bars: Sequence[Bar]) -> list[Bar]:
        """What is recorded of the windows that `bars` may repeat."""
        repeated = [bar.open_time for bar in bars if book.newest is not None and bar.open_time <= book.newest.open_time]
        found: list[Bar] = []
        since = min(repeated, default=None)
        while since is not None and since <= max(repeated):
            page = await self._store.bars_since(book.instrument.symbol, since, RECORDED_BARS)
            if not page:
                break
            found += page
            since = page[-1].open_time + timedelta(seconds=1)
        return found

    async def _apply(self, book: Book, planned: Plan) -> None:
        """Orders are read after each append: one that is created meanwhile stands on the newest of these bars."""
        symbol = book.instrument.symbol
        for place in range(0, len(planned.bars), APPEND_BARS):
            chunk = planned.bars[place : place + APPEND_BARS]
            if not await self._store.append_bars(symbol, chunk, book.newest.open_time if book.newest else None):
                raise _OutrunError
            try:
                await self._library.replay(book, await self._library.awaiting(book), chunk)
            except (
                InvalidInput
            ) as error:  # no fault of the request: its bars are recorded, and the book must be read again
                raise RuntimeError(f"orders of {symbol} cannot be moved: {error}") from error
        if planned.bars:
            self._metrics.bar_ingested(symbol, len(planned.bars) - planned.synthetic)
        if planned.synthetic:
            self._metrics.gap_filled(symbol, planned.synthetic)
