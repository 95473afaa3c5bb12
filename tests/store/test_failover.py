"""A master that dies: its replica takes its place, the store goes on there, and what the replica had not yet received
is told."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from typing import TypeVar

import pytest

from app.domain.errors import Unavailable
from app.engine.changes import change
from app.store import keys
from app.store.redis_store import RedisStore
from app.store.replication import Replication
from tests.builders import an_instrument, an_order, an_order_state, at, bars
from tests.clusters import SETTLE_SECONDS_MAX, Cluster, Node, Watched, a_cluster, a_watched_master
from tests.store.test_cluster import placed_on
from tests.store.test_redis_store import NEWEST, placed, stepped

pytestmark = pytest.mark.spawns
T = TypeVar("T")
ONE_REPLICA = Replication(replicas=1, milliseconds=2_000)
A_MOMENT = Replication(replicas=1, milliseconds=50)


@pytest.fixture(params=["valkey", "redis"])
def watched(request: pytest.FixtureRequest) -> Iterator[Watched]:
    with a_watched_master(request.param) as running:
        yield running


@asynccontextmanager
async def a_store(
    url: str, lost: Counter[str] | None = None, waits: Replication | None = None
) -> AsyncIterator[RedisStore]:
    def on_lost(kind: str, count: int) -> None:
        if lost is not None:
            lost[kind] += count

    store = RedisStore.at(url, lookback=8, replication=waits, on_lost=on_lost)
    try:
        yield store
    finally:
        await store.close()


async def until_done(work: Callable[[], Awaitable[T]]) -> tuple[T, set[str]]:
    """What the work gives once the store is back, and the refusals until then."""
    refusals: set[str] = set()
    deadline = time.monotonic() + SETTLE_SECONDS_MAX
    while True:
        try:
            return await work(), refusals
        except Unavailable as error:
            refusals.add(error.code)
            assert time.monotonic() < deadline
            await asyncio.sleep(0.02)


async def replicated(url: str, *symbols: str) -> None:
    """The replicas have all that was written until now."""
    async with a_store(url, waits=ONE_REPLICA) as sure:
        for symbol in symbols:
            await sure.record_lateness(symbol, 0)


def cut_off_replicas(master: Node) -> None:
    """From now on nothing that the master acknowledges reaches its replicas."""
    master.asked("ACL", "SETUSER", "default", "-psync", "-sync")
    master.asked("CLIENT", "KILL", "TYPE", "replica")


async def test_the_service_goes_on_at_the_new_master_with_all_that_the_replica_had(watched: Watched) -> None:
    lost: Counter[str] = Counter()
    async with a_store(watched.url, lost) as store:
        state = await placed(store)
        moved = change(state, stepped(state))
        await store.awaiting("BTC-USDT")
        await store.commit([moved])
        await replicated(watched.url, "BTC-USDT")
        watched.master.kill()

        answer, refusals = await until_done(lambda: store.commit([moved]))
        orders = await store.awaiting("BTC-USDT")

    assert refusals == {"store_unavailable"}
    assert answer == [moved.after], "what was recorded stands"
    assert orders == [moved.after]
    assert lost == {}


async def test_what_an_old_master_acknowledged_and_the_new_one_never_had_is_told(
    watched: Watched, caplog: pytest.LogCaptureFixture
) -> None:
    """An order, a change of another one, and a bar."""
    lost: Counter[str] = Counter()
    async with a_store(watched.url, lost) as store:
        await store.put_instrument(an_instrument())
        kept, _ = await placed(store, "kept"), await store.awaiting("BTC-USDT")
        await replicated(watched.url, "BTC-USDT")
        cut_off_replicas(watched.master)
        gone = await placed(store, "gone")
        await store.commit([change(kept, stepped(kept))])
        await store.append_bars("BTC-USDT", bars(6)[5:], at(4), 1)
        watched.master.kill()

        orders, refusals = await until_done(lambda: store.awaiting("BTC-USDT"))
        await store.append_bars("BTC-USDT", bars(6)[5:], at(4), 1)
        again = await store.awaiting("BTC-USDT")

    assert refusals == {"store_unavailable"}
    assert orders == again == [kept]
    assert lost == {"order": 2, "bar": 1}
    assert gone.order_id in caplog.text
    assert "of 2 orders of BTC-USDT, and 1 of these orders altogether" in caplog.text
    assert "the store has lost acknowledged bars of BTC-USDT" in caplog.text


async def test_an_order_that_has_ended_and_is_gone_is_told_to_whoever_asks_for_it(watched: Watched) -> None:
    lost: Counter[str] = Counter()
    async with a_store(watched.url, lost) as store:
        await placed(store, "kept")
        await replicated(watched.url, "BTC-USDT")
        cut_off_replicas(watched.master)
        gone = await placed(store, "gone")
        watched.master.kill()

        found, _ = await until_done(lambda: store.order(gone.order_id))
        await store.order(gone.order_id)

    assert found is None
    assert lost == {"order": 1}


async def test_what_too_few_replicas_have_is_not_acknowledged_however_often_it_is_repeated(watched: Watched) -> None:
    async with a_store(watched.url, waits=ONE_REPLICA) as store:
        state = await placed(store)
    moved = change(state, stepped(state))
    async with a_store(watched.url, waits=A_MOMENT) as store:
        cut_off_replicas(watched.master)
        for _ in range(3):
            with pytest.raises(Unavailable, match="0 of 1 replicas have acknowledged within 50 ms"):
                await store.commit([moved])
        with pytest.raises(Unavailable):
            await store.weaknesses()
        recorded = await store.order(state.order_id)

    assert recorded == moved.after, "it may be recorded all the same"


async def test_several_who_write_at_once_wait_together(watched: Watched) -> None:
    async with a_store(watched.url, waits=ONE_REPLICA) as store:
        await store.append_bars("BTC-USDT", bars(5), None)
        states = [an_order_state(an_order(client_order_id=f"oms-{number}")) for number in range(50)]

        made = await asyncio.gather(*(store.create(change(None, state), NEWEST) for state in states))

    assert [isinstance(each, tuple) and each[1] for each in made] == [True] * 50
    with watched.replica.client() as replica, watched.master.client() as master:
        assert replica.scard(keys.awaiting("BTC-USDT")) == 50
        assert master.info("commandstats")["cmdstat_wait"]["calls"] < 10


@pytest.fixture
def cluster() -> Iterator[Cluster]:
    with a_cluster("valkey", replicas=True) as running:
        yield running


async def test_a_cluster_goes_on_when_a_master_dies_and_its_replica_takes_its_slots(cluster: Cluster) -> None:
    lost: Counter[str] = Counter()
    symbols = [f"COIN-{number}" for number in range(6)]
    async with a_store(cluster.url, lost) as store:
        placed_orders = [await placed_on(store, symbol, f"oms-{symbol}") for symbol in symbols]
        await replicated(cluster.url, *symbols)
        moved = [change(each, stepped(each)) for each in placed_orders]
        dead = cluster.master_of(keys.bars("COIN-0"))
        dead.kill()

        _, refusals = await until_done(lambda: store.commit(moved))
        waiting = [await store.awaiting(symbol) for symbol in symbols]

    assert refusals == {"store_unavailable"}
    assert cluster.master_of(keys.bars("COIN-0")) in cluster.replicas
    assert waiting == [[each.after] for each in moved]
    assert lost == {}
