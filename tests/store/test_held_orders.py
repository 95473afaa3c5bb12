"""Orders that await bars are read once and then held, and nobody misses what another process has recorded."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from redis import Redis

from app.domain.errors import Unavailable
from app.domain.state import OrderState
from app.domain.transitions import cancel
from app.engine.changes import change
from app.engine.tasks import end
from app.store import keys
from app.store.commits import COMMIT_ORDERS
from app.store.redis_store import RedisStore
from tests.builders import START
from tests.store.proxy import a_proxy
from tests.store.test_redis_store import placed, stepped

SYMBOL = "BTC-USDT"


@pytest.fixture
async def other(server: str) -> AsyncIterator[RedisStore]:
    """Another process on the same server."""
    opened = RedisStore.at(server, lookback=8)
    yield opened
    await opened.close()


def reads(server: str) -> int:
    """How often the server was asked for the ids of the orders that await bars."""
    with Redis.from_url(server, decode_responses=True) as client:
        return int(client.info("commandstats").get("cmdstat_smembers", {}).get("calls", 0))


async def moved(store: RedisStore, state: OrderState) -> OrderState:
    """The order with its next slice, recorded."""
    step = change(state, stepped(state))
    assert await store.commit([step]) == [None]
    return step.after


async def cancelled(store: RedisStore, state: OrderState) -> None:
    assert await store.commit([change(state, cancel(state, START))]) == [None]


async def test_what_this_process_records_is_held_without_another_read(store: RedisStore, server: str) -> None:
    first = await placed(store)
    assert await store.awaiting(SYMBOL) == [first]
    before = reads(server)

    second = await placed(store, "oms-2")
    third = await placed(store, "oms-3")
    first = await moved(store, first)
    await cancelled(store, second)

    assert await store.awaiting(SYMBOL) == sorted([first, third], key=lambda state: state.order_id)
    assert reads(server) == before


async def test_many_changes_at_once_are_held_without_another_read(store: RedisStore, server: str) -> None:
    await placed(store)
    every = await asyncio.gather(*(placed(store, f"oms-{number}") for number in range(2, 222)))
    await store.awaiting(SYMBOL)
    before = reads(server)

    await asyncio.gather(
        store.commit([change(each, stepped(each)) for each in every]),
        *(placed(store, f"more-{number}") for number in range(20)),
    )

    held = await store.awaiting(SYMBOL)
    assert reads(server) == before
    assert {state.order_id for state in held if state.step} == {state.order_id for state in every}
    assert len(held) == 241


async def test_what_another_process_creates_moves_and_ends_is_seen(store: RedisStore, other: RedisStore) -> None:
    first = await placed(store)
    await store.awaiting(SYMBOL)

    second = await placed(other, "oms-2")
    with_second = await store.awaiting(SYMBOL)
    first = await moved(other, first)
    with_first_moved = await store.awaiting(SYMBOL)
    await cancelled(other, second)

    assert {state.order_id for state in with_second} == {first.order_id, second.order_id}
    assert first in with_first_moved
    assert await store.awaiting(SYMBOL) == [first] == await other.awaiting(SYMBOL)


async def test_changes_of_two_processes_in_turn_are_all_seen(store: RedisStore, other: RedisStore) -> None:
    state = await placed(store)
    for _ in range(3):
        state = await moved(other, state)
        state = await moved(store, state)

        assert await store.awaiting(SYMBOL) == [state] == await other.awaiting(SYMBOL)


async def test_a_change_that_lost_its_race_leaves_what_has_won(store: RedisStore, other: RedisStore) -> None:
    state = await placed(store)
    await store.awaiting(SYMBOL)
    winner = await moved(other, state)

    assert await store.commit([change(state, stepped(state, 20))]) == [winner]
    assert await store.awaiting(SYMBOL) == [winner]


async def test_a_change_whose_answer_was_lost_is_seen(store: RedisStore, server: str, tmp_path: Path) -> None:
    state = await placed(store)
    async with a_proxy(server, tmp_path) as proxy:
        far = RedisStore.at(proxy.url, lookback=8)
        await far.awaiting(SYMBOL)
        await far.commit([change(state, state)])  # the server knows the script
        [state] = await far.awaiting(SYMBOL)
        step = change(state, stepped(state))
        proxy.cut(COMMIT_ORDERS.digest.encode(), cuts=2)
        with pytest.raises(Unavailable):
            await far.commit([step])

        assert await far.awaiting(SYMBOL) == [step.after]
        await far.close()


async def test_a_store_that_has_lost_the_newest_changes_is_read_again(store: RedisStore, server: str) -> None:
    """As a replica that takes over, and goes on from an earlier state."""
    state = await placed(store)
    await store.awaiting(SYMBOL)
    with Redis.from_url(server, decode_responses=True) as client:
        kept: list[tuple[str, Any]] = [
            (key, client.hgetall(key)) for key in (keys.instrument(SYMBOL), keys.order(SYMBOL, state.order_id))
        ]
        await moved(store, state)
        for key, fields in kept:
            client.hset(key, mapping=fields)

    assert await store.awaiting(SYMBOL) == [state]


@asynccontextmanager
async def hearing(server: str, name: str) -> AsyncIterator[RedisStore]:
    """A process that hears what the others give notice of."""
    store = RedisStore.at(server, lookback=8, process=name)
    assert store.shared is not None
    await store.shared.beat(60_000)
    listening = asyncio.create_task(_hear(store))
    yield store
    await end(listening)
    await store.close()


async def _hear(store: RedisStore) -> None:
    assert store.shared is not None
    async for _ in store.shared.notices():
        pass


async def all_hear(stores: Sequence[RedisStore], server: str) -> None:
    """Until each process listens to each other one."""
    for store in stores:
        assert store.shared is not None
        await store.shared.beat(60_000)
    with Redis.from_url(server, decode_responses=True) as client:
        while len(client.pubsub_channels("lem:notices:*")) < len(stores):  # noqa: ASYNC110 -- no event comes
            await asyncio.sleep(0.01)


@pytest.mark.usefixtures("store")
async def test_what_another_process_gives_notice_of_is_read_alone(server: str) -> None:
    async with hearing(server, "one") as one, hearing(server, "two") as two:
        await all_hear([one, two], server)
        every = [await placed(one, f"oms-{number}") for number in range(20)]
        await one.awaiting(SYMBOL)
        before, read = reads(server), decoded(server)

        second = await moved(two, every[1])
        third = await moved(one, every[2])
        await cancelled(two, every[3])
        fourth = await placed(two, "oms-20")
        held = {state.order_id: state for state in await one.awaiting(SYMBOL)}

    assert reads(server) == before
    assert decoded(server) - read == 4 + 3, "each of the four scripts reads its order, and three of them are read again"
    assert (held[second.order_id], held[third.order_id], held[fourth.order_id]) == (second, third, fourth)
    assert every[3].order_id not in held
    assert len(held) == 20


def decoded(server: str) -> int:
    """How often an order was read whole."""
    with Redis.from_url(server, decode_responses=True) as client:
        return int(client.info("commandstats").get("cmdstat_hmget", {}).get("calls", 0))


async def test_an_order_that_is_held_is_asked_for_without_being_read_again(store: RedisStore, server: str) -> None:
    state = await placed(store)
    await store.awaiting(SYMBOL)
    assert await store.order(state.order_id) == state
    state = await moved(store, state)
    before = decoded(server)

    assert [await store.order(state.order_id) for _ in range(3)] == [state] * 3
    assert decoded(server) == before


async def test_who_asks_for_an_order_sees_what_another_process_has_recorded(
    store: RedisStore, other: RedisStore
) -> None:
    state = await placed(store)
    await store.awaiting(SYMBOL)
    assert await store.order(state.order_id) == state

    theirs = await moved(other, state)
    seen = await store.order(state.order_id)
    await cancelled(other, theirs)

    assert seen == theirs
    assert (await store.order(state.order_id) or state).status == "cancelled"


async def test_who_asks_while_orders_change_never_sees_an_older_one(store: RedisStore, other: RedisStore) -> None:
    states = [await placed(store, f"oms-{number}") for number in range(4)]
    await store.awaiting(SYMBOL)

    async def asked(state: OrderState) -> list[int]:
        found = [await store.order(state.order_id) for _ in range(20)]
        return [each.version for each in found if each]

    async def stepping(by: RedisStore, state: OrderState) -> None:
        for _ in range(5):
            state = await moved(by, state)

    versions = await asyncio.gather(
        *map(asked, states), *(stepping((store, other)[place % 2], each) for place, each in enumerate(states))
    )

    for seen in versions[:4]:
        assert seen == sorted(seen or [])
    assert [(await store.order(each.order_id) or each).step for each in states] == [5] * 4


async def test_an_order_that_is_not_understood_is_tried_again_and_the_others_are_held(
    store: RedisStore, server: str
) -> None:
    bad, good = await placed(store, "bad"), await placed(store, "good")
    key = keys.order(SYMBOL, bad.order_id)
    with Redis.from_url(server, decode_responses=True) as client:
        text: Any = client.hget(key, "state")
        client.hset(key, "state", "garbage")
        without = await store.awaiting(SYMBOL)
        before = reads(server)
        client.hset(key, "state", text)

    assert without == [good]
    assert await store.awaiting(SYMBOL) == sorted([bad, good], key=lambda state: state.order_id)
    assert reads(server) == before
