"""An order that cannot be moved over a bar is left out alone: the bar, the other orders and instruments go on."""

from __future__ import annotations

import logging
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from app.domain.order import Horizon
from app.domain.state import OrderState
from app.engine.changes import Change, change
from tests.builders import BAR_SECONDS, a_bar, an_instrument, bars
from tests.engine.desk import Desk, a_desk, sent

HISTORY = 20


@pytest.fixture
def broken(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """The client_order_ids of orders that cannot be moved."""
    names: set[str] = set()

    def change_or_fail(before: OrderState | None, after: OrderState, **more: Any) -> Change:
        if after.order.client_order_id in names:
            raise ArithmeticError("a test wants it so")
        return change(before, after, **more)

    monkeypatch.setattr("app.engine.pipeline.change", change_or_fail)
    return names


async def steps(desk: Desk, orders: list[OrderState]) -> list[int]:
    return [(await desk.again(each)).step for each in orders]


async def test_one_order_that_fails_holds_up_neither_the_bar_nor_any_other(desk: Desk, broken: set[str]) -> None:
    await desk.engine.instruments.put(an_instrument(symbol="TWIN"))
    await desk.engine.bars.post([sent(bar, symbol) for bar in bars(HISTORY) for symbol in ("BTC-USDT", "TWIN")])
    orders = [await desk.order(f"oms-{number}", min_steps=6) for number in range(7)]
    orders.append(await desk.order("twin", min_steps=6, instrument="TWIN"))
    broken.add("oms-3")

    next_bar = bars(HISTORY + 1)[HISTORY]
    ingested = await desk.engine.bars.post([sent(next_bar, symbol) for symbol in ("BTC-USDT", "TWIN")])

    assert ingested.accepted == 2
    assert await steps(desk, orders) == [2, 2, 2, 1, 2, 2, 2, 2]
    assert desk.counts["set aside"] == 1
    assert (await desk.engine.recovery.readiness()).ready


async def test_an_order_set_aside_is_told_once_and_goes_on_when_it_can(
    desk: Desk, broken: set[str], caplog: pytest.LogCaptureFixture
) -> None:
    await desk.feed(bars(HISTORY))
    orders = [await desk.order("good", min_steps=9), await desk.order("bad", min_steps=9)]
    broken.add("bad")
    await desk.feed(bars(HISTORY + 3)[HISTORY:])
    while_broken = await steps(desk, orders)

    broken.clear()
    await desk.feed(bars(HISTORY + 4)[HISTORY + 3 :])

    told = [(record.levelname, record.getMessage()) for record in caplog.records]
    assert while_broken == [4, 1]
    assert (await desk.again(orders[1])).step == 2
    assert (await desk.again(orders[1])).sums.steps == 1
    assert told == [
        ("ERROR", f"order {orders[1].order_id} is set aside: it cannot be moved"),
        ("WARNING", f"order {orders[1].order_id} is no longer set aside"),
    ]
    assert desk.counts["set aside"] == 0


async def test_an_order_that_fails_does_not_keep_the_service_from_starting(store_url: str, broken: set[str]) -> None:
    async with a_desk(store_url) as desk:
        await desk.feed(bars(HISTORY))
        orders = [await desk.order("good", min_steps=9), await desk.order("bad", min_steps=9)]
    broken.add("bad")

    async with a_desk(store_url) as desk:
        await desk.feed(bars(HISTORY + 2)[HISTORY:])

        assert (await desk.engine.recovery.readiness()).ready
        assert await steps(desk, orders) == [3, 1]


async def test_the_log_of_an_order_set_aside_says_where_it_failed_and_nothing_of_the_order(
    desk: Desk, broken: set[str], caplog: pytest.LogCaptureFixture
) -> None:
    await desk.feed(bars(HISTORY))
    await desk.order("secret-client-id", min_steps=9)
    broken.add("secret-client-id")

    with caplog.at_level(logging.DEBUG):
        await desk.feed(bars(HISTORY + 1)[HISTORY:])

    assert "secret-client-id" not in caplog.text


async def test_a_recorded_bar_that_no_step_can_carry_starts_the_history_anew_and_stops_nothing(desk: Desk) -> None:
    """Such bars are refused at the door; an earlier release may have recorded one."""
    await desk.feed(bars(HISTORY))
    longer = await desk.order("longer", horizon=Horizon(min_steps=4, max_steps=4, step_seconds=4 * BAR_SECONDS))
    other = await desk.order("other", min_steps=9)
    poison = replace(a_bar(HISTORY), volume=Decimal(10) ** 17)

    await desk.store.append_bars("BTC-USDT", [poison], bars(HISTORY)[-1].open_time)
    for step in range(HISTORY + 1, HISTORY + 9):
        await desk.feed(bars(step + 1)[step:])

    assert (await desk.again(other)).step == 10
    assert (await desk.again(longer)).step == 3
