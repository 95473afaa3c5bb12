"""Orders in, slices out, on the bars clock."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest

from app.domain.errors import Conflict, InvalidInput, NotFound
from app.domain.order import Benchmark, Horizon, Limits, Side, SizeMode
from app.domain.slice import Basis, Window
from tests.builders import a_bar, an_instrument, an_order, at, bars
from tests.engine.desk import Desk, a_desk

HISTORY = 20


async def test_an_order_gets_its_first_slice_at_once_for_the_window_after_the_newest_bar(desk: Desk) -> None:
    await desk.feed(bars(HISTORY))

    order = await desk.order()

    assert order.current is not None
    assert order.current.window == Window(at(HISTORY), at(HISTORY + 1))
    assert order.current.decided.decided_on == at(HISTORY - 1)
    assert order.current.decided.basis is Basis.MODEL
    assert order.arrival_price == bars(HISTORY)[-1].close


@pytest.mark.parametrize("side", Side)
@pytest.mark.parametrize("benchmark", Benchmark)
@pytest.mark.parametrize("size_mode", SizeMode)
async def test_slices_of_every_scenario_add_up_to_the_order_exactly(
    desk: Desk, side: Side, benchmark: Benchmark, size_mode: SizeMode
) -> None:
    await desk.feed(bars(HISTORY))
    order = await desk.order(side=side, benchmark=benchmark, size_mode=size_mode, size=Decimal(1234), max_steps=7)

    await desk.feed_one_by_one(bars(HISTORY + 8)[HISTORY:])

    ended, slices = await desk.again(order), await desk.slices(order)
    sizes = [piece.quantity if size_mode is SizeMode.QUANTITY else piece.notional for piece in slices]
    assert ended.status == "completed"
    assert sum(sizes) == Decimal(1234) == ended.filled
    assert [piece.step for piece in slices] == list(range(1, len(slices) + 1))
    assert slices[-1].final


async def test_bars_in_one_request_give_the_same_slices_as_bars_one_by_one(desk: Desk) -> None:
    await desk.feed(bars(HISTORY))
    await desk.engine.instruments.put(an_instrument(symbol="TWIN"))
    await desk.feed(bars(HISTORY), "TWIN")
    one = await desk.order("one")
    other = await desk.order("other", instrument="TWIN")

    await desk.feed_one_by_one(bars(40)[HISTORY:])
    await desk.feed(bars(40)[HISTORY:], "TWIN")

    assert (await desk.again(one)).executed == (await desk.again(other)).executed


async def test_later_bars_change_no_earlier_slice(desk: Desk) -> None:
    """Causality: the same bars up to bar k, other bars behind it."""
    await desk.engine.instruments.put(an_instrument(symbol="TWIN"))
    future, other_future = bars(30)[25:], bars(30, seed=7)[25:]
    made = []
    for symbol, rest in (("BTC-USDT", future), ("TWIN", other_future)):
        await desk.feed(bars(HISTORY), symbol)
        order = await desk.order(symbol, instrument=symbol, min_steps=10)
        await desk.feed_one_by_one(bars(25)[HISTORY:], symbol)
        await desk.feed_one_by_one(rest, symbol)
        made.append([(piece.quantity, piece.decided) for piece in await desk.slices(order)])

    assert made[0][:6] == made[1][:6]
    assert made[0][6:] != made[1][6:]


async def test_orders_sent_while_bars_come_miss_no_step(desk: Desk) -> None:
    await desk.feed(bars(HISTORY))

    async def send(count: int) -> list[str]:
        return [(await desk.order(f"oms-{number}", min_steps=3)).order.order_id for number in range(count)]

    ids, _ = await asyncio.gather(send(30), desk.feed_one_by_one(bars(40)[HISTORY:]))
    await desk.feed_one_by_one(bars(60)[40:])

    for order_id in ids:
        windows = [piece.window for piece in await desk.store.slices(order_id)]
        assert (await desk.engine.queries.order(order_id)).status == "completed"
        assert all(earlier.end == later.start for earlier, later in pairwise(windows))


async def test_a_start_time_moves_the_first_window_to_the_boundary_at_or_after_it(desk: Desk) -> None:
    await desk.feed(bars(HISTORY))

    order = await desk.order(start_time=at(HISTORY + 2) + timedelta(seconds=1))
    await desk.feed_one_by_one(bars(HISTORY + 3)[HISTORY:])

    started = await desk.again(order)
    assert order.status == "accepted"
    assert started.current is not None
    assert started.current.window.start == at(HISTORY + 3)
    assert started.arrival_price == bars(HISTORY + 3)[-1].close


@pytest.mark.parametrize("ago", [timedelta(0), timedelta(seconds=900)])
async def test_an_order_that_should_have_started_a_moment_ago_starts_now(desk: Desk, ago: timedelta) -> None:
    await desk.feed(bars(HISTORY))

    order = await desk.order(start_time=at(HISTORY) - ago)

    assert order.current is not None
    assert order.current.window == Window(at(HISTORY), at(HISTORY + 1))


async def test_the_size_of_an_order_is_held_against_the_busiest_step_even_where_most_trade_nothing(desk: Desk) -> None:
    """An instrument that trades once a day takes an order of a few of its trades."""
    await desk.feed([a_bar(step, volume=Decimal(step == 3)) for step in range(HISTORY)])

    assert (await desk.order("twelve", size=Decimal(12))).status == "working"
    with pytest.raises(InvalidInput) as refused:
        await desk.order("too many", size=Decimal(1201))
    assert refused.value.code == "size_implausible"


async def test_a_size_is_held_against_the_newest_bar_while_no_step_of_its_length_is_complete(desk: Desk) -> None:
    await desk.feed([a_bar(1)])
    hours = {"horizon": Horizon(min_steps=1, max_steps=2, step_seconds=3600)}

    assert (await desk.order("like 2 hours", size=Decimal(100 * 2 * 4 * 50), **hours)).status == "accepted"
    with pytest.raises(InvalidInput) as refused:
        await desk.order("more", size=Decimal(100 * 2 * 4 * 50 + 1), **hours)
    assert refused.value.code == "size_implausible"


async def test_steps_of_several_bars_are_aligned_and_filled_at_the_aggregated_price(desk: Desk) -> None:
    await desk.feed(bars(HISTORY + 1))
    order = await desk.order(horizon=Horizon(min_steps=2, max_steps=3, step_seconds=3600))

    await desk.feed_one_by_one(bars(40)[HISTORY + 1 :])

    slices, ended = await desk.slices(order), await desk.again(order)
    assert order.current is None
    assert slices[0].window == Window(at(24), at(28))
    assert ended.status == "completed"
    assert ended.sums.volume_sum == sum(bar.volume for bar in bars(40)[24 : 24 + 4 * len(slices)])


async def test_a_gap_makes_the_benchmark_partial(desk: Desk) -> None:
    await desk.feed(bars(HISTORY))
    order = await desk.order(min_steps=5)

    await desk.feed(bars(HISTORY + 3)[-1:])

    assert (await desk.again(order)).sums.partial


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"horizon": Horizon(min_steps=1, max_steps=97)}, "horizon_too_long"),
        ({"horizon": Horizon(min_steps=1, max_steps=2, step_seconds=1000)}, "step_seconds_unsupported"),
        ({"horizon": Horizon(min_steps=1, max_steps=2, step_seconds=900 * 97)}, "step_seconds_unsupported"),
        ({"start_time": at(0) + timedelta(days=400)}, "start_time_too_far"),
        ({"start_time": at(HISTORY - 1) - timedelta(seconds=1)}, "start_time_past"),
        ({"start_time": at(HISTORY) - timedelta(days=7)}, "start_time_past"),
        ({"size": Decimal("1e12")}, "size_implausible"),
        ({"size": Decimal("1e14"), "size_mode": SizeMode.NOTIONAL}, "size_implausible"),
        ({"limits": Limits(limit_price=Decimal("100.005"))}, "off_tick"),
        ({"size": Decimal("0.001")}, "not_whole_lots"),
    ],
)
async def test_an_order_that_cannot_be_met_is_refused_and_leaves_no_trace(
    desk: Desk, changes: dict[str, Any], code: str
) -> None:
    await desk.feed(bars(HISTORY))

    with pytest.raises(InvalidInput) as refused:
        await desk.engine.orders.submit(an_order(**changes))

    assert refused.value.code == code
    assert (await desk.engine.orders.submit(an_order()))[1]


async def test_an_order_needs_an_instrument_and_a_bar(desk: Desk) -> None:
    with pytest.raises(NotFound):
        await desk.engine.orders.submit(an_order(instrument="NOBODY"))
    with pytest.raises(Conflict) as refused:
        await desk.engine.orders.submit(an_order())

    assert refused.value.code == "no_bars"


async def test_two_engines_on_one_store_give_each_step_one_slice(store_url: str) -> None:
    async with a_desk(store_url) as one, a_desk(store_url) as other:
        await one.feed(bars(HISTORY))
        order = await one.order(min_steps=5, max_steps=8)
        for bar in bars(35)[HISTORY:]:
            await asyncio.gather(one.feed([bar]), other.feed([bar]))

        ended, slices = await one.again(order), await one.slices(order)

    assert ended.status == "completed"
    assert sum(piece.quantity for piece in slices) == order.order.size
    assert ended.sums.steps == len(slices)


async def test_an_engine_takes_orders_on_bars_that_another_one_has_appended(store_url: str) -> None:
    async with a_desk(store_url) as one, a_desk(store_url) as other:
        await one.feed(bars(HISTORY))
        await other.order("first")
        await one.feed(bars(HISTORY + 3)[HISTORY:])

        order = await other.order("second")

    assert order.current is not None
    assert order.current.window.start == at(HISTORY + 3)
