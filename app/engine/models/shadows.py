"""The shadow: a bundle that decides silently. Once an order has ended and its longest horizon has passed, the shadow
and the order's own bundle decide the whole order again on the recorded bars.

None of it is on the way of a bar or of an order: it is done in the background, an order at a time, and gives way to
whoever moves orders. An order that ends while as many wait as may is left out, and counted.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from app.decision.chain import PolicyChain
from app.domain.bar import Bar
from app.domain.errors import LemError, Unavailable
from app.domain.slice import Slice
from app.domain.state import OrderState
from app.engine.instruments.cache import LiveInstruments
from app.engine.instruments.live import LiveInstrument
from app.engine.models.choice import Models
from app.engine.models.comparison import Contender, as_it_began, compare
from app.engine.models.ports import ModelRecords, ShadowedOrder
from app.engine.models.rerun import NewestClose, Rerun, decider_of, offline
from app.engine.ports import Store
from app.engine.right_of_way import RightOfWay
from app.engine.tasks import end, shared

LOG = logging.getLogger(__name__)
LOOK_SECONDS = 1.0
PENDING_MAX = 1_000
"""Orders that await their comparison. They are known to this process alone: those of one that ends are not compared."""
PAGE_BARS = 500


class ShadowMetrics(Protocol):
    def shadowed(self, *, compared: bool) -> None:
        """An order was compared with what the shadow would have done, or left out."""
        ...


@dataclass(frozen=True, slots=True)
class Pending:
    """An order that has ended, and when the last window closes that it might have had."""

    state: OrderState
    first: Slice
    due: datetime


class Shadows:
    """Compares the orders that this process sees end."""

    def __init__(
        self,
        store: Store,
        records: ModelRecords | None,
        models: Models,
        instruments: LiveInstruments,
        right_of_way: RightOfWay,
        metrics: ShadowMetrics,
    ) -> None:
        self._store = store
        self._records = records
        self._models = models
        self._instruments = instruments
        self._right_of_way = right_of_way
        self._metrics = metrics
        self._ended: deque[OrderState] = deque()
        self._pending: deque[Pending] = deque()
        self._task: asyncio.Task[None] | None = None
        self.look = shared(self._look)
        """Compare the orders for which bars have come; once at a time, whoever asks. Never raises: an order that cannot
        be compared is left out."""

    def ended(self, state: OrderState) -> None:
        """The order has ended. Costs nothing while there is no shadow, and no more than a place in line while there is.
        An order that replaced another or was replaced is left out: its terms changed on the way."""
        if self._models.shadow is None or not state.step:
            return
        if state.earlier or state.replaced_by or len(self._ended) + len(self._pending) >= PENDING_MAX:
            self._metrics.shadowed(compared=False)
        else:
            self._ended.append(state)

    async def of(self, asked: str) -> tuple[str, Sequence[ShadowedOrder]]:
        """The whole name of the bundle, and what it would have done with orders, newest first.
        Raises NotFound("unknown_model"), Unavailable."""
        entry = await self._models.entry(asked)
        return entry.name, await self._records.shadowed(entry.name) if self._records is not None else ()

    def start(self) -> None:
        self._task = asyncio.create_task(self._keep_looking(), name="shadows")

    async def stop(self) -> None:
        await end(self._task)

    async def _keep_looking(self) -> None:
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            await self.look()

    async def _look(self) -> None:
        if self._models.shadow is None:
            self._ended.clear()
            self._pending.clear()
            return
        for _ in range(len(self._ended)):
            await self._await_bars(self._ended.popleft())
        for _ in range(len(self._pending)):
            pending = self._pending.popleft()
            live = self._instruments.open_now(pending.state.order.instrument)
            if live is None or live.newest is None or live.newest.close_time < pending.due:
                self._pending.append(pending)
            else:
                await self._give_way()
                await self._try_to_compare(pending, live)

    async def _await_bars(self, state: OrderState) -> None:
        try:
            slices = await self._store.slices(state.order_id)
            live = await self._instruments.get(state.order.instrument)
            opens, step_seconds = slices[0].window.start, live.step_seconds_of(state.order)
            for _ in range(state.order.horizon.max_steps):
                opens = live.window_from(opens, step_seconds).end
        except (LemError, IndexError):  # the instrument is gone, the calendar ends, or the store is away
            self._metrics.shadowed(compared=False)
        else:
            self._pending.append(Pending(state, slices[0], opens))

    async def _try_to_compare(self, pending: Pending, live: LiveInstrument) -> None:
        compared = False
        try:
            compared = await self._compare(pending, live)
        except Unavailable:  # told where outages are told
            pass
        except Exception:  # whatever it was, it is one order's and nobody waits for it
            LOG.exception("order %s could not be compared with the shadow", pending.state.order_id)
        self._metrics.shadowed(compared=compared)

    async def _compare(self, pending: Pending, live: LiveInstrument) -> bool:
        state, shadow = pending.state, self._models.shadow
        await self._models.ensure([state.bundle])
        own = self._models.of(state.bundle)
        if own is None or shadow is None or self._records is None:
            return False
        if state.order.horizon.max_steps > shadow.max_steps:
            return False
        contenders = [await self._contender(chain, pending, live) for chain in (own, shadow)]
        following = await self._bars_from(pending, live)
        try:
            outcome = await compare(contenders[0], contenders[1], following)
        finally:
            for each in contenders:
                each.decider.close()
        if outcome is not None:
            await self._records.add_shadowed(outcome)
        return outcome is not None

    async def _contender(self, chain: PolicyChain, pending: Pending, live: LiveInstrument) -> Contender:
        step_seconds = live.step_seconds_of(pending.state.order)
        parts = live.calendar.bars_in(step_seconds, live.instrument.bar_seconds)
        before = await self._bars_before(live.symbol, pending.first.window.start, (chain.lookback + 1) * parts)
        own_view = await offline(live.instrument, live.calendar, chain.lookback, step_seconds, before)
        rerun = Rerun(own_view, as_it_began(pending.state, pending.first))
        return Contender(name=chain.name, decider=decider_of(chain, NewestClose()), rerun=rerun)

    async def _bars_before(self, symbol: str, before: datetime, count: int) -> list[Bar]:
        """The newest of them, oldest first."""
        bars: list[Bar] = []
        while page := await self._store.bars_before(symbol, before, min(PAGE_BARS, count - len(bars))):
            bars, before = page + bars, page[0].open_time
            if len(bars) >= count:
                break
        return bars

    async def _bars_from(self, pending: Pending, live: LiveInstrument) -> list[Bar]:
        """Those of all windows that the order might have had."""
        bars: list[Bar] = []
        since = pending.first.window.start
        while page := await self._store.bars_since(live.symbol, since, PAGE_BARS):
            bars += [bar for bar in page if not bars or bar.open_time > bars[-1].open_time]
            if bars[-1].close_time >= pending.due or len(page) < PAGE_BARS:
                break
            since = bars[-1].close_time
        return [bar for bar in bars if bar.open_time < pending.due]

    async def _give_way(self) -> None:
        if self._right_of_way.taken:
            free = asyncio.Event()
            self._right_of_way.when_free(free.set)
            await free.wait()
