"""A call whose answer is lost was done: the repeated call finds its own work, and is answered as the first would have
been."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from app.domain.errors import Unavailable
from app.engine.changes import change
from app.store.bar_changes import APPEND_BARS
from app.store.commits import COMMIT_ORDERS, CREATE_ORDER
from app.store.redis_store import RedisStore
from tests.builders import a_fill, an_order, an_order_state, at, bars
from tests.store.proxy import Proxy, a_proxy
from tests.store.test_redis_store import NEWEST, placed, stepped


@pytest.fixture
async def proxy(server: str, tmp_path: Path) -> AsyncIterator[Proxy]:
    async with a_proxy(server, tmp_path) as proxy:
        yield proxy


@pytest.fixture
async def far(store: RedisStore, proxy: Proxy) -> AsyncIterator[RedisStore]:
    """The same store behind the proxy."""
    assert await store.order("nobody") is None
    far = RedisStore.at(proxy.url, lookback=8)
    await far.weaknesses()  # connects, so that a test cuts its own call
    yield far
    await far.close()


def word(digest: str) -> bytes:
    return digest.encode()


async def test_a_created_order_is_known_as_ours_again(store: RedisStore, far: RedisStore, proxy: Proxy) -> None:
    await store.append_bars("BTC-USDT", bars(5), None)
    new = change(None, an_order_state())
    await placed(store, "another")  # the server knows the script

    proxy.cut(word(CREATE_ORDER.digest))
    made = await far.create(new, NEWEST)

    assert proxy.lost == 1
    assert made == (new.after, True)
    assert len(await store.awaiting("BTC-USDT")) == 2


async def test_an_order_that_moved_meanwhile_is_not_taken_for_ours(store: RedisStore) -> None:
    """As where another process has gone on with the order before we repeat."""
    state = await placed(store)
    await store.commit([change(state, stepped(state))])

    again = await store.create(change(None, an_order_state()), NEWEST)

    assert isinstance(again, tuple)
    assert (again[0].step, again[1]) == (1, False)


async def test_commits_are_known_as_ours_again(store: RedisStore, far: RedisStore, proxy: Proxy) -> None:
    """All orders of the call, in however many scripts; what another has done stays lost."""
    every = [await placed(store, f"oms-{number}") for number in range(3)]
    theirs = change(every[1], stepped(every[1], 20))
    await store.commit([theirs])

    proxy.cut(word(COMMIT_ORDERS.digest))
    answers = await far.commit([change(each, stepped(each)) for each in every])

    assert proxy.lost == 1
    assert answers == [None, theirs.after, None]


async def test_a_fill_is_booked_once_and_known_as_ours_again(store: RedisStore, far: RedisStore, proxy: Proxy) -> None:
    state = await placed(store)
    moved = change(state, stepped(state))
    await store.commit([moved])
    booked = change(moved.after, moved.after, a_fill(moved.after))

    proxy.cut(word(COMMIT_ORDERS.digest))
    answers = await far.commit([booked])

    assert proxy.lost == 1
    assert answers == [None]
    assert await store.order(state.order_id) == booked.after


async def test_appended_bars_are_known_as_ours_again(store: RedisStore, far: RedisStore, proxy: Proxy) -> None:
    await store.append_bars("BTC-USDT", bars(5), None)

    proxy.cut(word(APPEND_BARS.digest))
    appended = await far.append_bars("BTC-USDT", bars(8)[5:], at(4))

    assert proxy.lost == 1
    assert appended
    assert await store.bars_before("BTC-USDT", None, 99) == bars(8)


@pytest.mark.parametrize(("first", "after"), [(5, None), (5, at(3)), (6, at(4)), (4, at(3))])
async def test_other_bars_are_not_taken_for_ours(store: RedisStore, first: int, after: object) -> None:
    await store.append_bars("BTC-USDT", bars(8), None)
    sent = bars(8, seed=1)[first:] if first == 5 and after is None else bars(7)[first:]

    assert not await store.append_bars("BTC-USDT", sent, after)  # type: ignore[arg-type]
    assert await store.bars_before("BTC-USDT", None, 99) == bars(8)


async def test_where_the_repeated_answer_is_lost_too_the_store_is_unavailable(
    store: RedisStore, far: RedisStore, proxy: Proxy
) -> None:
    await placed(store, "another")
    order = an_order()
    proxy.cut(word(CREATE_ORDER.digest), cuts=2)

    with pytest.raises(Unavailable) as refused:
        await far.create(change(None, an_order_state(order)), NEWEST)

    assert refused.value.code == "store_unavailable"
    await store.claim(order)
    assert await store.order(order.order_id) is not None
