"""Orders of accounts in the store: listed by account, and unknown to no list that is not theirs."""

from __future__ import annotations

import pytest

from app.domain.lifecycle import Status
from app.domain.order import order_id_of
from app.domain.state import OrderState
from app.domain.transitions import cancel
from app.engine.changes import change
from app.store import pages
from app.store.redis_store import RedisStore
from tests.builders import START, an_instrument, an_order, an_order_state, bars
from tests.store.test_redis_store import NEWEST

BTC, ETH = "BTC-USDT", "ETH-USDT"


async def of_account(store: RedisStore, account: str | None, name: str, symbol: str = BTC) -> OrderState:
    order_id = order_id_of(name, account)
    order = an_order(client_order_id=name, order_id=order_id, account=account, instrument=symbol)
    made = await store.create(change(None, an_order_state(order)), NEWEST)
    assert isinstance(made, tuple)
    assert made[1]
    return made[0]


async def stocked(store: RedisStore) -> RedisStore:
    for symbol in (BTC, ETH):
        await store.put_instrument(an_instrument(symbol=symbol))
        await store.append_bars(symbol, bars(5), None)
    return store


async def listed(
    store: RedisStore, account: str | None, status: Status | None = None, limit: int = 100
) -> list[list[str]]:
    """The order ids of each page."""
    found, cursor = [], None
    while True:
        page = await store.page(status=status, instrument=None, account=account, limit=limit, cursor=cursor)
        found.append([each.order_id for each in page.orders])
        cursor = page.next_cursor
        if cursor is None:
            return found


async def test_an_order_comes_back_with_its_account(store: RedisStore) -> None:
    await stocked(store)
    state = await of_account(store, "desk 1", "oms-1")

    found = await store.order(state.order_id)

    assert found == state
    assert found is not None
    assert found.order.account == "desk 1"


async def test_a_list_of_an_account_has_its_orders_alone(store: RedisStore) -> None:
    await stocked(store)
    first = [await of_account(store, "one", f"oms-{number}", symbol) for number, symbol in enumerate((BTC, ETH, BTC))]
    second = [await of_account(store, "two", "oms-0")]
    of_nobody = [await of_account(store, None, "oms-0")]

    assert sorted(*await listed(store, "one")) == sorted(each.order_id for each in first)
    assert await listed(store, "two") == [[each.order_id for each in second]]
    assert await listed(store, "three") == [[]]
    assert len(*await listed(store, None)) == len(first + second + of_nobody)


async def test_pages_of_an_account_by_status_miss_nothing_and_repeat_nothing(
    store: RedisStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    await stocked(store)
    own = [await of_account(store, "one", f"oms-{number}") for number in range(9)]
    for number in range(9):
        await of_account(store, "two", f"oms-{number}")
    ended = own[::2]
    await store.commit([change(state, cancel(state, START)) for state in ended])
    monkeypatch.setattr(pages, "LOOKED_AT_ONCE", 2)

    cancelled = await listed(store, "one", Status.CANCELLED, limit=2)
    live = await listed(store, "one", Status.ACCEPTED, limit=3)

    assert cancelled == [[state.order_id for state in ended[first : first + 2]] for first in (0, 2, 4)]
    assert [order_id for page in live for order_id in page] == [state.order_id for state in own[1::2]]
