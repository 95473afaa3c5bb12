"""Asks the policies, off the event loop and for a bounded time, and keeps their reading of a market for all orders."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, ParamSpec, TypeVar

from app.decision.decide import Decision, Reading, decide
from app.decision.market import Floats
from app.decision.policy import Policy
from app.decision.rows import rows_of
from app.domain.bar import Bar
from app.domain.projection import Room
from app.domain.state import OrderState, room
from app.engine.book import Book
from app.engine.schedule import Expected, expected

DECIDE_SECONDS_MAX = 2.0
P = ParamSpec("P")
T = TypeVar("T")


@dataclass(slots=True)
class View:
    """The market as of the bar `newest`, for one step length: raw `window` [1, L, C] with `history` bars in it.
    `readings` appear when the first order asks."""

    window: Floats
    history: int
    newest: Bar
    readings: tuple[Reading, ...] = field(default=())

    def without_first(self, reason: str) -> View:
        """The same market with the first policy unavailable."""
        if not self.readings:
            raise AssertionError("a market must be read first")
        first = Reading(self.readings[0].policy, None, reason)
        return View(self.window, self.history, self.newest, (first, *self.readings[1:]))

    @property
    def last_price(self) -> Decimal:
        return self.newest.close


class Decider:
    """`policies` are asked in order: the model first, then what stands in for it. One call at a time: a policy that
    hangs is left alone, and orders get slices from the others until it returns."""

    def __init__(self, policies: Sequence[Policy], seconds_max: float = DECIDE_SECONDS_MAX) -> None:
        self.policies = tuple(policies)
        self.lookback = max(1, *(policy.lookback for policy in policies))
        self._seconds_max = seconds_max
        self._pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="decide")
        self._hanging: Future[Any] | None = None
        self._views: dict[tuple[str, int], View] = {}

    @property
    def primary(self) -> Policy:
        return self.policies[0]

    def close(self) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)

    def view(self, book: Book, step_seconds: int) -> View:
        """The market at the newest bar; the same object until the next bar of that step length."""
        series, place = book.series(step_seconds), (book.instrument.symbol, step_seconds)
        if series is None:
            raise AssertionError(f"no series of {step_seconds} s for {book.instrument.symbol}")
        newest = series.newest or book.last
        known = self._views.get(place)
        if known is not None and known.newest is newest:
            return known
        self._views[place] = View(series.window(), len(series), newest)
        return self._views[place]

    async def decide(self, view: View, orders: Sequence[OrderState], late: str | None = None) -> list[Decision]:
        """One batch. `late` names why the first policy is not to be asked. Never raises for what a policy does."""
        try:
            return await self._asked(self._judge, view, orders, late)
        except TimeoutError:
            view.readings = view.readings or self._read(view, self.policies[1:], "policy_slow")
            return self._judge(view, orders, "policy_slow")

    async def foresee(self, view: View, working: OrderState) -> list[Expected]:
        """The rest of the order's schedule on this market; empty where the policies take too long for it."""

        def ask(state: OrderState) -> tuple[Room, Decision]:
            view.readings = view.readings or self._read(view, self.policies)
            return room(state, view.last_price, _expected_volume(view.readings)), self._judge(view, [state], None)[0]

        try:
            return await self._asked(expected, working, ask, view.last_price)
        except TimeoutError:
            return []

    async def _asked(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Work in the pool. Raises TimeoutError when it takes too long, and at once while earlier work hangs."""
        if self._hanging is not None and not self._hanging.done():
            raise TimeoutError
        call = self._pool.submit(work, *args, **kwargs)
        try:
            async with asyncio.timeout(self._seconds_max):
                return await asyncio.wrap_future(call)
        except TimeoutError:
            if call.running():
                self._hanging = call
            raise

    def _judge(self, view: View, orders: Sequence[OrderState], late: str | None) -> list[Decision]:
        view.readings = view.readings or self._read(view, self.policies)
        asked = view.without_first(late) if late else view
        volume = _expected_volume(asked.readings)
        rooms = [room(working, view.last_price, volume) for working in orders]
        return decide(asked.readings, rows_of(orders, view.last_price, self.primary.risk_aversion), rooms)

    def _read(
        self, view: View, policies: Sequence[Policy], first_unavailable: str | None = None
    ) -> tuple[Reading, ...]:
        readings = tuple(_reading(policy, view) for policy in policies)
        return (Reading(self.primary, None, first_unavailable), *readings) if first_unavailable else readings


def _reading(policy: Policy, view: View) -> Reading:
    if view.history < policy.history_min:
        return Reading(policy, None, "insufficient_history")
    try:
        return Reading(policy, policy.observe(view.window[:, view.window.shape[1] - policy.lookback :]))
    except Exception as error:  # noqa: BLE001 -- whatever a model does wrong, the order goes on
        return Reading(policy, None, f"policy_failed: {type(error).__name__}")


def _expected_volume(readings: Sequence[Reading]) -> Decimal | None:
    """The volume (base units) that the first policy able to say expects in the next step."""
    for reading in readings:
        if reading.market is not None:
            forecast = float(reading.market.volume_forecast[0, 0])
            if math.isfinite(forecast) and forecast >= 0:
                return Decimal(forecast)
    return None
