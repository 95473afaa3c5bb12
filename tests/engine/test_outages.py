"""A feed that is out: what nobody has seen is expected, not nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from app.decision.policies.twap import Twap
from app.decision.policies.volume_curve import VolumeCurve
from app.domain.bar import Bar
from app.domain.order import Benchmark, Limits
from app.domain.slice import Slice
from tests.builders import a_bar, an_instrument, at, bars
from tests.engine.desk import ManualClock, a_desk
from tests.engine.test_wall_clock import A_SECOND, move

DAY_BARS = 96
HISTORY = 5 * DAY_BARS
STEPS = 8
POLICIES = (VolumeCurve(), VolumeCurve(), Twap())


def busy(step: int) -> Decimal:
    """A volume that rises fourfold within two hours of every day, and falls again."""
    return Decimal(1000 + 500 * min(abs(step % DAY_BARS - 4), 8))


def a_history(count: int = HISTORY, first: int = 0) -> list[Bar]:
    return [
        replace(bar, volume=busy(first + index), notional=None) for index, bar in enumerate(bars(count, first=first))
    ]


def curve(first: int) -> list[Decimal]:
    """The share of the steps' usual volume that each of them has."""
    volumes = [busy(first + step) for step in range(STEPS)]
    return [volume / sum(volumes) for volume in volumes]


async def slices(url: str, given: Sequence[int], **changes: Any) -> list[Slice]:
    """The slices of an order of 8 steps of which only the bars of the steps `given` come, each in time."""
    clock = ManualClock(at(HISTORY))
    async with a_desk(url, clock=clock, policies=POLICIES, instrument=an_instrument(lot_size=Decimal("0.001"))) as desk:
        await desk.feed(a_history())
        order = await desk.order(size=Decimal(100), min_steps=STEPS, max_steps=STEPS, **changes)
        for step in range(1, STEPS):
            clock.time = at(HISTORY + step)
            if step in given:
                await desk.feed(a_history(step, HISTORY)[-1:])
            await move(desk, clock, at(HISTORY + step) + 60 * A_SECOND)
        return await desk.slices(order)


async def fractions(url: str, given: Sequence[int], **changes: Any) -> list[Decimal]:
    return [piece.fraction for piece in await slices(url, given, **changes)]


async def test_in_an_outage_over_a_whole_order_slices_follow_the_volume_curve(store_url: str) -> None:
    asked = await fractions(store_url, given=())

    assert sum(asked) == 1
    assert all(mine <= 2 * share for mine, share in zip(asked, curve(HISTORY), strict=True))
    assert all(mine >= share / 2 for mine, share in zip(asked, curve(HISTORY), strict=True))


@pytest.mark.parametrize("given", [(1, 2), (4,), (6, 7)])
async def test_a_feed_that_comes_and_goes_moves_no_slice_far_from_the_curve(
    store_url: str, given: tuple[int, ...]
) -> None:
    """When a bar comes after a hole, the hole is filled with synthetic bars."""
    asked = await fractions(store_url, given=given)

    assert all(share / 2 <= mine <= 2 * share for mine, share in zip(asked, curve(HISTORY), strict=True))


async def test_twap_slices_are_even_in_an_outage(store_url: str) -> None:
    asked = await fractions(store_url, given=(), benchmark=Benchmark.TWAP)

    assert asked == [Decimal("0.125")] * STEPS


async def test_the_participation_limit_of_a_window_far_ahead_is_a_share_of_its_own_forecast(store_url: str) -> None:
    """The fifth window is the quietest of the day."""
    rate = Decimal("0.005")

    given = await slices(store_url, given=(), limits=Limits(max_participation_rate=rate))

    assert all(piece.quantity <= rate * (piece.expected_volume or 0) for piece in given)
    assert min(given, key=lambda piece: piece.expected_volume or 0).step == 5


async def test_nothing_more_is_assumed_to_trade_than_the_participation_limit_allows_of_the_real_volume(
    store_url: str,
) -> None:
    async with a_desk(store_url, policies=POLICIES) as desk:
        await desk.feed(a_history())
        order = await desk.order(
            size=Decimal(1000), min_steps=4, max_steps=6, limits=Limits(max_participation_rate=Decimal("0.1"))
        )
        for step, volume in enumerate(("1", "1", "0", "1", "1", "1")):
            await desk.feed([a_bar(HISTORY + step, volume=Decimal(volume), notional=None)])
        ended = await desk.again(order)

    assert ended.status == "expired"
    assert ended.filled <= Decimal("0.5")
    assert (ended.unpriced, ended.sums.partial) == (0, False)


async def test_a_vwap_order_on_a_feed_without_volume_is_paced_evenly(store_url: str) -> None:
    async with a_desk(store_url, policies=POLICIES) as desk:
        silent = [replace(bar, volume=Decimal(0), notional=None) for bar in bars(HISTORY + STEPS)]
        await desk.feed(silent[:HISTORY])
        order = await desk.order(min_steps=STEPS, max_steps=STEPS)
        for bar in silent[HISTORY:]:
            await desk.feed([bar])

        assert {piece.fraction for piece in await desk.slices(order)} == {Decimal("0.125")}
