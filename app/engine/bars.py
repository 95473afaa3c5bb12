"""The use case of a feed: bars are checked as a whole, appended, and move every order of their instruments."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta

from app.domain.bar import Bar
from app.domain.errors import Conflict, InvalidInput, LemError, NotFound, Unavailable
from app.engine.bar_request import BarRequest, index_of
from app.engine.feed_lines import FeedLines
from app.engine.feed_quality import BarCount, FeedQuality
from app.engine.instruments.cache import CANNOT_OPEN, LiveInstruments
from app.engine.instruments.live import LiveInstrument
from app.engine.instruments.loading import Loader
from app.engine.lateness import FeedLateness
from app.engine.older_bars import NOTHING_PUT, OlderBars, PutBefore
from app.engine.ownership.lease import NotOwner, Ownership
from app.engine.pipeline import Pipeline
from app.engine.ports import Clock, Metrics, Store
from app.engine.results import FeedBar, Ingested
from app.engine.spans import Spans
from app.engine.stages.append import Outrun, append, rounds
from app.engine.stages.batch import InstrumentOrders
from app.engine.stages.check import NewBars, closed_bars, new_bars
from app.engine.stages.filling import has_long_gap, windows_wanted
from app.engine.tasks import together

LOG = logging.getLogger(__name__)

RACES_MAX = 5
READS_AT_ONCE = 64
"""Instruments of a request whose orders are read at the same time."""

Sent = Mapping[str, Sequence[tuple[int, FeedBar]]]
"""The bars of a request by instrument, each with its index."""


class BarIntake:
    """`gap_max` is how far a bar may be ahead of the one before it."""

    def __init__(
        self,
        *,
        store: Store,
        instruments: LiveInstruments,
        loader: Loader,
        pipeline: Pipeline,
        clock: Clock,
        metrics: Metrics,
        lateness: FeedLateness,
        ownership: Ownership,
        quality: FeedQuality,
        gap_max: timedelta,
        spans: Spans,
    ) -> None:
        self._store = store
        self._instruments = instruments
        self._loader = loader
        self._pipeline = pipeline
        self._clock = clock
        self._metrics = metrics
        self._lateness = lateness
        self._ownership = ownership
        self._quality = quality
        self._gap_max = gap_max
        self._spans = spans
        self._older = OlderBars(store, loader)
        self._lines = FeedLines()

    async def post(self, bars: Sequence[FeedBar], *, partial: bool = False) -> Ingested:
        """When it returns, the bars are durable and every slice that follows from them is decided and committed, unless
        the answer says that another process, which is to decide, has not done so in time.

        A bar that is recorded with other values is recorded beside the first one and changes nothing decided. A bar
        from before the newest one is put into the history where no order stands on the instrument.

        A bad bar anywhere changes nothing at all, unless the sender takes parts (`partial`): bad bars are then left
        out and told. Raises, with a pointer to the bar, NotFound("unknown_instrument"), InvalidInput (what `Bar` says,
        "misaligned_bar", "bar_too_old", "bar_too_far_ahead", "too_many_gaps"), Conflict("bar_out_of_order"),
        TooEarly("bar_not_closed"); and TooFast("feed_too_fast") where earlier bars of an instrument wait already.
        """
        with self._lines.joined(bar.instrument for bar in bars):
            try:
                ingested = await self._posted(bars, partial=partial)
            except LemError as error:
                self._note_refused(bars, index_of(error), error.code)
                raise
        for each in ingested.rejected:
            self._note_refused(bars, each.index, each.code)
        return ingested

    def _note_refused(self, bars: Sequence[FeedBar], index: int | None, code: str) -> None:
        """Bars of instruments that nobody knows are nobody's, and a name that a client invents is no label."""
        if index is not None and self._instruments.open_now(bars[index].instrument) is not None:
            self._quality.refused(bars[index].instrument, code)

    async def _posted(self, bars: Sequence[FeedBar], *, partial: bool) -> Ingested:
        put: dict[str, PutBefore] = {}
        for race in range(RACES_MAX):
            request = BarRequest(partial)
            async with self._instruments.all_locked(sent := await self._known(bars, request)) as live:
                try:
                    checked = {symbol: await self._checked(live[symbol], sent[symbol], request) for symbol in sent}
                    put_now = await self._put_older(live, checked, request)
                    if not put_now:
                        ingested = await self._taken(live, checked, request, put)
                        break
                    for symbol, each in put_now.items():  # what is left of the request follows on the new history
                        put[symbol] = put.get(symbol, NOTHING_PUT) + each
                except Outrun:
                    self._outrun(live.values(), race)
        else:
            raise Unavailable("busy", "other processes append bars of the same instruments; repeat the request")
        return replace(ingested, decided=await self._decided(live.values(), checked))

    def _outrun(self, lives: Iterable[LiveInstrument], race: int) -> None:
        """Another process was first. Its bars are read; where it was not by bars, the instruments are opened anew."""
        for live in lives:
            live.unread.doubt()
            if race:
                self._instruments.forget(live.symbol)

    async def _decided(self, lives: Iterable[LiveInstrument], checked: Mapping[str, NewBars]) -> bool:
        """Where other processes own instruments, wait for them."""
        newest = {live.symbol: live.last.open_time for live in lives if not live.owned and live.newest is not None}
        appended = frozenset(symbol for symbol, new in checked.items() if new.bars)
        return not newest or await self._ownership.decided(newest, appended)

    async def _known(self, bars: Sequence[FeedBar], request: BarRequest) -> Sent:
        """The bars by instrument. Bars of instruments that are unknown or cannot be opened are refused."""
        sent: dict[str, list[tuple[int, FeedBar]]] = {}
        for index, bar in enumerate(bars):
            sent.setdefault(bar.instrument, []).append((index, bar))
        for symbol, entries in list(sent.items()):
            try:
                await self._instruments.get(symbol)
            except (NotFound, InvalidInput, Unavailable) as error:
                if isinstance(error, Unavailable) and error.code not in CANNOT_OPEN:
                    raise
                for index, _ in sent.pop(symbol, entries):
                    request.refuse(index, error)
        return sent

    async def _checked(self, live: LiveInstrument, sent: Sequence[tuple[int, FeedBar]], request: BarRequest) -> NewBars:
        bars = await closed_bars(sent, live, self._clock, request)
        wanted = windows_wanted(live, await self._loader.awaiting(live)) if has_long_gap(live, bars) else 0
        recorded = await self._loader.recorded(live, [each.bar.open_time for each in bars])
        return await new_bars(live, bars, recorded, wanted, self._gap_max, request)

    async def _put_older(
        self, live: Mapping[str, LiveInstrument], checked: Mapping[str, NewBars], request: BarRequest
    ) -> dict[str, PutBefore]:
        """Bars from before the newest one become part of the history where no order stands on it. Elsewhere they are
        refused, but for the true bar of a filled gap, which is a revision of the synthetic one."""
        put: dict[str, PutBefore] = {}
        for symbol, new in checked.items():
            if not (new.older or new.filled_before):
                continue
            self._quality.count(symbol, BarCount.OUT_OF_ORDER, len(new.older) + len(new.filled_before))
            if await self._store.awaited(symbol):
                new.revised += [each.bar for each in new.filled_before]
                for each in new.older:
                    request.refuse(each.index, _stood_on(each.bar, symbol))
                continue
            put_now = await self._older.put(live[symbol], new.older + new.filled_before, request)
            if put_now.bars:
                self._instruments.forget(symbol)
                await self._ownership.reopen(symbol)
                self._metrics.bar_ingested(symbol, put_now.bars)
                put[symbol] = put_now
        return put

    async def _taken(
        self,
        live: Mapping[str, LiveInstrument],
        checked: Mapping[str, NewBars],
        request: BarRequest,
        put: Mapping[str, PutBefore],
    ) -> Ingested:
        """Nothing is appended before all is checked."""
        late = {symbol: self._late_seconds(live[symbol], new) for symbol, new in checked.items()}
        for bars in rounds({symbol: new.bars for symbol, new in checked.items()}):
            with self._spans.part("append", bars=sum(map(len, bars.values()))):
                await append(self._store, self._metrics, live, bars)
            await self._move_orders([live[symbol] for symbol in bars if live[symbol].owned], bars)
            for symbol in bars:
                self._take_unmoved(live[symbol], bars[symbol])
        came = (self._came(live[symbol], seconds) for symbol, seconds in late.items() if seconds is not None)
        await together(came, READS_AT_ONCE)
        revised = {symbol: await self._revised(symbol, new.revised) for symbol, new in checked.items() if new.revised}
        counts = Counter[BarCount]()
        for symbol, new in checked.items():
            counts.update(self._quality.took(symbol, new, revised.get(symbol, 0), put.get(symbol, NOTHING_PUT)))
        return Ingested(
            accepted=counts[BarCount.ACCEPTED],
            duplicates=counts[BarCount.DUPLICATES],
            gaps_filled=counts[BarCount.GAPS_FILLED],
            revised=counts[BarCount.REVISED],
            rejected=tuple(sorted(request.rejected, key=lambda each: each.index)),
        )

    def _late_seconds(self, live: LiveInstrument, new: NewBars) -> float | None:
        """How late a live bar comes; None for what is no live bar: the first one, or several at once."""
        if live.newest is None or new.real != 1:
            return None
        closed = new.bars[-1].close_time
        return (self._clock.now(closed) - closed).total_seconds()

    async def _came(self, live: LiveInstrument, late_seconds: float) -> None:
        if self._lateness.came(live.instrument, late_seconds):
            self._quality.count(live.symbol, BarCount.LATE)
        news = self._lateness.news(live.instrument)
        if news is not None:
            await self._store.record_lateness(live.symbol, news)

    async def _revised(self, symbol: str, bars: Sequence[Bar]) -> int:
        """Record what came again with other values; returns how many of these revisions are new."""
        count = await self._store.record_revisions(symbol, bars)
        if count:
            self._metrics.bar_revised(symbol, count)
            newest = max(bar.open_time for bar in bars).isoformat()
            LOG.info("%d bars of %s are revised, the newest that of %s; nothing decided changes", count, symbol, newest)
        return count

    def _take_unmoved(self, live: LiveInstrument, bars: Sequence[Bar]) -> None:
        """Another process moves the orders over these bars."""
        for bar in bars:
            if not live.owned and (live.newest is None or live.newest.open_time < bar.open_time):
                live.push(bar)

    async def _move_orders(self, live: Sequence[LiveInstrument], bars: Mapping[str, Sequence[Bar]]) -> None:
        """Orders are read after the append: an order that is created later stands on the newest of these bars."""
        try:
            orders = await together(map(self._loader.awaiting, live), READS_AT_ONCE)
            batch = [InstrumentOrders(live=each, orders=held) for each, held in zip(live, orders, strict=True)]
            await self._pipeline.over_bars(batch, [bars[each.symbol] for each in live])
        except NotOwner:  # the bars are recorded, and their new owners decide
            for each in live:
                each.owned = False
        except InvalidInput as error:  # no fault of the request: its bars are recorded, and recovery must take them
            symbols = ", ".join(each.symbol for each in live)
            raise RuntimeError(f"orders of {symbols} cannot be moved: {error}") from error


def _stood_on(bar: Bar, symbol: str) -> Conflict:
    return Conflict(
        "bar_out_of_order",
        f"the bar of {symbol} at {bar.open_time.isoformat()} comes after newer ones, on which orders stand; "
        "send it when they have ended",
    )
