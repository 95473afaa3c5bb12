"""Puts bars from before the newest one into the history of an instrument on which no order stands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

from app.domain.bar import Bar
from app.domain.errors import Conflict
from app.engine.bar_request import BarRequest
from app.engine.instruments.live import DAY_SECONDS, LiveInstrument
from app.engine.instruments.loading import Loader
from app.engine.ports import Store
from app.engine.stages.append import Outrun
from app.engine.stages.check import OPEN_TIME_MIN, SentBar, filled, overlapping
from app.engine.tasks import Breather


@dataclass(frozen=True, slots=True)
class PutBefore:
    """`bars` were put into a history, and `gaps_filled` more of its windows filled than before."""

    bars: int
    gaps_filled: int

    def __add__(self, other: PutBefore) -> PutBefore:
        return PutBefore(self.bars + other.bars, self.gaps_filled + other.gaps_filled)


NOTHING_PUT = PutBefore(0, 0)


class OlderBars:
    def __init__(self, store: Store, loader: Loader) -> None:
        self._store = store
        self._loader = loader

    async def put(self, live: LiveInstrument, sent: Sequence[SentBar], request: BarRequest) -> PutBefore:
        """Merge the bars into the recorded ones and replace the whole history at once; synthetic bars give way and are
        made anew. The instrument must then be opened anew.

        Refuses Conflict("bar_out_of_order") for what is older than the bars that are kept. Raises Outrun, and changes
        nothing, where an order was created meanwhile or another process has changed the bars.
        """
        recorded = [bar async for page in self._loader.bars_since(live.symbol, OPEN_TIME_MIN) for bar in page]
        real = {bar.open_time: bar for bar in recorded if not bar.synthetic or bar is recorded[-1]}
        taken = [each for each in sent if _fits(each, real, live, request)]
        history = await self._filled(live, real | {each.bar.open_time: each.bar for each in taken})
        oldest = history[0].open_time
        for each in taken:
            if each.bar.open_time < oldest:
                detail = f"the bar is older than the {self._store.bars_kept} bars that are kept"
                request.refuse(each.index, Conflict("bar_out_of_order", detail))
        put = len({each.bar.open_time for each in taken if each.bar.open_time >= oldest})
        if not put:
            return NOTHING_PUT
        if not await self._store.replace_bars(live.symbol, history, len(recorded)):
            raise Outrun
        return PutBefore(put, max(0, _synthetic(history) - _synthetic(recorded)))

    async def _filled(self, live: LiveInstrument, real: Mapping[datetime, Bar]) -> list[Bar]:
        """The newest `bars_kept` bars, oldest first, with gaps filled."""
        newest_first = [real[at] for at in sorted(real, reverse=True)]
        found, breather = newest_first[:1], Breather()
        for later, earlier in pairwise(newest_first):
            if len(found) >= self._store.bars_kept:
                break
            filling = filled(live, earlier, later)
            found += [*reversed(filling), earlier]
            await breather.after(len(filling) + 1)
        return found[: self._store.bars_kept][::-1]


def _fits(sent: SentBar, real: Mapping[datetime, Bar], live: LiveInstrument, request: BarRequest) -> bool:
    """Whether the bar stands beside the recorded ones. Daily bars may be stamped at different times of their session's
    date, and a session has one bar."""
    if live.instrument.bar_seconds != DAY_SECONDS:
        return True
    bar = sent.bar
    others = (each for at, each in real.items() if at != bar.open_time)
    if any(each.open_time < bar.close_time and bar.open_time < each.close_time for each in others):
        request.refuse(sent.index, overlapping(bar))
        return False
    return True


def _synthetic(bars: Sequence[Bar]) -> int:
    return sum(bar.synthetic for bar in bars)
