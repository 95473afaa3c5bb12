"""Bars are taken once, in order, all of a request or none."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from app.bars.gaps import GAP_WINDOWS_MAX
from app.domain.errors import InvalidInput, NotFound
from app.engine.instruments import loading
from app.engine.results import FeedBar
from tests.builders import START, a_bar, an_instrument, at, bars
from tests.engine.desk import Desk, a_desk, sent


async def test_new_bars_are_recorded_in_order(desk: Desk) -> None:
    ingested = await desk.feed(bars(5))

    assert (ingested.accepted, ingested.duplicates, ingested.gaps_filled) == (5, 0, 0)
    assert await desk.store.bars_before("BTC-USDT", None, 10) == bars(5)


async def test_an_identical_repeat_changes_nothing(desk: Desk) -> None:
    await desk.feed(bars(5))

    ingested = await desk.feed(bars(7))

    assert (ingested.accepted, ingested.duplicates) == (2, 5)
    assert await desk.store.bars_before("BTC-USDT", None, 10) == bars(7)


async def test_repeats_are_known_over_several_pages_of_the_history(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loading, "PAGE_BARS", 2)
    await desk.feed(bars(9))

    ingested = await desk.feed(bars(10)[2:])
    revised = await desk.feed([*bars(7)[2:], a_bar(7, price="99")])

    assert (ingested.accepted, ingested.duplicates) == (1, 7)
    assert (revised.duplicates, revised.revised) == (5, 1)


async def test_a_bar_in_another_offset_or_with_other_zeros_is_the_same_bar(desk: Desk) -> None:
    await desk.feed([a_bar(0)])

    ingested = await desk.engine.bars.post([sent(a_bar(0), close=Decimal("100.00"))])

    assert ingested.duplicates == 1


async def test_a_repeat_within_one_request_is_a_duplicate(desk: Desk) -> None:
    ingested = await desk.feed([*bars(2), *bars(2)])

    assert (ingested.accepted, ingested.duplicates) == (2, 2)


async def test_bars_of_a_request_may_come_in_any_order(desk: Desk) -> None:
    ingested = await desk.feed(bars(5)[::-1])

    assert (ingested.accepted, ingested.gaps_filled) == (5, 0)
    assert await desk.store.bars_before("BTC-USDT", None, 10) == bars(5)


@pytest.mark.parametrize(
    ("bad", "code"),
    [
        (sent(a_bar(9), open_time=at(9) + timedelta(seconds=1)), "misaligned_bar"),
        (sent(a_bar(9), open_time=at(9).replace(tzinfo=None)), "naive_time"),
        (sent(a_bar(9), open_time=at(9).replace(year=1969)), "bar_too_old"),
        (sent(a_bar(9), high=Decimal(1)), "high_below_low"),
        (sent(a_bar(9), close=Decimal("NaN")), "not_finite"),
        (sent(a_bar(9), volume=Decimal(-1)), "negative"),
    ],
)
async def test_a_bad_bar_anywhere_changes_nothing_at_all(desk: Desk, bad: FeedBar, code: str) -> None:
    await desk.engine.instruments.put(an_instrument(symbol="AAA"))
    good = [sent(a_bar(9), instrument="AAA"), sent(a_bar(8))]

    with pytest.raises(InvalidInput) as refused:
        await desk.engine.bars.post([*good, bad])

    assert refused.value.code == code
    assert await desk.store.bars_before("BTC-USDT", None, 10) == []
    assert await desk.store.bars_before("AAA", None, 10) == []


async def test_bars_of_an_unknown_instrument_are_refused_with_all_others(desk: Desk) -> None:
    with pytest.raises(NotFound) as refused:
        await desk.engine.bars.post([sent(a_bar(0)), sent(a_bar(0), instrument="NOBODY")])

    assert refused.value.code == "unknown_instrument"
    assert await desk.store.bars_before("BTC-USDT", None, 10) == []


async def test_a_gap_is_filled_with_marked_bars_and_counted(desk: Desk) -> None:
    await desk.feed([a_bar(0, price="101")])

    ingested = await desk.feed([a_bar(3)])

    recorded = await desk.store.bars_before("BTC-USDT", None, 10)
    assert ingested.gaps_filled == desk.counts["gaps"] == 2
    assert [bar.synthetic for bar in recorded] == [False, True, True, False]
    assert {bar.close for bar in recorded[1:3]} == {Decimal(101)}


async def test_a_long_gap_is_not_filled_and_starts_the_history_anew(desk: Desk) -> None:
    await desk.feed(bars(20))
    after = 20 + GAP_WINDOWS_MAX + 1

    ingested = await desk.feed([a_bar(after)])
    order = await desk.order()

    assert ingested.gaps_filled == 0
    assert order.current is not None
    assert order.current.decided.fallback_reason == "insufficient_history"


async def test_an_order_under_way_ends_within_a_long_gap(desk: Desk) -> None:
    await desk.feed(bars(20))
    order = await desk.order(max_steps=6, min_steps=6)

    await desk.feed([a_bar(20 + 10 * GAP_WINDOWS_MAX)])

    ended = await desk.again(order)
    assert ended.status == "completed"
    assert (ended.sums.steps, ended.sums.unseen_steps) == (0, 6)
    assert ended.unpriced == order.order.size
    assert (ended.avg_price, ended.slippage_bps) == (None, None)


async def test_nights_and_holidays_are_no_gaps(store_url: str) -> None:
    """Christmas 2024 was a Wednesday; XNYS closed early the day before."""
    instrument = an_instrument(bar_seconds=86_400, calendar="XNYS")
    days = [replace(a_bar(0, bar_seconds=86_400), open_time=day, close_time=day + timedelta(days=1)) for day in (
        START.replace(year=2024, month=12, day=24),
        START.replace(year=2024, month=12, day=26),
        START.replace(year=2024, month=12, day=27),
        START.replace(year=2024, month=12, day=30),
    )]  # fmt: skip
    async with a_desk(store_url, instrument=instrument) as desk:
        ingested = await desk.feed(days)

    assert (ingested.accepted, ingested.gaps_filled) == (4, 0)


async def test_a_second_engine_on_the_store_appends_behind_the_first(store_url: str) -> None:
    async with a_desk(store_url) as one, a_desk(store_url) as other:
        await one.feed(bars(3))
        await other.feed(bars(5))
        await one.feed(bars(6))

        recorded = await one.store.bars_before("BTC-USDT", None, 10)

    assert recorded == bars(6)


async def test_bars_that_another_engine_has_outrun_are_taken_with_those_of_the_other_instruments(
    store_url: str,
) -> None:
    """The second append of the request fails when the first has been made; both instruments are then opened anew."""
    async with a_desk(store_url) as one, a_desk(store_url) as other:
        await one.engine.instruments.put(an_instrument(symbol="TWIN"))
        await one.engine.bars.post([sent(bar, symbol) for bar in bars(20) for symbol in ("BTC-USDT", "TWIN")])
        order = await one.order(min_steps=5)
        await other.feed([bars(21)[20]], "TWIN")

        await one.engine.bars.post([sent(bars(21)[20]), sent(bars(22)[21], "TWIN")])

        moved = await one.again(order)
        recorded = await one.store.bars_before("TWIN", None, 30)

    assert (moved.step, moved.sums.steps) == (2, 1)
    assert recorded == bars(22)
