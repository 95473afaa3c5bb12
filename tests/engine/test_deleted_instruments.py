"""Deleting an instrument that nothing stands on, with one process and with several."""

from __future__ import annotations

import pytest

from app.domain.errors import Conflict, NotFound
from tests.builders import an_instrument, at, bars
from tests.engine.desk import Desk
from tests.engine.processes import held, other, owner, processes, until

SYMBOL = "BTC-USDT"


async def test_an_instrument_is_deleted_once_its_orders_have_ended_and_starts_clean_when_it_comes_again(
    desk: Desk,
) -> None:
    await desk.feed(bars(20))
    order = await desk.order(min_steps=4)

    with pytest.raises(Conflict) as refused:
        await desk.engine.instruments.delete(SYMBOL)
    await desk.feed_one_by_one(bars(20 + 13)[20:])
    ended = await desk.again(order)
    await desk.engine.instruments.delete(SYMBOL)
    with pytest.raises(NotFound):
        await desk.engine.instruments.delete(SYMBOL)
    with pytest.raises(NotFound):
        await desk.feed(bars(34)[33:])
    with pytest.raises(NotFound):
        await desk.order("oms-2")
    created = await desk.engine.instruments.put(an_instrument(bar_seconds=60))
    taken = await desk.feed(bars(3, bar_seconds=60))

    assert refused.value.code == "instrument_in_use"
    assert order.order_id in refused.value.detail
    assert not ended.status.live
    assert await desk.again(order) == ended
    assert (created, taken.accepted) == (True, 3)
    assert (await desk.engine.stored_bars.page(SYMBOL, None, 9)).bars[-1].open_time == at(0)


async def test_an_instrument_that_one_process_owns_is_deleted_at_another_one(store_url: str) -> None:
    """Whoever has it open learns of it, and the next one of that name has an owner again."""
    async with processes(store_url, "one", "two") as desks:
        await desks[0].feed(bars(20))
        owns, asked = owner(desks), other(desks)
        await asked.feed(bars(21)[20:])

        await asked.engine.instruments.delete(SYMBOL)
        await until(owns, lambda: SYMBOL not in held(owns))
        for desk in desks:
            with pytest.raises(NotFound):
                await desk.feed(bars(22)[21:])
        await asked.engine.instruments.put(an_instrument(bar_seconds=60))
        answers = [await desk.feed(bars(n + 1, bar_seconds=60)[n:]) for n, desk in enumerate([*desks, *desks])]
        order = await asked.order(min_steps=4)
        moved = await owns.feed(bars(5, bar_seconds=60)[4:])

        assert [(each.accepted, each.decided) for each in answers] == [(1, True)] * 4
        assert moved.decided
        assert (await owns.again(order)).step == 2
        assert owner(desks) is owns
