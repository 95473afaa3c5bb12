"""The service's use cases in one place. It owns no protocol, no store and no model: all of them are given to it."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from app.decision.policy import Policy
from app.domain.errors import Conflict, InvalidInput, NotFound, Unavailable
from app.domain.instrument import Instrument
from app.domain.order import Order, order_id_of
from app.domain.slice import Window
from app.domain.state import Fill, OrderState, Status, apply_fill, cancel
from app.engine.advance import Advance
from app.engine.book import Book
from app.engine.changes import change
from app.engine.committer import Committer
from app.engine.decider import Decider
from app.engine.library import Library
from app.engine.ports import Calendars, Clock, Metrics, Store
from app.engine.post import Post
from app.engine.results import FeedBar, Ingested, Page, Readiness, Schedule
from app.engine.schedule import schedule_of
from app.engine.steps import step_seconds_of
from app.engine.submit import Submit
from app.engine.tasks import end
from app.engine.waiters import Waiters

LOG = logging.getLogger(__name__)
RACES_MAX = 20
GRACE_SECONDS = 2.0
RECOVERY_PAUSE_SECONDS = 0.5


class Engine:
    """`policies` are asked in order: the model, then what stands in for it. A bar is late `grace_seconds` after its
    close; that matters only where somebody calls `give_late_slices`.

    Every method raises Unavailable("store_unavailable") while the store cannot be reached: what was asked for may then
    be recorded or not, and the same call may be made again.
    """

    def __init__(
        self,
        *,
        store: Store,
        policies: Sequence[Policy],
        clock: Clock,
        calendars: Calendars,
        metrics: Metrics,
        grace_seconds: float = GRACE_SECONDS,
    ) -> None:
        self._store = store
        self._clock = clock
        self._calendars = calendars
        self._grace = timedelta(seconds=grace_seconds)
        self._waiters = Waiters()
        self._decider = Decider(policies)
        self._committer = Committer(store, metrics, self._waiters)
        self._advance = Advance(self._decider, self._committer, clock, metrics)
        self._library = Library(store, calendars, self._advance, self._decider.lookback)
        self._post = Post(store, self._library, clock, metrics)
        steps_max = self._decider.primary.max_steps
        self._submit = Submit(store, self._library, self._advance, self._committer, clock, steps_max)
        self._recovered = False
        self._recovery: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Replay what orders have not seen. While the store is away that goes on in the background; see `readiness`."""
        with contextlib.suppress(Unavailable):
            await self._recover()
        self._recovery = asyncio.create_task(self._recover_after_failures(), name="recovery")

    async def stop(self) -> None:
        await end(self._recovery)
        self._decider.close()

    async def put_instrument(self, instrument: Instrument) -> bool:
        """True when created. Raises Conflict("instrument_in_use") where live orders stand on other terms, and
        InvalidInput("unknown_calendar"). Where the length of bars or the calendar changes, the old bars are dropped."""
        self._calendars(instrument.calendar)
        created = await self._store.put_instrument(instrument)
        self._library.forget(instrument.symbol)
        return created

    async def instruments(self) -> list[Instrument]:
        return await self._store.instruments()

    async def instrument(self, symbol: str) -> Instrument:
        """Raises NotFound("unknown_instrument")."""
        found = await self._store.instrument(symbol)
        if found is None:
            raise NotFound("unknown_instrument", f"no instrument is named {symbol!r}")
        return found

    async def post_bars(self, bars: Sequence[FeedBar]) -> Ingested:
        """When it returns, the bars are durable and every slice that follows from them is decided and committed.

        A bad bar anywhere changes nothing at all. Raises NotFound("unknown_instrument"), InvalidInput (what `Bar`
        says, "misaligned_bar", "bar_too_old", "bar_not_closed"), Conflict("bar_conflict" | "bar_out_of_order").
        """
        return await self._post(bars)

    async def submit(self, order: Order) -> tuple[OrderState, bool]:
        """The order with its first slice where that is due, and whether it is new.

        Raises NotFound("unknown_instrument"), InvalidInput (what `accept` says, "horizon_too_long",
        "step_seconds_unsupported", "start_time_too_far"), Conflict("client_order_id_reused" | "no_bars"),
        Unavailable("too_many_orders").
        """
        return await self._submit(order)

    async def order(self, order_id: str) -> OrderState:
        """Raises NotFound("unknown_order")."""
        found = await self._store.order(order_id)
        if found is None:
            raise NotFound("unknown_order", f"no order has the id {order_id!r}")
        return found

    async def orders(
        self,
        *,
        status: Status | None = None,
        instrument: str | None = None,
        client_order_id: str | None = None,
        limit: int = 100,
        cursor: str | None = None,
    ) -> Page:
        """Raises InvalidInput("bad_cursor")."""
        if client_order_id is None:
            return await self._store.page(status=status, instrument=instrument, limit=limit, cursor=cursor)
        found = await self._store.order(order_id_of(client_order_id))
        fits = found and status in (None, found.status) and instrument in (None, found.order.instrument)
        return Page(orders=(found,) if found and fits else (), next_cursor=None)

    async def next_slice(self, order_id: str, wait_seconds: float = 0.0) -> OrderState:
        """The order, whose `current` is the slice; waits while it is live without one, at most `wait_seconds`.
        Raises NotFound("unknown_order"), Unavailable("too_many_waiters")."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + wait_seconds
        while True:
            with self._waiters.change_of(order_id) as changed:
                working = await self.order(order_id)
                if working.current is not None or not working.status.live or loop.time() >= deadline:
                    return working
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout_at(deadline):
                        await changed

    async def schedule(self, order_id: str) -> Schedule:
        """Every step: done, current, projected. Raises NotFound("unknown_order")."""
        working, slices = await self.order(order_id), await self._store.slices(order_id)
        book = await self._library.book(working.order.instrument)
        step_seconds = step_seconds_of(working, book.instrument)
        await self._library.ensure_series(book, step_seconds)
        rest = (
            await self._decider.foresee(self._decider.view(book, step_seconds), working) if working.status.live else []
        )

        def window_from(at: datetime) -> Window:
            start = book.first_open(at, step_seconds)
            return Window(start, book.close_of(start, step_seconds))

        return schedule_of(working, slices, rest, window_from)

    async def report_fill(self, order_id: str, fill: Fill) -> tuple[OrderState, bool]:
        """The order with the fill booked, and whether it is new: the same report twice is booked once.
        Raises NotFound("unknown_order"), Conflict("execution_id_reused") and what `apply_fill` does."""
        for _ in range(RACES_MAX):
            working = await self.order(order_id)
            known = await self._store.fill(order_id, fill.execution_id)
            if known is not None and known != fill:
                raise Conflict("execution_id_reused", f"execution {fill.execution_id!r} is booked with other values")
            if known is not None:
                return await self.order(order_id), False
            booked = change(working, apply_fill(working, fill), fill)
            if (await self._committer.commit([booked]))[0] is None:
                return booked.after, True
        raise Unavailable("busy", f"order {order_id} changes faster than the fill can be booked")

    async def cancel(self, order_id: str) -> OrderState:
        """Raises NotFound("unknown_order"), Conflict("order_ended")."""
        return await self._changed(order_id, cancel)

    async def readiness(self) -> Readiness:
        reasons = [] if self._recovered else ["recovering"]
        try:
            await self._store.ping()
        except Unavailable as error:
            reasons.append(error.code)
        return Readiness(ready=not reasons, reasons=tuple(reasons))

    async def give_late_slices(self) -> None:
        """Give a fallback slice wherever a window has opened and the bar before it is late. The late bar will then
        close only its own window."""
        for known in self._library.books:
            if self._late_windows(known) is None:
                continue
            async with self._library.locked(known.instrument.symbol) as book:
                while (opened_by := self._late_windows(book)) is not None:
                    await self._advance.over_late_bar(book, await self._library.awaiting(book), opened_by)

    def _late_windows(self, book: Book) -> datetime | None:
        """Windows that opened by then and have no slice are late; None where there are none."""
        if book.due is None:
            return None
        opened_by = self._clock.now(book.last.close_time) - self._grace
        return opened_by if book.due <= opened_by else None

    async def _changed(self, order_id: str, transition: Callable[[OrderState], OrderState]) -> OrderState:
        for _ in range(RACES_MAX):
            working = await self.order(order_id)
            after = transition(working)
            if after == working:
                return working
            changed = change(working, after)
            if (await self._committer.commit([changed]))[0] is None:
                return changed.after
        raise Unavailable("busy", f"order {order_id} changes faster than it can be changed")

    async def _recover(self) -> None:
        self._recovered = False
        self._library.on_failure.clear()
        for instrument in await self._store.instruments():
            try:
                await self._library.book(instrument.symbol)
            except InvalidInput:  # its calendar is not known here: the others must not wait for it
                LOG.exception("%s cannot be opened", instrument.symbol)
        self._recovered = True

    async def _recover_after_failures(self) -> None:
        """A failure in the middle of a bar leaves orders without slices until their book is read again."""
        while True:
            if self._recovered:
                await self._library.on_failure.wait()
            try:
                await self._recover()
            except Unavailable:
                await asyncio.sleep(RECOVERY_PAUSE_SECONDS)
            except Exception:  # whatever it was, orders must not be left behind for good
                LOG.exception("recovery failed; trying again")
                await asyncio.sleep(RECOVERY_PAUSE_SECONDS)
