"""An order that replaces another one is held to its own terms from its next slice on, and refused where what is left of
it could not be met."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from app.domain.errors import InvalidInput
from app.domain.events import OrderBehind
from app.domain.lifecycle import StopReason
from app.domain.order import Horizon, Limits
from app.domain.order_words import Completion
from tests.builders import an_instrument
from tests.clock.session_bars import session_bars
from tests.engine.desk import Desk, a_desk, lots
from tests.engine.test_desk_terms import HALF_HOUR, HISTORY, SESSION, TENTH, flat
from tests.engine.test_replaces import replaced
from tests.engine.test_reported_fills import happenings

LARGE = Decimal(200)
"""More than 4 steps can trade at a tenth of the volume, were it twice as much as is expected."""


async def test_what_is_left_beyond_the_participation_limit_is_refused_with_the_limit_and_the_value(desk: Desk) -> None:
    await desk.feed(flat(HISTORY))
    old = await desk.order(size=LARGE)
    within_tenth: dict[str, Any] = {
        "limits": Limits(max_participation_rate=TENTH),
        "horizon": Horizon(min_steps=2, max_steps=5),
    }

    with pytest.raises(InvalidInput) as refused:
        await replaced(desk, old, **within_tenth)
    new = await replaced(desk, old, completion=Completion.ALWAYS, **within_tenth)

    assert (refused.value.code, refused.value.pointer) == (
        "participation_infeasible",
        "#/limits/max_participation_rate",
    )
    assert "of which 196 is left" in refused.value.detail
    assert "in 4 steps" in refused.value.detail
    assert new.order.replaces == old.order_id


async def test_whether_the_new_order_is_behind_is_told_anew(desk: Desk, server: str) -> None:
    await desk.feed(flat(HISTORY))
    old = await desk.order(size=Decimal(20), horizon=Horizon(min_steps=2, max_steps=5))
    new = await replaced(desk, old, limits=Limits(max_participation_rate=TENTH / 2))
    await desk.feed_one_by_one(flat(1, HISTORY))

    assert (await desk.again(old)).behind == 0
    assert (await desk.again(new)).behind > 0
    told = [what for what in happenings(server) if isinstance(what, OrderBehind)]
    assert [each.behind for each in told] == [(await desk.again(new)).behind]


async def test_a_finish_price_that_a_replace_brings_ends_the_order_with_its_next_slice(desk: Desk) -> None:
    await desk.feed(flat(HISTORY))
    old = await desk.order()
    new = await replaced(desk, old, limits=Limits(finish_price=Decimal(101)))

    await desk.feed_one_by_one(flat(2, HISTORY))

    slices, ended = await desk.slices(new), await desk.again(new)
    assert lots(slices) == [Decimal("0.2"), Decimal("9.8")]
    assert (ended.status, ended.stop_reason) == ("completed", StopReason.FINISH_PRICE)


async def test_a_replace_that_leaves_no_step_to_trade_in_is_refused_and_the_old_order_goes_on(store_url: str) -> None:
    """Only the last window of the session is left to come."""
    made = session_bars("XNYS", HALF_HOUR, "2025-03-03", "2025-03-05")
    async with a_desk(store_url, instrument=an_instrument(bar_seconds=HALF_HOUR, calendar="XNYS")) as desk:
        await desk.feed(made[: 2 * SESSION - 2])
        old = await desk.order(min_steps=2, max_steps=2)

        with pytest.raises(InvalidInput) as refused:
            await replaced(desk, old, limits=Limits(avoid_close_minutes=10))
        await desk.feed_one_by_one(made[2 * SESSION - 2 :])
        ended = await desk.again(old)

    assert (refused.value.code, refused.value.pointer) == ("no_usable_steps", "#/limits/avoid_close_minutes")
    assert ended.status == "completed"
