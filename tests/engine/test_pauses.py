"""A pause between the decision of a slice and its window: overnight, on an exchange."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from decimal import Decimal

import pytest

from app.domain.bar import Bar
from app.domain.order import Fills, Horizon, Order
from app.domain.state import OrderState
from app.engine.results import NextSlice
from tests.builders import a_fill, an_instrument
from tests.clock.session_bars import session_bars
from tests.engine.desk import Desk, ManualClock, a_desk

HALF_HOUR = 1_800
SESSION = 13


@dataclass
class Night:
    """An order of which a slice is decided at the close, for the window that opens in the morning."""

    desk: Desk
    clock: ManualClock
    order: Order
    rest: list[Bar]

    async def offered(self) -> NextSlice:
        return await self.desk.engine.queries.next_slice(self.order.order_id)

    async def morning(self) -> OrderState:
        """The first window of the next session has closed."""
        self.clock.time = self.rest[0].close_time
        await self.desk.feed(self.rest[:1])
        return await self.desk.again(self.order)


@pytest.fixture(params=Fills, ids=str)
async def night(store_url: str, request: pytest.FixtureRequest) -> AsyncIterator[Night]:
    made = session_bars("XNYS", HALF_HOUR, "2025-03-03", "2025-03-06")
    clock = ManualClock(made[2 * SESSION - 3].close_time)
    instrument = an_instrument(bar_seconds=HALF_HOUR, calendar="XNYS")
    async with a_desk(store_url, instrument=instrument, clock=clock) as desk:
        await desk.feed(made[: 2 * SESSION - 2])
        state = await desk.order(horizon=Horizon(min_steps=8, max_steps=8), fills=request.param)
        clock.time = made[2 * SESSION - 1].close_time
        await desk.feed_one_by_one(made[2 * SESSION - 2 : 2 * SESSION])
        yield Night(desk, clock, state.order, made[2 * SESSION :])


async def test_a_slice_that_is_paused_before_its_window_is_not_traded(night: Night) -> None:
    before = await night.desk.again(night.order)
    assert before.current is not None
    assert before.current.window.start > night.clock.time

    paused = await night.desk.engine.orders.pause(night.order.order_id)
    after = await night.morning()

    assert paused.withheld == paused.step
    assert (await night.offered()).slice is None
    assert after.executed[paused.step - 1] == 0
    assert after.asked[-1] == 0
    assert after.filled == before.filled


async def test_a_slice_is_offered_again_where_the_order_resumes_before_its_window(night: Night) -> None:
    before = await night.offered()
    await night.desk.engine.orders.pause(night.order.order_id)

    await night.desk.engine.orders.resume(night.order.order_id)
    again = await night.offered()

    assert again == before
    assert again.slice is not None
    after = await night.morning()
    if night.order.fills is Fills.ASSUMED:
        assert after.executed[again.slice.step - 1] == again.slice.quantity


async def test_a_slice_whose_window_has_begun_without_it_is_not_offered_later(night: Night) -> None:
    paused = await night.desk.engine.orders.pause(night.order.order_id)
    night.clock.time = night.rest[0].open_time

    resumed = await night.desk.engine.orders.resume(night.order.order_id)

    assert (await night.offered()).slice is None
    after = await night.morning()
    assert after.executed[paused.step - 1] == 0
    assert (resumed.status, after.status) == ("working", "working")
    assert after.asked[-1] > 0


@pytest.mark.parametrize("night", [Fills.REPORTED], indirect=True)
async def test_what_was_traded_of_a_withheld_slice_is_booked(night: Night) -> None:
    paused = await night.desk.engine.orders.pause(night.order.order_id)

    report = a_fill(paused, quantity=Decimal("0.5"), executed_at=night.clock.time)
    booked = await night.desk.engine.fills.report(night.order.order_id, report)

    assert booked.order.filled_quantity == Decimal("0.5")
    assert booked.order.over_filled == 0
