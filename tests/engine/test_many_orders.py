"""Many orders on one instrument are moved in pieces, and each as if it stood alone."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from app.domain.errors import Unavailable
from app.domain.state import OrderState
from app.engine import pipeline
from app.engine.changes import Change
from app.store.redis_store import RedisStore
from tests.builders import bars
from tests.engine.desk import Desk, a_desk
from tests.servers import flush

HISTORY, DAY, ORDERS = 20, 6, 7


@pytest.fixture
def small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two orders at a time."""
    monkeypatch.setattr(pipeline, "MOVED_AT_ONCE", 2)


async def a_day(desk: Desk) -> list[str]:
    await desk.feed(bars(HISTORY))
    orders = [await desk.order(f"oms-{number}", min_steps=2 + number % 4) for number in range(ORDERS)]
    await desk.feed_one_by_one(bars(HISTORY + DAY)[HISTORY:])
    return [repr([await desk.again(order), *await desk.slices(order)]) for order in orders]


async def test_orders_that_are_moved_in_pieces_get_the_same_slices(
    store_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with a_desk(store_url) as desk:
        at_once = await a_day(desk)
    flush(store_url)
    monkeypatch.setattr(pipeline, "MOVED_AT_ONCE", 2)

    async with a_desk(store_url) as desk:
        in_pieces = await a_day(desk)

    assert in_pieces == at_once


class Refusing(RedisStore):
    """Refuses the commits that hold an order of that name."""

    refused: str | None = None

    async def commit(self, changes: Sequence[Change]) -> list[OrderState | None]:
        if any(change.after.order.client_order_id == self.refused for change in changes):
            raise Unavailable("store_unavailable", "a test wants it so")
        return await super().commit(changes)


@pytest.mark.usefixtures("small_pieces")
async def test_a_piece_that_cannot_be_recorded_keeps_no_other_from_it_and_the_bar_is_repeated(store_url: str) -> None:
    store = Refusing.at(store_url, lookback=96)
    async with a_desk(store_url, store=store) as desk:
        await desk.feed(bars(HISTORY))
        orders = [await desk.order(f"oms-{number}", min_steps=6) for number in range(ORDERS)]
        first, *_ = sorted(orders, key=lambda state: state.order_id)[2:]  # in the second piece
        store.refused = first.order.client_order_id

        with pytest.raises(Unavailable):
            await desk.feed(bars(HISTORY + 1)[HISTORY:])
        moved = sum([(await desk.store.order(order.order_id) or order).step == 2 for order in orders])
        store.refused = None
        await desk.feed(bars(HISTORY + 2)[HISTORY + 1 :])

        assert moved == ORDERS - 2
        assert {(await desk.again(order)).step for order in orders} == {3}


async def test_live_orders_are_read_once_however_many_bars_come(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    await desk.feed(bars(HISTORY))
    orders = [await desk.order(f"oms-{number}", min_steps=DAY) for number in range(3)]
    read, reader = [], desk.store._reader
    orders_of = reader.orders

    async def counted(symbol: str, order_ids: Sequence[str]) -> list[OrderState | Unavailable | None]:
        read.append(len(order_ids))
        return await orders_of(symbol, order_ids)

    monkeypatch.setattr(reader, "orders", counted)
    await desk.feed_one_by_one(bars(HISTORY + 4)[HISTORY:])

    assert read == []
    assert {(await desk.again(order)).step for order in orders} == {5}
