"""Leases in the store: their fence grows with every owner, and what an owner of before commits is refused."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from redis import Redis

from app.domain.errors import Unavailable
from app.domain.transitions import cancel
from app.engine.changes import change
from app.engine.ownership.lease import Lease, NotOwner
from app.engine.ownership.rendezvous import preferred
from app.store import keys
from app.store.process_records import ProcessRecords
from app.store.redis_store import RedisStore
from tests.builders import START, an_instrument
from tests.store.test_redis_store import placed, stepped

SYMBOL = "BTC-USDT"


@pytest.fixture
async def one(store: RedisStore, server: str) -> AsyncIterator[RedisStore]:
    """A process that shares the store, on which the instrument of the builders is registered."""
    await store.put_instrument(an_instrument())
    opened = RedisStore.at(server, lookback=8, process="one")
    yield opened
    await opened.close()


def shared(store: RedisStore) -> ProcessRecords:
    assert store.shared is not None
    return store.shared


async def test_the_fence_grows_with_every_owner_and_only_who_knows_it_may_change_the_owner(one: RedisStore) -> None:
    first = await shared(one).assign(SYMBOL, Lease(), "one")
    second = await shared(one).assign(SYMBOL, first, "two")
    late = await shared(one).assign(SYMBOL, first, "three")

    assert (first, second, late) == (Lease("one", 1), Lease("two", 2), Lease("two", 2))
    assert await shared(one).leases([SYMBOL, "NONE"]) == [Lease("two", 2), Lease()]


async def test_an_instrument_that_is_not_registered_gets_no_owner(one: RedisStore) -> None:
    assert await shared(one).assign("NONE", Lease(), "one") == Lease()


async def test_what_carries_an_older_fence_is_refused_and_leaves_everything_as_it_was(one: RedisStore) -> None:
    state = await placed(one)
    lease = await shared(one).assign(SYMBOL, Lease(), "one")
    step = change(state, stepped(state), fence=lease.fence)
    await shared(one).assign(SYMBOL, lease, "two")

    with pytest.raises(NotOwner) as refused:
        await one.commit([step])

    assert refused.value.code == "busy"
    assert isinstance(refused.value, Unavailable)
    assert await one.order(state.order_id) == state
    assert await one.slices(state.order_id) == []


async def test_the_newest_owner_commits_and_so_does_whoever_needs_no_lease(one: RedisStore) -> None:
    state = await placed(one)
    lease = await shared(one).assign(SYMBOL, Lease(), "one")
    step = change(state, stepped(state), fence=lease.fence)

    assert await one.commit([step]) == [None]
    assert await one.commit([change(step.after, cancel(step.after, START))]) == [None]


async def test_a_process_lives_until_its_time_is_over_or_it_leaves(one: RedisStore, server: str) -> None:
    other = RedisStore.at(server, lookback=8, process="two")
    await shared(one).beat(60_000)
    both = await shared(other).beat(60_000)
    await shared(other).leave()
    alone = await shared(one).beat(60_000)
    await shared(other).beat(60_000)
    with Redis.from_url(server) as client:
        client.zadd(keys.PROCESSES, {"two": 1})

    assert both == ["one", "two"]
    assert alone == await shared(one).beat(60_000) == ["one"]
    await other.close()


def test_a_process_that_goes_leaves_the_choice_of_all_others_as_it_was() -> None:
    symbols = [f"I-{number}" for number in range(300)]
    before = {symbol: preferred(symbol, ["one", "two", "three"]) for symbol in symbols}

    after = {symbol: preferred(symbol, ["one", "three"]) for symbol in symbols}

    assert all(after[symbol] == choice for symbol, choice in before.items() if choice != "two")
    assert min(list(before.values()).count(name) for name in ("one", "two", "three")) > 60
    assert preferred("I-1", []) == ""
