"""The use case of a feed: bars are checked as a whole, appended, and move every order of their instruments."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from app.domain.bar import Bar
from app.domain.errors import InvalidInput, Unavailable
from app.engine.instruments.cache import LiveInstruments
from app.engine.instruments.live import LiveInstrument
from app.engine.instruments.loading import Loader
from app.engine.pipeline import Pipeline
from app.engine.ports import Clock, Metrics, Store
from app.engine.results import FeedBar, Ingested
from app.engine.stages.append import Outrun, append, rounds
from app.engine.stages.batch import InstrumentOrders
from app.engine.stages.check import NewBars, closed_bars, has_long_gap, new_bars, windows_wanted

RACES_MAX = 5


class BarIntake:
    def __init__(
        self,
        *,
        store: Store,
        instruments: LiveInstruments,
        loader: Loader,
        pipeline: Pipeline,
        clock: Clock,
        metrics: Metrics,
    ) -> None:
        self._store = store
        self._instruments = instruments
        self._loader = loader
        self._pipeline = pipeline
        self._clock = clock
        self._metrics = metrics

    async def post(self, bars: Sequence[FeedBar]) -> Ingested:
        """When it returns, the bars are durable and every slice that follows from them is decided and committed.

        A bad bar anywhere changes nothing at all. Raises NotFound("unknown_instrument"), InvalidInput (what `Bar`
        says, "misaligned_bar", "bar_too_old", "bar_not_closed"), Conflict("bar_conflict" | "bar_out_of_order").
        """
        sent: dict[str, list[FeedBar]] = {}
        for bar in bars:
            sent.setdefault(bar.instrument, []).append(bar)
        for _ in range(RACES_MAX):
            try:
                return await self._post(sent)
            except Outrun:  # the instruments were given up; open them again
                continue
        raise Unavailable("busy", "other processes append bars of the same instruments; repeat the request")

    async def _post(self, sent: Mapping[str, Sequence[FeedBar]]) -> Ingested:
        """Nothing is appended before all is checked."""
        async with self._instruments.all_locked(sent) as live:
            checked = {symbol: await self._checked(live[symbol], bars) for symbol, bars in sent.items()}
            for bars in rounds({symbol: new.bars for symbol, new in checked.items()}):
                await append(self._store, self._metrics, live, bars)
                await self._move_orders([live[symbol] for symbol in bars], list(bars.values()))
        return Ingested(
            accepted=sum(len(new.bars) - new.synthetic for new in checked.values()),
            duplicates=sum(new.duplicates for new in checked.values()),
            gaps_filled=sum(new.synthetic for new in checked.values()),
        )

    async def _checked(self, live: LiveInstrument, sent: Sequence[FeedBar]) -> NewBars:
        bars = closed_bars(sent, live, self._clock)
        wanted = windows_wanted(live, await self._loader.awaiting(live)) if has_long_gap(live, bars) else 0
        return new_bars(live, bars, await self._recorded(live, bars), wanted)

    async def _recorded(self, live: LiveInstrument, bars: Sequence[Bar]) -> list[Bar]:
        """What is recorded of the windows that `bars` may repeat."""
        repeated = [bar.open_time for bar in bars if live.newest is not None and bar.open_time <= live.newest.open_time]
        found: list[Bar] = []
        if not repeated:
            return found
        async for page in self._loader.bars_since(live.symbol, min(repeated)):
            found += page
            if page[-1].open_time >= max(repeated):
                break
        return found

    async def _move_orders(self, live: Sequence[LiveInstrument], bars: Sequence[Sequence[Bar]]) -> None:
        """Orders are read after the append: an order that is created later stands on the newest of these bars."""
        try:
            batch = [InstrumentOrders(live=each, orders=await self._loader.awaiting(each)) for each in live]
            await self._pipeline.over_bars(batch, bars)
        except InvalidInput as error:  # no fault of the request: its bars are recorded, and recovery must take them
            symbols = ", ".join(each.symbol for each in live)
            raise RuntimeError(f"orders of {symbols} cannot be moved: {error}") from error
