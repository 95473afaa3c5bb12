"""Stages "read the market" and "decide": off the event loop, for a bounded time.

What the thread is given and what it gives back are values. What a chain has read of a market is kept for all orders on
that market, until the next bar.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

from app.decision.chain import BarWindow, ChainReading, PolicyChain
from app.decision.decide import Decision, decide, nothing_proposed
from app.decision.foresight import Foresight, foresee
from app.decision.quotes.asked import QuotedOrder
from app.decision.quotes.quoting import quote
from app.decision.rows import rows_of
from app.domain.projection import Projection
from app.domain.quote import Quote
from app.domain.slice import Decided, Window
from app.domain.state import OrderState, room
from app.engine.bounded_thread import BoundedThread
from app.engine.instruments.live import LiveInstrument
from app.engine.ports import Clock, Metrics
from app.engine.stages.batch import WantedSlice, WantedSlices

DECIDE_SECONDS_MAX = 2.0
QUOTE_SECONDS_MAX = 5.0
"""Of a quote, the time included in which it waits for those before it."""
POLICY_SLOW, WINDOW_MISSED = "policy_slow", "window_missed"


@dataclass(frozen=True, slots=True, kw_only=True)
class DecidedSlice:
    """What one order is to trade in `window`, and how that came about."""

    state: OrderState
    window: Window
    projection: Projection
    decided: Decided
    last_price: Decimal
    expected_volume: Decimal | None


@dataclass(frozen=True, slots=True)
class _DecisionAndVolume:
    """A decision, and the volume (base units) that the market is expected to trade in its window."""

    decision: Decision
    expected_volume: Decimal | None


class Decider:
    """Asks the chain. Where its model hangs, orders get slices from the fallbacks until the model returns."""

    def __init__(
        self, chain: PolicyChain, clock: Clock, metrics: Metrics, seconds_max: float = DECIDE_SECONDS_MAX
    ) -> None:
        self._chain = chain
        self._clock = clock
        self._metrics = metrics
        self._thread = BoundedThread(seconds_max)
        self._foresight_thread = BoundedThread(seconds_max)  # nobody's slice waits for somebody's schedule
        self._quote_thread = BoundedThread(QUOTE_SECONDS_MAX)  # nor a schedule for quotes
        self._readings: dict[tuple[str, int], tuple[BarWindow, ChainReading]] = {}

    @property
    def hanging_seconds(self) -> float:
        """How long a call of the chain hangs already; 0 where none does."""
        return self._thread.hanging_seconds

    def close(self) -> None:
        self._thread.close()
        self._foresight_thread.close()
        self._quote_thread.close()

    async def decide(self, groups: Sequence[WantedSlices]) -> list[DecidedSlice]:
        """A slice for every order that wants one. Never raises for what a policy does."""
        return [decided for group in groups for decided in await self._decide(group)]

    async def foresee(self, live: LiveInstrument, step_seconds: int, state: OrderState) -> Foresight | None:
        """What may come of the order as of the newest bar; None where the policies take too long for it."""
        window = live.bar_window(step_seconds)
        known = self._known(live.symbol, step_seconds, window)
        opens = live.window_from(state.next_open, step_seconds).start
        unseen = live.windows_unseen(opens, step_seconds)
        try:
            return await self._foresight_thread.run(_foreseen, self._chain, window, known, state, unseen)
        except TimeoutError:
            return None

    async def quote(self, live: LiveInstrument, asked: QuotedOrder) -> Quote:
        """What the order may earn and cost, as of the newest bar. Raises TimeoutError where the policies, or the quotes
        before it, take too long."""
        window = live.bar_window(asked.step_seconds)
        known = self._known(live.symbol, asked.step_seconds, window)
        return await self._quote_thread.run(_quoted, self._chain, window, known, asked)

    async def _decide(self, group: WantedSlices) -> list[DecidedSlice]:
        now = self._clock.now(group.live.last.close_time)
        window = group.live.bar_window(group.step_seconds)
        started = time.perf_counter()
        answered = [
            answer if each.window.end > now else _missed(each.state, answer)
            for each, answer in zip(group.wanted, await self._asked(group, window, group.wanted), strict=True)
        ]
        self._count(group, [each.decision for each in answered], time.perf_counter() - started)
        return [
            DecidedSlice(
                state=each.state,
                window=each.window,
                projection=answer.decision.projection,
                decided=_how(answer.decision, window, now),
                last_price=window.last_price,
                expected_volume=answer.expected_volume,
            )
            for each, answer in zip(group.wanted, answered, strict=True)
        ]

    async def _asked(
        self, group: WantedSlices, window: BarWindow, orders: Sequence[WantedSlice]
    ) -> list[_DecisionAndVolume]:
        known = self._known(group.live.symbol, group.step_seconds, window)
        try:
            reading, decisions = await self._thread.run(_decided, self._chain, window, known, orders, group.late_reason)
        except TimeoutError:  # nothing is kept: the next orders on this window ask the model again
            without_model = known or self._chain.read_without_model(window, POLICY_SLOW)
            return _decided(self._chain, window, without_model, orders, POLICY_SLOW)[1]
        self._readings[group.live.symbol, group.step_seconds] = window, reading
        return decisions

    def _known(self, symbol: str, step_seconds: int, window: BarWindow) -> ChainReading | None:
        """What the chain has read of this very window already."""
        kept = self._readings.get((symbol, step_seconds))
        return kept[1] if kept is not None and kept[0] is window else None

    def _count(self, group: WantedSlices, decisions: Sequence[Decision], seconds: float) -> None:
        for basis, count in Counter(decision.judgement.basis for decision in decisions).items():
            self._metrics.decided(basis, count, seconds)
        if group.late_reason:
            self._metrics.slice_late(len(decisions))


def _decided(
    chain: PolicyChain,
    window: BarWindow,
    known: ChainReading | None,
    orders: Sequence[WantedSlice],
    model_unavailable: str | None,
) -> tuple[ChainReading, list[_DecisionAndVolume]]:
    """What the chain reads of the window, and one batch of decisions on it."""
    reading = known or chain.read(window)
    asked = reading.without_model(model_unavailable) if model_unavailable else reading
    unseen = [each.windows_unseen for each in orders]
    volume = {windows: asked.expected_volume(windows) for windows in set(unseen)}
    rooms = [room(each.state, window.last_price, volume[each.windows_unseen]) for each in orders]
    rows = rows_of([each.state for each in orders], unseen, window.last_price, chain.risk_aversion)
    answers = zip(decide(asked, rows, rooms), unseen, strict=True)
    return reading, [_DecisionAndVolume(decision, volume[windows]) for decision, windows in answers]


def _foreseen(
    chain: PolicyChain, window: BarWindow, known: ChainReading | None, state: OrderState, windows_unseen: int
) -> Foresight:
    return foresee(known or chain.read(window), window, state, windows_unseen, chain.risk_aversion)


def _quoted(chain: PolicyChain, window: BarWindow, known: ChainReading | None, asked: QuotedOrder) -> Quote:
    return quote(known or chain.read(window), window, asked, chain.calibration)


def _missed(state: OrderState, answer: _DecisionAndVolume) -> _DecisionAndVolume:
    """Nobody can trade in a window that is over: the step counts, with nothing in it."""
    last = state.step + 1 == state.order.horizon.max_steps
    projection = Projection(lots=0, stopping=state.stopping, final=last, bound_by=None, stop_reason=None)
    return replace(answer, decision=Decision(judgement=nothing_proposed(WINDOW_MISSED), projection=projection))


def _how(decision: Decision, window: BarWindow, now: datetime) -> Decided:
    judgement = decision.judgement
    return Decided(
        model=judgement.policy,
        basis=judgement.basis,
        allocation=repr(judgement.allocation),
        stop_probability=repr(judgement.stop_probability),
        decided_on=window.newest.open_time,
        decided_at=now,
        fallback_reason=judgement.fallback_reason,
    )
