"""The use case of an OMS that sends an order, perhaps more than once."""

from __future__ import annotations

from datetime import timedelta

from app.domain.errors import Conflict, InvalidInput, Unavailable
from app.domain.order import Order, order_id_of
from app.domain.state import OrderState, accept
from app.engine.advance import Advance
from app.engine.book import Book
from app.engine.changes import change
from app.engine.committer import Committer
from app.engine.library import Library
from app.engine.ports import Claim, Clock, Store
from app.engine.steps import require_step
from app.engine.terms import digest_of

RACES_MAX = 20
START_AHEAD_MAX = timedelta(days=300)


class Submit:
    """`steps_max` is the longest horizon that the policies can decide."""

    def __init__(
        self, store: Store, library: Library, advance: Advance, committer: Committer, clock: Clock, steps_max: int
    ) -> None:
        self._store = store
        self._library = library
        self._advance = advance
        self._committer = committer
        self._clock = clock
        self._steps_max = steps_max

    async def __call__(self, order: Order) -> tuple[OrderState, bool]:
        """See `Engine.submit`. Nothing is recorded before the order is known to be valid."""
        if order.order_id != order_id_of(order.client_order_id):
            raise AssertionError("the order's id does not follow from its client_order_id")
        first = await self._first_answer(order)
        if first is not None:
            return first, False
        for _ in range(RACES_MAX):
            answer = await self._created(order)
            if answer is not None:
                return answer
            await self._library.wait_for_newer(order.instrument)
        raise Unavailable("busy", f"bars of {order.instrument} come faster than the order can be placed between them")

    async def _first_answer(self, order: Order) -> OrderState | None:
        claim = await self._store.claimed(order.order_id)
        if claim is None:
            return None
        _require_own(claim, order)
        return await self._store.order(order.order_id)

    async def _created(self, order: Order) -> tuple[OrderState, bool] | None:
        """None where a bar has overtaken the order: its first window is another one then."""
        book = await self._library.book(order.instrument)
        accepted = await self._accepted(order, book)
        newest = book.last
        new = change(None, await self._advance.first_slice(book, accepted))
        if book.last is not newest or await self._library.book(order.instrument) is not book:
            return None
        _require_own(await self._store.claim(order), order)
        answer = await self._store.create(new, newest.open_time)
        if answer is not None and answer[1]:
            self._committer.tell([new])
            book.note_due(answer[0].next_open)
        return answer

    async def _accepted(self, order: Order, book: Book) -> OrderState:
        if book.newest is None:
            raise Conflict("no_bars", f"{order.instrument} has no bars yet; an order needs a price to start from")
        if order.horizon.max_steps > self._steps_max:
            raise InvalidInput(
                "horizon_too_long",
                f"max_steps is {order.horizon.max_steps}; the model decides at most {self._steps_max}",
            )
        step_seconds = require_step(order, book)
        now = self._clock.now(book.newest.close_time)
        start = max(now, order.start_time or now)
        if start - now > START_AHEAD_MAX:
            raise InvalidInput("start_time_too_far", f"start_time is more than {START_AHEAD_MAX.days} days ahead")
        await self._library.ensure_series(book, step_seconds)
        return accept(order, book.instrument, book.first_open(start, step_seconds), book.last.close)


def _require_own(claim: Claim, order: Order) -> None:
    if claim.digest != digest_of(order):
        raise Conflict(
            "client_order_id_reused",
            f"client_order_id {order.client_order_id!r} belongs to another order, on {claim.instrument}",
        )
