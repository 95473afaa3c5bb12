"""Orders are worked by the desk's terms, and refused where they could not be."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from app.domain.bar import Bar
from app.domain.errors import LemError
from app.domain.order import Horizon, Limits
from app.domain.order_words import Completion
from tests.builders import a_bar, an_instrument, an_order, bars
from tests.clock.session_bars import session_bars
from tests.engine.desk import Desk, a_desk, lots

HISTORY = 20
HALF_HOUR, SESSION = 1_800, 13
TENTH = Decimal("0.1")
NEW_YORK = an_instrument(bar_seconds=HALF_HOUR, calendar="XNYS")
OPEN_AND_CLOSE = Limits(avoid_open_minutes=5, avoid_close_minutes=10)


def flat(count: int, first: int = 0, **changes: Any) -> list[Bar]:
    """Bars at 100 with 50 traded in each: the reader proposes a fiftieth of an order then, and never stops."""
    return [a_bar(step, **changes) for step in range(first, first + count)]


async def refusal(desk: Desk, **order: Any) -> LemError:
    with pytest.raises(LemError) as caught:
        await desk.order(**order)
    return caught.value


async def test_at_its_finish_price_an_order_is_done_at_once(desk: Desk) -> None:
    await desk.feed(flat(HISTORY))
    order = await desk.order(limits=Limits(finish_price=Decimal("99.50")))

    await desk.feed_one_by_one([*flat(1, HISTORY), *flat(2, HISTORY + 1, price=99)])

    slices, ended = await desk.slices(order), await desk.again(order)
    assert lots(slices) == [Decimal("0.2"), Decimal("0.2"), Decimal("9.6")]
    assert (slices[-1].stop_reason, slices[-1].final) == ("finish_price", True)
    assert (ended.status, ended.stop_reason) == ("completed", "finish_price")


async def test_an_order_of_a_whole_session_leaves_out_its_open_and_its_close(store_url: str) -> None:
    made = session_bars("XNYS", HALF_HOUR, "2025-03-03", "2025-03-06")
    async with a_desk(store_url, instrument=NEW_YORK) as desk:
        await desk.feed(made[: 2 * SESSION])
        order = await desk.order(min_steps=SESSION, max_steps=SESSION, limits=OPEN_AND_CLOSE)
        await desk.feed_one_by_one(made[2 * SESSION :])
        slices, ended = await desk.slices(order), await desk.again(order)

    assert (slices[0].quantity, slices[0].bound_by) == (0, "avoid_open")
    assert len(slices) == SESSION - 1
    assert all(piece.quantity for piece in slices[1:])
    assert sum(lots(slices)) == ended.filled == 10
    assert (ended.status, ended.stop_reason, slices[-1].stop_reason) == ("completed", "max_steps", "max_steps")


async def test_a_schedule_leaves_out_what_the_order_will(store_url: str) -> None:
    """Steps 9 and 10 are the last window of a session and the first one of the next."""
    made = session_bars("XNYS", HALF_HOUR, "2025-03-03", "2025-03-07")
    async with a_desk(store_url, instrument=NEW_YORK) as desk:
        await desk.feed(made[: 2 * SESSION + 4])
        order = await desk.order(min_steps=16, max_steps=16, limits=OPEN_AND_CLOSE)
        schedule = await desk.engine.queries.schedule(order.order_id)
        await desk.feed_one_by_one(made[2 * SESSION + 4 :])
        slices, ended = await desk.slices(order), await desk.again(order)

    avoided = [step.step for step in schedule.steps if not step.fraction]
    assert {9, 10} <= set(avoided)
    assert float(sum(step.fraction for step in schedule.steps)) == pytest.approx(1.0)
    assert [(piece.quantity, piece.bound_by) for piece in slices[8:10]] == [(0, "avoid_close"), (0, "avoid_open")]
    assert ended.status == "completed"


async def test_an_order_that_leaves_no_step_to_trade_in_is_refused(store_url: str) -> None:
    async with a_desk(store_url, instrument=NEW_YORK) as desk:
        await desk.feed(session_bars("XNYS", HALF_HOUR, "2025-03-03", "2025-03-05"))

        refused = await refusal(desk, limits=Limits(avoid_close_minutes=390))

    assert (refused.code, refused.pointer) == ("no_usable_steps", "#/limits/avoid_close_minutes")
    assert "the last 390 minutes" in refused.detail


async def test_the_slice_cap_is_counted_over_the_steps_that_may_trade(store_url: str) -> None:
    """A twelfth is enough for the 13 steps of a session, and not for the 11 of them that are left."""
    whole: dict[str, Any] = {"min_steps": SESSION, "max_steps": SESSION}
    async with a_desk(store_url, instrument=NEW_YORK) as desk:
        await desk.feed(session_bars("XNYS", HALF_HOUR, "2025-03-03", "2025-03-05"))

        limits = Limits(max_slice_fraction=Decimal("0.084"), avoid_open_minutes=5, avoid_close_minutes=10)
        refused = await refusal(desk, limits=limits, **whole)
        taken = await desk.order(limits=Limits(max_slice_fraction=Decimal("0.084")), **whole)

    assert (refused.code, refused.pointer) == ("slice_cap_infeasible", "#/limits/max_slice_fraction")
    assert "at least 1/11" in refused.detail
    assert taken.status == "working"


async def test_around_the_clock_there_is_no_close_to_avoid(desk: Desk) -> None:
    await desk.feed(flat(HISTORY))

    refused = await refusal(desk, limits=Limits(avoid_close_minutes=10))
    taken = await desk.order(limits=Limits(avoid_close_minutes=0))

    assert (refused.code, refused.pointer) == ("no_sessions", "#/limits/avoid_close_minutes")
    assert taken.status == "working"


async def test_an_order_far_beyond_its_participation_limit_is_refused_with_the_limit_and_the_value(desk: Desk) -> None:
    """12 steps of which each is expected to trade 50 allow 60 at a tenth: twice that is the most that is taken."""
    await desk.feed(flat(HISTORY))
    limits = Limits(max_participation_rate=TENTH)

    refused = await refusal(desk, size=Decimal(121), limits=limits)
    taken = await desk.order("within", size=Decimal(120), limits=limits)
    must = await desk.order("must", size=Decimal(121), limits=limits, completion=Completion.ALWAYS)

    assert (refused.code, refused.pointer) == ("participation_infeasible", "#/limits/max_participation_rate")
    assert refused.detail.startswith("quantity is 121; at most 120 can be traded in 12 steps")
    assert (taken.status, must.status) == ("working", "working")


async def test_a_feed_without_volumes_allows_no_participation_limit(desk: Desk) -> None:
    await desk.feed(flat(HISTORY, volume=Decimal(0)))

    refused = await refusal(desk, limits=Limits(max_participation_rate=TENTH))

    assert refused.code == "participation_infeasible"
    assert "at most 0 can" in refused.detail


@pytest.mark.parametrize(
    ("completion", "status", "filled"),
    [(Completion.ALWAYS, "completed", Decimal(20)), (Completion.WITHIN_LIMITS, "expired", Decimal("0.6"))],
)
async def test_an_order_that_must_be_done_is_done_though_the_market_dries_up(
    desk: Desk, completion: Completion, status: str, filled: Decimal
) -> None:
    await desk.feed(flat(HISTORY))
    order = await desk.order(
        size=Decimal(20),
        horizon=Horizon(min_steps=6, max_steps=6),
        limits=Limits(max_participation_rate=TENTH),
        completion=completion,
    )

    await desk.feed_one_by_one(flat(6, HISTORY, volume=Decimal(1)))

    ended = await desk.again(order)
    assert (ended.status, ended.filled) == (status, filled)


async def test_an_order_that_falls_behind_is_told_before_it_is_too_late_and_so_is_one_that_is_back(desk: Desk) -> None:
    await desk.feed(flat(HISTORY))
    order = await desk.order(
        size=Decimal(20),
        horizon=Horizon(min_steps=8, max_steps=8),
        limits=Limits(max_participation_rate=TENTH),
    )

    await desk.feed_one_by_one(flat(4, HISTORY, volume=Decimal(1)))
    dry, counted = await desk.again(order), desk.engine.live_orders.behind()
    await desk.feed(flat(1, HISTORY + 4, volume=Decimal(2_000)))
    back = await desk.again(order)

    assert order.behind == back.behind == 0
    assert 10 < dry.behind < 20
    assert (counted, desk.engine.live_orders.behind()) == (1, 0)
    assert dry.status == back.status == "working"


async def test_an_order_that_needs_more_than_is_expected_is_behind_from_the_first(desk: Desk) -> None:
    await desk.feed(flat(HISTORY))

    order = await desk.order(size=Decimal(100), limits=Limits(max_participation_rate=TENTH))

    assert order.behind == 100 - 2 - 11 * 5


async def test_a_quote_knows_the_desk_s_terms(desk: Desk) -> None:
    """At the finish price the order ends with its first step."""
    await desk.feed(bars(HISTORY))

    quoted = await desk.engine.quotes.quote(an_order(limits=Limits(finish_price=Decimal(1_000))))

    assert quoted.quote.end_probability[0] == 1.0
    assert quoted.quote.fraction[0] == pytest.approx(1.0)
