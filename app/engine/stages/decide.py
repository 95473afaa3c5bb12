"""Stages "read the market" and "decide": off the event loop, for a bounded time.

Orders are decided by the bundle that they were accepted with: mostly one, and then in one batch. What a chain has read
of a market is kept for all orders on that market, until the next bar. Where it is read already, a
few orders of a model that is prompt are decided at once: a thread takes longer than they do.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextvars import copy_context
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Protocol

from app.decision.chain import BarWindow, ChainReading, PolicyChain
from app.decision.decide import Decision, nothing_proposed
from app.decision.foresight import Foresight, foresee
from app.decision.quotes.asked import QuotedOrder
from app.decision.quotes.quoting import quote
from app.domain.evolve import built_quickly
from app.domain.projection import Projection
from app.domain.quote import Quote
from app.domain.slice import Basis, Decided, Window
from app.domain.state import OrderState
from app.domain.steps_ahead import StepsAhead
from app.engine.bounded_thread import BoundedThread
from app.engine.instruments.avoided_windows import steps_ahead
from app.engine.instruments.live import LiveInstrument
from app.engine.models.choice import MODEL_MISSING, Models
from app.engine.ports import Clock
from app.engine.right_of_way import RightOfWay
from app.engine.spans import NO_SPANS, Spans
from app.engine.stages.batch import WantedSlices
from app.engine.stages.batch_decisions import DecisionAndVolume, Question, decide_orders, read_windows

DECIDE_SECONDS_MAX = 2.0
QUOTE_SECONDS_MAX = 5.0
"""Of a quote, the time included in which it waits for those before it."""
GROUPS_AT_ONCE = 64
"""Instruments and step lengths that one call of the thread decides: few enough for its time to be bounded."""
INLINE_ORDERS_MAX = 16
POLICY_SLOW, WINDOW_MISSED = "policy_slow", "window_missed"


@built_quickly
@dataclass(frozen=True, slots=True, kw_only=True)
class DecidedSlice:
    """What one order is to trade in `window`, and how that came about."""

    state: OrderState
    window: Window
    projection: Projection
    decided: Decided
    last_price: Decimal
    expected_volume: Decimal | None
    out_of_reach: Decimal | None = None


class DecisionMetrics(Protocol):
    """As `engine.ports.Metrics`, of which it is a part."""

    def decided(self, basis: Basis, count: int, seconds: float) -> None: ...

    def slice_late(self, count: int) -> None: ...


class Decider:
    """Asks the chain of each order. Where a model hangs, orders get slices from the fallbacks until it returns."""

    def __init__(
        self,
        models: Models,
        clock: Clock,
        metrics: DecisionMetrics,
        right_of_way: RightOfWay | None = None,
        seconds_max: float = DECIDE_SECONDS_MAX,
        spans: Spans = NO_SPANS,
    ) -> None:
        self._models = models
        self._right_of_way = right_of_way or RightOfWay()
        self._clock = clock
        self._metrics = metrics
        self._spans = spans
        self._thread = BoundedThread(seconds_max)
        self._foresight_thread = BoundedThread(seconds_max)  # nobody's slice waits for somebody's schedule
        self._quote_thread = BoundedThread(QUOTE_SECONDS_MAX)  # nor a schedule for quotes
        self._readings: dict[tuple[str, int], tuple[BarWindow, dict[str, ChainReading]]] = {}

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
        found: list[DecidedSlice] = []
        for first in range(0, len(groups), GROUPS_AT_ONCE):
            found += await self._decide(groups[first : first + GROUPS_AT_ONCE])
        return found

    async def foresee(self, live: LiveInstrument, step_seconds: int, state: OrderState) -> Foresight | None:
        """What may come of the order as of the newest bar; None where the policies take too long for it."""
        await self._models.ensure([state.bundle])
        window = live.bar_window(step_seconds)
        chain, _ = self._chain_of(state.bundle)
        known = self._known(live.symbol, step_seconds, window, chain)
        opens = live.window_from(state.next_open, step_seconds).start
        unseen, ahead = live.windows_unseen(opens, step_seconds), steps_ahead(state, live, opens)
        try:
            pause = self._right_of_way.pausing()
            return await self._foresight_thread.run(_foreseen, chain, window, known, state, unseen, ahead, pause)
        except TimeoutError:
            return None

    async def quote(self, live: LiveInstrument, asked: QuotedOrder) -> Quote:
        """What the order may earn and cost, as of the newest bar. Raises TimeoutError where the policies, or the quotes
        before it, take too long."""
        await self._models.ensure([asked.state.bundle])
        window = live.bar_window(asked.step_seconds)
        chain, _ = self._chain_of(asked.state.bundle)
        known = self._known(live.symbol, asked.step_seconds, window, chain)
        return await self._quote_thread.run(_quoted, chain, window, known, asked, self._right_of_way.pausing())

    async def read(self, live: LiveInstrument, step_seconds: int, bundle: str | None) -> ChainReading:
        """What the chain of that bundle makes of the newest bars. Where its model takes too long, it is left out."""
        await self._models.ensure([bundle])
        window = live.bar_window(step_seconds)
        chain, missing = self._chain_of(bundle)
        if missing is not None:
            return chain.read_without_model(window, missing)
        known = self._known(live.symbol, step_seconds, window, chain)
        if known is None:
            try:
                known = await self._thread.run(chain.read, window)
                self._keep(live.symbol, step_seconds, window, known, chain)
            except TimeoutError:
                known = chain.read_without_model(window, POLICY_SLOW)
        return known

    async def _decide(self, groups: Sequence[WantedSlices]) -> list[DecidedSlice]:
        await self._models.ensure({group.bundle for group in groups})
        questions = [
            Question(group, group.live.bar_window(group.step_seconds), *self._chain_of(group.bundle))
            for group in groups
        ]
        started = time.perf_counter()
        answers = await self._answers(questions)
        seconds = time.perf_counter() - started
        found = [
            piece
            for question, answered in zip(questions, answers, strict=True)
            for piece in self._slices(question, answered)
        ]
        self._count(groups, found, seconds)
        return found

    def _chain_of(self, bundle: str | None) -> tuple[PolicyChain, str | None]:
        """The chain of orders with this bundle, and why its model cannot be asked where the bundle is missing: what
        stands in for one bundle stands in for all."""
        chain = self._models.of(bundle)
        return (self._models.own, MODEL_MISSING) if chain is None else (chain, None)

    async def _answers(self, questions: Sequence[Question]) -> list[list[DecisionAndVolume]]:
        known = [self._known_of(each) for each in questions]
        read = [reading for reading in known if reading is not None]
        prompt = all(each.chain.prompt for each in questions)
        if prompt and len(read) == len(questions) and _orders(questions) <= INLINE_ORDERS_MAX:
            with self._spans.part("decide", orders=_orders(questions)):
                return decide_orders(questions, read)
        try:
            return await self._thread.run(copy_context().run, self._read_and_decide, questions)
        except TimeoutError:
            without_model = [
                reading or question.chain.read_without_model(question.window, POLICY_SLOW)
                for question, reading in zip(questions, known, strict=True)
            ]
            return decide_orders(questions, without_model, POLICY_SLOW)

    def _read_and_decide(self, questions: Sequence[Question]) -> list[list[DecisionAndVolume]]:
        """Runs on the thread. What is read is kept here and now: orders that came together would read it again."""
        with self._spans.part("context", windows=len(questions)):
            readings = read_windows(questions, [self._known_of(each) for each in questions])
        for question, reading in zip(questions, readings, strict=True):
            if question.unavailable is None:
                live, step_seconds = question.group.live, question.group.step_seconds
                self._keep(live.symbol, step_seconds, question.window, reading, question.chain)
        with self._spans.part("decide", orders=_orders(questions)):
            return decide_orders(questions, readings)

    def _slices(self, question: Question, answers: Sequence[DecisionAndVolume]) -> Iterator[DecidedSlice]:
        now, window = self._clock.now(question.group.live.last.close_time), question.window
        for each, answered in zip(question.group.wanted, answers, strict=True):
            answer = answered if each.window.end > now else _missed(each.state, answered)
            yield DecidedSlice(
                state=each.state,
                window=each.window,
                projection=answer.decision.projection,
                decided=_how(answer, window, now),
                last_price=window.last_price,
                expected_volume=answer.expected_volume,
                out_of_reach=answer.out_of_reach,
            )

    def _keep(
        self, symbol: str, step_seconds: int, window: BarWindow, reading: ChainReading, chain: PolicyChain
    ) -> None:
        """Beside what other chains have read of the same window."""
        kept = self._readings.get((symbol, step_seconds))
        others = kept[1] if kept is not None and kept[0] is window else {}
        self._readings[symbol, step_seconds] = window, others | {chain.name: reading}

    def _known_of(self, question: Question) -> ChainReading | None:
        if question.unavailable is not None:
            return None
        return self._known(question.group.live.symbol, question.group.step_seconds, question.window, question.chain)

    def _known(self, symbol: str, step_seconds: int, window: BarWindow, chain: PolicyChain) -> ChainReading | None:
        """What the chain has read of this very window already."""
        kept = self._readings.get((symbol, step_seconds))
        return kept[1].get(chain.name) if kept is not None and kept[0] is window else None

    def _count(self, groups: Sequence[WantedSlices], slices: Sequence[DecidedSlice], seconds: float) -> None:
        by_model = sum(piece.decided.basis is Basis.MODEL for piece in slices)
        for basis, count in ((Basis.MODEL, by_model), (Basis.FALLBACK, len(slices) - by_model)):
            if count:
                self._metrics.decided(basis, count, seconds)
        late = sum(len(group.wanted) for group in groups if group.late_reason)
        if late:
            self._metrics.slice_late(late)


def _orders(questions: Sequence[Question]) -> int:
    return sum(len(each.group.wanted) for each in questions)


def _foreseen(
    chain: PolicyChain,
    window: BarWindow,
    known: ChainReading | None,
    state: OrderState,
    windows_unseen: int,
    ahead: StepsAhead | None,
    pause: Callable[[], None],
) -> Foresight:
    pause()
    reading = known or chain.read(window)
    return foresee(reading, window, state, windows_unseen, chain.risk_aversions, pause, ahead)


def _quoted(
    chain: PolicyChain, window: BarWindow, known: ChainReading | None, asked: QuotedOrder, pause: Callable[[], None]
) -> Quote:
    pause()
    return quote(known or chain.read(window), window, asked, chain.calibration, pause)


def _missed(state: OrderState, answer: DecisionAndVolume) -> DecisionAndVolume:
    """Nobody can trade in a window that is over: the step counts, with nothing in it."""
    last = state.step + 1 == state.order.horizon.max_steps
    projection = Projection(lots=0, stopping=state.stopping, final=last, bound_by=None, stop_reason=None)
    decision = Decision(judgement=nothing_proposed(WINDOW_MISSED), projection=projection)
    return replace(answer, decision=decision, out_of_reach=None)


def _how(answer: DecisionAndVolume, window: BarWindow, now: datetime) -> Decided:
    judgement = answer.decision.judgement
    return Decided(
        model=judgement.policy,
        basis=judgement.basis,
        allocation=repr(judgement.allocation),
        stop_probability=repr(judgement.stop_probability),
        decided_on=window.newest.open_time,
        decided_at=now,
        fallback_reason=judgement.fallback_reason,
        inputs=answer.inputs,
    )
