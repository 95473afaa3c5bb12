"""Bars that come again with other values, out of order, or before what is recorded."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from redis import Redis

from app.bars.gaps import GAP_WINDOWS_MAX
from app.domain.bar import Bar
from app.domain.errors import Conflict, InvalidInput
from app.engine.engine import GAP_DAYS_MAX
from app.store import keys
from app.store.codec import bar_from
from tests.builders import BAR_SECONDS, a_bar, an_instrument, bars
from tests.engine.desk import Desk, a_desk, sent

HISTORY = 20
DAY_SECONDS, HALF_A_DAY = 86_400, timedelta(hours=12)
NEXT = bars(HISTORY + 1)[HISTORY]


def revised(bar: Bar) -> Bar:
    return a_bar(open_time=bar.open_time, close_time=bar.close_time, price="99.5", volume=Decimal(777))


def recorded_revisions(url: str) -> list[Bar]:
    with Redis.from_url(url, decode_responses=True) as client:
        return [bar_from(line) for line in client.hvals(keys.revisions("BTC-USDT"))]


async def all_bars(desk: Desk) -> list[Bar]:
    return await desk.store.bars_before("BTC-USDT", None, 10_000)


async def test_a_revision_is_recorded_beside_its_bar_and_counted_once(desk: Desk, store_url: str) -> None:
    await desk.feed(bars(HISTORY))
    revision = revised(bars(HISTORY)[-1])

    first = await desk.feed([revision])
    again = await desk.feed([revision])

    assert (first.revised, first.duplicates, first.accepted) == (1, 0, 0)
    assert (again.revised, again.duplicates) == (0, 1)
    assert desk.counts["revised"] == 1
    assert recorded_revisions(store_url) == [revision]
    assert await all_bars(desk) == bars(HISTORY)


async def test_the_next_bar_comes_with_the_revision_of_the_one_before_it(desk: Desk) -> None:
    await desk.feed(bars(HISTORY))
    order = await desk.order(min_steps=4)

    ingested = await desk.feed([revised(bars(HISTORY)[-1]), NEXT])

    assert (ingested.accepted, ingested.revised) == (1, 1)
    assert (await desk.again(order)).step == 2


@pytest.mark.parametrize("restart", [False, True])
async def test_revisions_change_no_slice_with_a_restart_and_without(store_url: str, restart: bool) -> None:
    """Each bar is revised after the next one has come, and the order goes on, here or in another process."""
    plain, disturbed = an_instrument(symbol="PLAIN"), an_instrument()
    slices = {}
    async with a_desk(store_url, instrument=plain) as desk:
        await desk.engine.instruments.put(disturbed)
        await desk.engine.bars.post([sent(bar, symbol) for bar in bars(HISTORY) for symbol in ("PLAIN", "BTC-USDT")])
        orders = [await desk.order("one", instrument="PLAIN", min_steps=6), await desk.order("two", min_steps=6)]
        if not restart:
            await _revise_and_go_on(desk, HISTORY, HISTORY + 8)
            slices = {each.order.instrument: await desk.slices(each) for each in orders}
    if restart:
        for step in range(HISTORY, HISTORY + 8):
            async with a_desk(store_url, instrument=plain) as desk:
                await _revise_and_go_on(desk, step, step + 1)
                slices = {each.order.instrument: await desk.slices(each) for each in orders}

    assert [piece.quantity for piece in slices["BTC-USDT"]] == [piece.quantity for piece in slices["PLAIN"]]
    assert len(slices["PLAIN"]) >= 6


async def _revise_and_go_on(desk: Desk, first: int, end: int) -> None:
    for step in range(first, end):
        await desk.feed([bars(step + 1)[step]], "PLAIN")
        await desk.feed([bars(step + 1)[step], revised(bars(step)[-1])])


async def test_the_true_bar_of_a_filled_gap_is_a_revision_while_an_order_stands_on_it(
    desk: Desk, store_url: str
) -> None:
    await desk.feed(bars(HISTORY))
    await desk.order(min_steps=8)
    await desk.feed([bars(HISTORY + 3)[-1]])
    before = await all_bars(desk)

    ingested = await desk.feed([NEXT])

    assert (ingested.accepted, ingested.revised) == (0, 1)
    assert await all_bars(desk) == before
    assert recorded_revisions(store_url) == [NEXT]


async def test_the_true_bar_of_a_filled_gap_takes_its_place_where_no_order_stands_on_it(desk: Desk) -> None:
    await desk.feed(bars(HISTORY))
    await desk.feed([bars(HISTORY + 3)[-1]])

    ingested = await desk.feed([NEXT])

    assert (ingested.accepted, ingested.revised) == (1, 0)
    assert [bar.synthetic for bar in (await all_bars(desk))[HISTORY:]] == [False, True, False]


async def test_history_may_come_after_the_first_live_bar(desk: Desk) -> None:
    await desk.feed([NEXT])

    ingested = await desk.feed(bars(HISTORY))

    assert (ingested.accepted, ingested.duplicates, ingested.gaps_filled) == (HISTORY, 0, 0)
    assert await all_bars(desk) == bars(HISTORY + 1)
    assert desk.counts["bars"] == HISTORY + 1


async def test_history_may_come_in_several_requests_in_any_order(desk: Desk) -> None:
    """What was filled between the parts gives way to the bars that follow."""
    await desk.feed([NEXT])

    for first, end in ((0, 5), (12, 20), (5, 12)):
        await desk.feed(bars(HISTORY)[first:end])

    assert await all_bars(desk) == bars(HISTORY + 1)


async def test_an_order_reads_the_history_that_came_after_the_first_live_bar(desk: Desk) -> None:
    await desk.feed([NEXT])
    await desk.feed(bars(HISTORY))

    order = await desk.order()

    assert order.current is not None
    assert order.current.decided.fallback_reason is None


async def test_history_and_the_next_live_bar_may_share_a_request(desk: Desk) -> None:
    await desk.feed([NEXT])

    ingested = await desk.feed([*bars(HISTORY), *bars(HISTORY + 2)[HISTORY:]])

    assert (ingested.accepted, ingested.duplicates) == (HISTORY + 1, 1)
    assert await all_bars(desk) == bars(HISTORY + 2)


async def test_no_bar_is_put_before_those_on_which_an_order_stands(desk: Desk) -> None:
    await desk.feed(bars(HISTORY)[5:])
    await desk.order(min_steps=4)

    with pytest.raises(Conflict) as refused:
        await desk.feed([NEXT, bars(HISTORY)[4]])

    assert (refused.value.code, refused.value.pointer) == ("bar_out_of_order", "#/bars/1")
    assert await all_bars(desk) == bars(HISTORY)[5:]


async def test_a_history_longer_than_what_is_kept_is_cut_and_what_is_older_still_refused(store_url: str) -> None:
    async with a_desk(store_url) as desk:
        desk.store._bars_kept = 10  # a store of ten bars, so that the test need not send ten thousand
        await desk.feed([NEXT])
        await desk.feed(bars(HISTORY)[HISTORY - 9 :])

        with pytest.raises(Conflict) as refused:
            await desk.feed(bars(HISTORY))

        assert refused.value.code == "bar_out_of_order"
        assert await all_bars(desk) == bars(HISTORY + 1)[-10:]


async def test_a_bar_of_another_century_is_refused_and_ends_no_order(desk: Desk) -> None:
    await desk.feed(bars(HISTORY))
    order = await desk.order(min_steps=4)
    far = a_bar(0, open_time=NEXT.open_time.replace(year=2198), close_time=NEXT.close_time.replace(year=2198))

    with pytest.raises(InvalidInput) as refused:
        await desk.feed([NEXT, far])
    await desk.feed([NEXT])

    assert (refused.value.code, refused.value.pointer) == ("bar_too_far_ahead", "#/bars/1")
    assert (await desk.again(order)).step == 2


async def test_the_longest_gap_is_still_taken(desk: Desk) -> None:
    await desk.feed([a_bar(0)])
    windows = timedelta(days=GAP_DAYS_MAX) // timedelta(seconds=BAR_SECONDS)

    ingested = await desk.feed([a_bar(windows + 1)])
    with pytest.raises(InvalidInput):
        await desk.feed([a_bar(2 * windows + 3)])

    assert ingested.accepted == 1


async def test_wrong_bars_are_left_out_and_told_where_the_sender_takes_parts(desk: Desk) -> None:
    await desk.feed(bars(HISTORY))
    order = await desk.order(min_steps=4)
    request = [
        sent(a_bar(-1)),
        sent(NEXT),
        sent(a_bar(HISTORY + 1), instrument="NOBODY"),
        sent(a_bar(HISTORY + 1), high=Decimal(1)),
        sent(bars(HISTORY + 2)[-1]),
    ]

    ingested = await desk.engine.bars.post(request, partial=True)

    assert ingested.accepted == 2
    assert [(each.index, each.code) for each in ingested.rejected] == [
        (0, "bar_out_of_order"),
        (2, "unknown_instrument"),
        (3, "high_below_low"),
    ]
    assert (await desk.again(order)).step == 3


async def test_the_gaps_of_a_request_are_bounded(desk: Desk) -> None:
    sparse = [a_bar(GAP_WINDOWS_MAX * index) for index in range(100)]

    with pytest.raises(InvalidInput) as refused:
        await desk.feed(sparse)

    assert (refused.value.code, refused.value.pointer) == ("too_many_gaps", "#/bars/70")
    assert await all_bars(desk) == []


async def test_an_older_bar_of_a_session_that_has_one_is_refused(store_url: str) -> None:
    """Daily bars may carry any stamp of their session's date."""
    daily = an_instrument(bar_seconds=DAY_SECONDS, calendar="XNYS")
    days = [a_bar(day, bar_seconds=DAY_SECONDS) for day in range(3)]
    again = replace(days[1], open_time=days[1].open_time + HALF_A_DAY, close_time=days[1].close_time + HALF_A_DAY)
    async with a_desk(store_url, instrument=daily) as desk:
        await desk.feed(days)

        with pytest.raises(Conflict) as refused:
            await desk.feed([again])

        assert (refused.value.code, refused.value.pointer) == ("bar_out_of_order", "#/bars/0")
        assert await all_bars(desk) == days
