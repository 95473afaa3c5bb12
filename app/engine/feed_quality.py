"""What came of each instrument's bars, counted for whoever judges a feed.

The counters of all processes add up in the store. Each process adds its own now and then, and when it ends: a bar costs
no write more for being counted, and a process that is killed takes the counts of the last minute with it.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from app.domain.errors import Unavailable
from app.engine.older_bars import PutBefore
from app.engine.ports import Metrics, Store
from app.engine.stages.check import NewBars
from app.engine.tasks import end

LOG = logging.getLogger(__name__)
SAVE_SECONDS = 60.0
SAVED_AT_ONCE = 100
"""Instruments, in one round trip."""
REFUSED = "refused:"


class BarCount(StrEnum):
    """What is counted of an instrument's bars, besides those that were refused."""

    ACCEPTED = "accepted"
    DUPLICATES = "duplicates"
    REVISED = "revised"
    OLDER = "older"
    GAPS_FILLED = "gaps_filled"
    LATE = "late"
    OUT_OF_ORDER = "out_of_order"
    IMPLAUSIBLE_MOVES = "implausible_moves"


@dataclass(frozen=True, slots=True)
class Quality:
    """The counters of one instrument; `refused` by the code of the refusal."""

    counts: Mapping[BarCount, int]
    refused: Mapping[str, int]


class FeedQuality:
    """The counters of this process that are not saved yet, and all that are."""

    def __init__(self, store: Store, metrics: Metrics) -> None:
        self._store = store
        self._metrics = metrics
        self._unsaved: defaultdict[str, Counter[str]] = defaultdict(Counter)
        self._task: asyncio.Task[None] | None = None

    def count(self, symbol: str, what: BarCount, count: int = 1) -> None:
        if count:
            self._unsaved[symbol][what] += count
            self._metrics.bar_counted(symbol, what, count)

    def took(self, symbol: str, new: NewBars, revised: int, put: PutBefore) -> Mapping[BarCount, int]:
        """A request's bars of the instrument were taken; what came of them. Those that were `put` into its history
        came again as repeats, and of the repeats so many were `revised`."""
        counts = {
            BarCount.ACCEPTED: new.real + put.bars,
            BarCount.DUPLICATES: new.duplicates + len(new.revised) - revised - put.bars,
            BarCount.REVISED: revised,
            BarCount.OLDER: put.bars,
            BarCount.GAPS_FILLED: new.synthetic + put.gaps_filled,
            BarCount.IMPLAUSIBLE_MOVES: new.implausible,
        }
        for what, count in counts.items():
            self.count(symbol, what, count)
        return counts

    def refused(self, symbol: str, code: str) -> None:
        """A bar of a known instrument was refused."""
        self._unsaved[symbol][REFUSED + code] += 1
        self._metrics.bar_refused(symbol, code)

    async def of(self, symbol: str) -> Quality:
        """As far as other processes have saved theirs."""
        found = Counter(await self._store.quality(symbol))
        found.update(self._unsaved.get(symbol, {}))
        return Quality(
            counts={what: found[what] for what in BarCount},
            refused={name.removeprefix(REFUSED): n for name, n in sorted(found.items()) if name.startswith(REFUSED)},
        )

    def forget(self, symbol: str) -> None:
        """The instrument was deleted."""
        self._unsaved.pop(symbol, None)

    def start(self) -> None:
        self._task = asyncio.create_task(self._keep_saving(), name="feed quality")

    async def stop(self) -> None:
        await end(self._task)
        with contextlib.suppress(Unavailable):
            await self.save()

    async def save(self) -> None:
        """Add what is not saved to the store. Where the store is away, that is tried again; where its answer was lost,
        some is counted twice. Raises Unavailable."""
        for symbols in _pieces(list(self._unsaved)):
            saving = {symbol: self._unsaved.pop(symbol) for symbol in symbols}
            try:
                await self._store.add_quality(saving)
            except Unavailable:
                for symbol, counts in saving.items():
                    self._unsaved[symbol].update(counts)
                raise

    async def _keep_saving(self) -> None:
        while True:
            await asyncio.sleep(SAVE_SECONDS)
            try:
                await self.save()
            except Unavailable:  # told where it began
                pass
            except Exception:
                LOG.exception("the counters of feeds cannot be saved; trying again")


def _pieces(symbols: list[str]) -> list[list[str]]:
    return [symbols[first : first + SAVED_AT_ONCE] for first in range(0, len(symbols), SAVED_AT_ONCE)]
