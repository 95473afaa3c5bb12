"""A quote is asked for like an order, is refused like one, and leaves nothing behind."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from app.domain.errors import LemError
from app.domain.order import Horizon, Limits, SizeMode
from app.domain.quote import QuoteWarning
from app.engine.quotes import QUOTES_WAITING_MAX, OrderQuote
from tests.builders import an_instrument, an_order, at, bars
from tests.engine.desk import Desk, a_desk
from tests.engine.policies import Hanging

HISTORY = 20


async def quoted(desk: Desk, **order: Any) -> OrderQuote:
    return await desk.engine.quotes.quote(an_order(**order))


async def refusal(desk: Desk, **order: Any) -> tuple[str, str | None]:
    with pytest.raises(LemError) as caught:
        await quoted(desk, **order)
    return caught.value.code, caught.value.pointer


async def test_a_quote_takes_and_records_nothing(desk: Desk) -> None:
    await desk.feed(bars(HISTORY))
    counted = dict(desk.counts)

    await quoted(desk)

    assert (await desk.engine.queries.orders()).orders == ()
    assert await desk.store.claimed(an_order().order_id) is None
    assert dict(desk.counts) == counted


async def test_the_windows_of_a_quote_are_those_that_the_order_would_have(desk: Desk) -> None:
    await desk.feed(bars(HISTORY))

    answer = await quoted(desk, min_steps=3, max_steps=6, start_time=at(HISTORY + 5))
    order = await desk.order(min_steps=3, max_steps=6, start_time=at(HISTORY + 5))

    assert [window.start for window in answer.windows] == [at(HISTORY + 5 + step) for step in range(6)]
    assert answer.windows[0].start == order.next_open
    assert len(answer.quote.end_probability) == len(answer.windows) == 6


async def test_longer_steps_are_quoted_with_bars_and_windows_of_their_length(desk: Desk) -> None:
    await desk.feed(bars(4 * HISTORY))

    answer = await quoted(desk, horizon=Horizon(min_steps=2, max_steps=4, step_seconds=3600))

    assert {window.end - window.start for window in answer.windows} == {timedelta(hours=1)}


async def test_the_expected_end_is_where_the_schedule_of_the_order_ends(desk: Desk) -> None:
    await desk.feed(bars(HISTORY))

    answer = await quoted(desk, min_steps=6, max_steps=8, start_time=at(HISTORY + 5))
    order = await desk.order(min_steps=6, max_steps=8, start_time=at(HISTORY + 5))
    schedule = await desk.engine.queries.schedule(order.order_id)

    said = [step.end_probability for step in schedule.steps]
    assert list(answer.quote.end_probability) == pytest.approx(said + [0.0] * (8 - len(said)))


@pytest.mark.parametrize(
    ("code", "pointer", "changes"),
    [
        ("unknown_instrument", "#/instrument", {"instrument": "NONE"}),
        ("not_whole_lots", "#/quantity", {"size": Decimal("0.001")}),
        ("size_implausible", "#/quantity", {"size": Decimal("1e12")}),
        ("horizon_too_long", "#/horizon/max_steps", {"max_steps": 97}),
        ("slice_cap_infeasible", "#/limits/max_slice_fraction", {"limits": Limits(max_slice_fraction=Decimal("0.05"))}),
        ("off_tick", "#/limits/limit_price", {"limits": Limits(limit_price=Decimal("100.001"))}),
        ("start_time_too_far", "#/start_time", {"start_time": at(40_000)}),
        ("start_time_past", "#/start_time", {"start_time": at(0)}),
        (
            "step_seconds_unsupported",
            "#/horizon/step_seconds",
            {"horizon": Horizon(min_steps=1, max_steps=2, step_seconds=1000)},
        ),
    ],
)
async def test_a_quote_is_refused_as_the_order_would_be(
    desk: Desk, code: str, pointer: str, changes: dict[str, Any]
) -> None:
    await desk.feed(bars(HISTORY))

    with pytest.raises(LemError) as of_the_order:
        await desk.order(**changes)

    assert await refusal(desk, **changes) == (code, pointer)
    assert (of_the_order.value.code, of_the_order.value.pointer) == (code, pointer)


async def test_without_bars_there_is_no_price_to_quote_from(desk: Desk) -> None:
    assert await refusal(desk) == ("no_bars", "#/instrument")


async def test_a_few_bars_know_no_volatility(desk: Desk) -> None:
    await desk.feed(bars(12))

    assert await refusal(desk) == ("history_too_short", "#/instrument")


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"size": Decimal("0.01")}, id="one lot"),
        pytest.param({"size": Decimal("0.01"), "size_mode": SizeMode.NOTIONAL}, id="a cent"),
        pytest.param({"size": Decimal(20_000)}, id="hundreds of times the volume of its steps"),
    ],
)
async def test_tiny_and_huge_orders_are_quoted(desk: Desk, changes: dict[str, Any]) -> None:
    await desk.feed(bars(HISTORY))

    answer = (await quoted(desk, **changes)).quote

    assert sum(answer.end_probability) == pytest.approx(1.0)
    assert answer.gain_bps.quantile(0.05) <= answer.gain_bps.quantile(0.95)
    assert answer.participation is not None


async def test_a_participation_limit_may_leave_some_of_an_order_untraded(desk: Desk) -> None:
    await desk.feed(bars(HISTORY))

    answer = await quoted(desk, size=Decimal(12), limits=Limits(max_participation_rate=Decimal("0.01")))

    assert answer.quote.filled_fraction < 0.6
    assert QuoteWarning.MAY_NOT_FINISH in answer.quote.warnings


async def test_without_a_spread_the_tick_is_the_spread(desk: Desk) -> None:
    await desk.feed(bars(HISTORY))
    order = an_order()

    tick = (await desk.engine.quotes.quote(order)).quote
    told = (await desk.engine.quotes.quote(order, half_spread_bps=Decimal("2.5"), impact=Decimal(0))).quote

    assert tick.half_spread_bps == pytest.approx(0.005 / float(bars(HISTORY)[-1].close) * 1e4)
    assert (told.half_spread_bps, told.impact_bps) == (2.5, 0.0)


async def test_the_sessions_of_an_exchange_give_the_times_of_a_quote(store_url: str) -> None:
    """Daily bars over a weekend: Monday is the next window after Friday."""
    instrument = an_instrument(bar_seconds=86_400, calendar="XNYS")
    async with a_desk(store_url, instrument=instrument) as desk:
        weekdays = [
            bar
            for bar in bars(26, bar_seconds=86_400)
            if bar.open_time.weekday() < 5 and bar.open_time.day not in {9, 20}
        ]
        await desk.feed(weekdays)

        answer = await quoted(desk, min_steps=2, max_steps=2)

    assert [window.start.weekday() for window in answer.windows] == [0, 1]


async def test_more_quotes_than_may_wait_are_refused(store_url: str) -> None:
    model = Hanging()
    async with a_desk(store_url, policies=[model]) as desk:
        await desk.feed(bars(HISTORY))
        waiting = [asyncio.create_task(quoted(desk)) for _ in range(QUOTES_WAITING_MAX)]
        await asyncio.sleep(0)

        code, _ = await refusal(desk)
        model.released.set()
        for one in waiting:
            one.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)

        assert code == "too_many_quotes"
        assert (await quoted(desk)).quote.filled_fraction == pytest.approx(1.0)


async def test_a_model_that_hangs_keeps_no_slice_waiting_for_a_quote(
    store_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.engine.stages.decide.QUOTE_SECONDS_MAX", 0.05)
    model = Hanging()
    async with a_desk(store_url, policies=[model]) as desk:
        await desk.feed(bars(HISTORY))

        code, _ = await refusal(desk)
        model.released.set()
        order = await desk.order()

    assert code == "quote_too_slow"
    assert order.step == 1
