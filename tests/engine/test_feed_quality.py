"""What came of each instrument's bars is counted, and outlives the process that counted."""

from __future__ import annotations

import pytest
from redis import Redis

from app.domain.errors import Conflict, InvalidInput, NotFound, Unavailable
from app.engine.feed_quality import BarCount, Quality
from app.store import keys
from tests.builders import PRICE, a_bar, an_instrument, at, bars
from tests.engine.desk import Desk, ManualClock, a_desk, sent
from tests.engine.processes import processes
from tests.engine.test_revised_bars import revised

SYMBOL = "BTC-USDT"


def counted(quality: Quality) -> dict[str, int]:
    """What is not zero."""
    return {str(what): count for what, count in quality.counts.items() if count}


async def test_what_came_of_bars_is_counted_by_kind(desk: Desk) -> None:
    await desk.feed([a_bar(n) for n in (2, 3)])
    await desk.feed([a_bar(n) for n in (0, 3, 6)])
    await desk.feed([revised(a_bar(3))])
    await desk.feed([a_bar(7, price=PRICE * 2)])

    quality = await desk.engine.quality.of(SYMBOL)

    assert counted(quality) == {
        "accepted": 5,
        "duplicates": 1,
        "revised": 1,
        "older": 1,
        "gaps_filled": 3,
        "out_of_order": 1,
        "implausible_moves": 1,
    }
    assert quality.refused == {}
    assert (desk.counts["counted duplicates"], desk.counts["counted implausible_moves"]) == (1, 1)


async def test_refused_bars_are_counted_by_reason_and_those_of_nobody_are_not(desk: Desk) -> None:
    await desk.feed(bars(20))
    await desk.order(min_steps=4)
    inverted, far = sent(a_bar(20), high=PRICE / 2), sent(a_bar(20_000))

    for wrong, error in ((inverted, InvalidInput), (sent(a_bar(-1)), Conflict), (sent(a_bar(20), "NOBODY"), NotFound)):
        with pytest.raises(error):
            await desk.engine.bars.post([sent(a_bar(20)), wrong])
    partly = await desk.engine.bars.post([inverted, sent(a_bar(20)), far], partial=True)

    quality = await desk.engine.quality.of(SYMBOL)
    assert (partly.accepted, len(partly.rejected)) == (1, 2)
    assert quality.refused == {"bar_out_of_order": 1, "bar_too_far_ahead": 1, "high_below_low": 2}
    assert quality.counts[BarCount.OUT_OF_ORDER] == 1
    assert (await desk.engine.quality.of("NOBODY")).refused == {}
    assert desk.counts["refused high_below_low"] == 2


async def test_bars_that_come_later_than_the_grace_are_counted(store_url: str) -> None:
    clock = ManualClock(at(3))
    async with a_desk(store_url, clock=clock) as desk:
        await desk.feed([a_bar(1), a_bar(2)])
        clock.time = at(4) + (at(1) - at(0)) / 2
        await desk.feed([a_bar(3)])

        assert (await desk.engine.quality.of(SYMBOL)).counts[BarCount.LATE] == 1


async def test_counts_of_all_processes_add_up_and_outlive_them(store_url: str) -> None:
    async with processes(store_url, "one", "two") as desks:
        await desks[0].feed(bars(3))
        await desks[1].feed(bars(5))
        for desk in desks:
            await desk.engine.quality.save()
        seen = [counted(await desk.engine.quality.of(SYMBOL)) for desk in desks]
        await desks[0].feed(bars(6)[5:])
    async with a_desk(store_url) as again:
        after = counted(await again.engine.quality.of(SYMBOL))

    assert seen == [{"accepted": 5, "duplicates": 3}] * 2
    assert after == {"accepted": 6, "duplicates": 3}, "who ends in order saves what it has counted"


async def test_counts_wait_for_a_store_that_is_away_and_go_with_their_instrument(
    desk: Desk, store_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(_: object) -> None:
        raise Unavailable("store_unavailable", "the store is away")

    await desk.feed(bars(3))
    with monkeypatch.context() as patch:
        patch.setattr(desk.store, "add_quality", away)
        with pytest.raises(Unavailable):
            await desk.engine.quality.save()
    await desk.engine.quality.save()
    saved = counted(await desk.engine.quality.of(SYMBOL))
    await desk.store.delete_instrument(SYMBOL)
    await desk.store.add_quality({SYMBOL: {"accepted": 1}})
    with Redis.from_url(store_url) as client:
        left = client.exists(keys.quality(SYMBOL))
    await desk.engine.instruments.put(an_instrument())

    assert saved == {"accepted": 3}
    assert left == 0
    assert counted(await desk.engine.quality.of(SYMBOL)) == {}
