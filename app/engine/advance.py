"""Bars become slices: what the newest bar means for its instrument's orders, decided in one batch and committed."""

from __future__ import annotations

import math
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime

from app.decision.decide import Decision
from app.domain.errors import Unavailable
from app.domain.projection import Projection
from app.domain.slice import Basis, Decided, Window
from app.domain.state import OrderState, take
from app.engine.book import Book
from app.engine.changes import change
from app.engine.committer import Committer
from app.engine.decider import Decider, View
from app.engine.ports import Clock, Metrics
from app.engine.steps import next_window, ready_window, settle, step_seconds_of

LOST_RACES_MAX = 20
WINDOW_MISSED = "window_missed"

Wanting = tuple[OrderState, Window]
Needs = Callable[[OrderState, Book], Window | None]


class Advance:
    """Moves orders over the newest bar of their book. Doing it again changes nothing."""

    def __init__(self, decider: Decider, committer: Committer, clock: Clock, metrics: Metrics) -> None:
        self._decider = decider
        self._committer = committer
        self._clock = clock
        self._metrics = metrics

    async def over_bar(self, book: Book, orders: Sequence[OrderState]) -> list[OrderState]:
        """Close windows, decide slices, commit. Returns the orders that still await bars."""
        return await self._commit_all(book, orders, ready_window, None)

    async def over_late_bar(self, book: Book, orders: Sequence[OrderState], opens_by: datetime) -> list[OrderState]:
        """The bar before a window that opened at or before `opens_by` is late: give its slice without it."""

        def late_window(working: OrderState, book: Book) -> Window | None:
            window = next_window(working, book)
            return window if window is not None and window.start <= opens_by else None

        return await self._commit_all(book, orders, late_window, "bar_late")

    async def first_slice(self, book: Book, working: OrderState) -> OrderState:
        """A new order with its first slice, where the window opens right after the newest bar. Commits nothing."""
        window = ready_window(working, book)
        if window is None:
            return working
        return (await self._decided(book, [(working, window)], None))[0]

    async def _commit_all(
        self, book: Book, orders: Sequence[OrderState], needs: Needs, late: str | None
    ) -> list[OrderState]:
        """Orders that somebody else has moved meanwhile (a fill, a cancel) are moved again from where they are."""
        pending, done = list(orders), []
        for _ in range(LOST_RACES_MAX):
            moved = await self._moved(book, pending, needs, late)
            changes = [change(before, after) for before, after in zip(pending, moved, strict=True) if after != before]
            answers = await self._committer.commit(changes)
            lost = {each.order.order_id: each for each in answers if each is not None}
            committed = {each.after.order.order_id: each.after for each in changes}
            done += [committed.get(id_, each) for each in pending if (id_ := each.order.order_id) not in lost]
            pending = list(lost.values())
            if not pending:
                break
        else:
            raise Unavailable("busy", f"{len(pending)} orders change faster than they can be advanced")
        live = [working for working in done if working.awaits_bars]
        book.due = None
        for window in filter(None, (next_window(working, book) for working in live)):
            book.note_due(window.start)
        return live

    async def _moved(
        self, book: Book, orders: Sequence[OrderState], needs: Needs, late: str | None
    ) -> list[OrderState]:
        settled = [settle(working, book) for working in orders]
        wanting = [(each, window) for each in settled if (window := needs(each, book)) is not None]
        groups: dict[int, list[Wanting]] = defaultdict(list)
        for each in wanting:
            groups[step_seconds_of(each[0], book.instrument)].append(each)
        taken: dict[str, OrderState] = {}
        for group in groups.values():
            for working in await self._decided(book, group, late):
                taken[working.order.order_id] = working
        return [taken.get(working.order.order_id, working) for working in settled]

    async def _decided(self, book: Book, wanting: Sequence[Wanting], late: str | None) -> list[OrderState]:
        """Each order with its next slice, all of one step length."""
        now = self._clock.now(book.last.close_time)
        view = self._decider.view(book, step_seconds_of(wanting[0][0], book.instrument))
        in_time = [working for working, window in wanting if window.end > now]
        started = time.perf_counter()
        answers = iter(await self._decider.decide(view, in_time, late) if in_time else ())
        decisions = [next(answers) if window.end > now else _missed(working) for working, window in wanting]
        for basis, count in Counter(decision.basis for decision in decisions).items():
            self._metrics.decided(basis, count, time.perf_counter() - started)
        if late:
            self._metrics.slice_late(len(decisions))
        return [
            take(_arrived(working, view), decision.projection, window, _how(decision, view, now), view.last_price)
            for (working, window), decision in zip(wanting, decisions, strict=True)
        ]


def _arrived(working: OrderState, view: View) -> OrderState:
    """The arrival price is the last close before the first step."""
    return working if working.step else replace(working, arrival_price=view.last_price)


def _missed(working: OrderState) -> Decision:
    """Nobody can trade in a window that is over: the step counts, with nothing in it."""
    last = working.step + 1 == working.order.horizon.max_steps
    projection = Projection(0, working.stopping, last, None, None)
    return Decision(projection, math.nan, 0.0, "limits", Basis.FALLBACK, WINDOW_MISSED)


def _how(decision: Decision, view: View, now: datetime) -> Decided:
    return Decided(
        model=decision.policy,
        basis=decision.basis,
        allocation=repr(decision.allocation),
        stop_probability=repr(decision.stop_probability),
        decided_on=view.newest.open_time,
        decided_at=now,
        fallback_reason=decision.fallback_reason,
    )
