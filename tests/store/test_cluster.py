"""The store on a Redis Cluster of real nodes: what it promises on one server, it keeps on three."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from dataclasses import replace
from typing import Any, cast

import pytest

from app.domain.errors import Unavailable
from app.domain.lifecycle import Status
from app.domain.order import order_id_of
from app.domain.replacing import replaced, succeed
from app.domain.state import OrderState
from app.engine.changes import change
from app.engine.ownership.lease import Lease, NotOwner
from app.engine.ownership.notices import Notice, NoticesMissed, OrdersChanged
from app.engine.ports import Claim, Replaced
from app.engine.terms import digest_of
from app.outbox.log import Place, RecordedEvent
from app.store import keys
from app.store.cluster import ClusterRedis
from app.store.connection import connect
from app.store.redis_store import RedisStore
from tests.builders import an_instrument, an_order, an_order_state, bars
from tests.clusters import Cluster, a_cluster
from tests.processes.replicas import PATIENT_SECONDS
from tests.store.test_process_records import shared
from tests.store.test_redis_store import NEWEST, stepped

pytestmark = pytest.mark.spawns
SYMBOLS = [f"COIN-{number}" for number in range(12)]


@pytest.fixture(scope="module", params=["valkey", "redis"])
def cluster(request: pytest.FixtureRequest) -> Iterator[Cluster]:
    with a_cluster(request.param) as running:
        yield running


@pytest.fixture
async def store(cluster: Cluster) -> AsyncIterator[RedisStore]:
    """An empty one."""
    cluster.flush()
    opened = RedisStore.at(cluster.url, lookback=8)
    yield opened
    await opened.close()


@pytest.fixture
async def client(cluster: Cluster) -> AsyncIterator[ClusterRedis]:
    cluster.flush()
    client = connect(cluster.url)
    assert isinstance(client, ClusterRedis)
    yield client
    await client.aclose()


async def placed_on(store: RedisStore, symbol: str, name: str) -> OrderState:
    await store.put_instrument(an_instrument(symbol=symbol))
    if not await store.bars_before(symbol, None, 1):
        assert await store.append_bars(symbol, bars(5), None)
    made = await store.create(change(None, an_order_state(an_order(client_order_id=name, instrument=symbol))), NEWEST)
    assert isinstance(made, tuple)
    assert made[1]
    return made[0]


async def test_orders_of_instruments_on_all_nodes_are_placed_read_and_moved(
    store: RedisStore, cluster: Cluster
) -> None:
    placed = [await placed_on(store, symbol, f"oms-{symbol}") for symbol in SYMBOLS]

    committed = await store.commit([change(each, stepped(each)) for each in placed])

    assert {cluster.master_of(keys.bars(symbol)).port for symbol in SYMBOLS} == {each.port for each in cluster.masters}
    assert committed == [None] * len(SYMBOLS)
    assert [each.symbol for each in await store.instruments()] == sorted(SYMBOLS)
    assert [(await store.awaiting(symbol))[0].step for symbol in SYMBOLS] == [1] * len(SYMBOLS)
    assert [len(await store.slices(each.order_id)) for each in placed] == [1] * len(SYMBOLS)
    assert (await store.live_orders())[Status.WORKING] == len(SYMBOLS)
    page = await store.page(status=None, instrument=None, limit=99, cursor=None)
    assert {each.order_id for each in page.orders} == {each.order_id for each in placed}


async def test_an_instrument_is_deleted_whatever_node_it_lies_on(store: RedisStore, cluster: Cluster) -> None:
    for symbol in SYMBOLS:
        await store.put_instrument(an_instrument(symbol=symbol))
        await store.append_bars(symbol, bars(5), None)

    deleted = [await store.delete_instrument(symbol) for symbol in SYMBOLS]

    assert deleted == [True] * len(SYMBOLS)
    assert await store.instruments() == []
    assert sum(int(each.asked("DBSIZE")) for each in cluster.masters) == len(SYMBOLS), "their revisions alone"


async def test_events_of_all_nodes_are_read_as_one_sequence(store: RedisStore) -> None:
    began = Place.before(await store.events.now())
    placed = [await placed_on(store, symbol, f"oms-{symbol}") for symbol in SYMBOLS]
    found: list[RecordedEvent] = []

    place = began
    async with asyncio.timeout(PATIENT_SECONDS):
        while len(found) < len(SYMBOLS):
            batch = await store.events.read(place)
            found, place = found + list(batch.events), batch.until

    assert {each.order_id for each in found} == {each.order_id for each in placed}
    assert [each.place for each in found] == sorted(each.place for each in found)
    assert [each.order_id for each in (await store.events.read(found[4].place)).events] == [
        each.order_id for each in found[5:]
    ]


async def test_an_order_and_its_claim_may_lie_on_different_nodes(store: RedisStore, cluster: Cluster) -> None:
    placed = [await placed_on(store, "COIN-1", f"oms-{number}") for number in range(12)]

    homes = {cluster.master_of(keys.claim(each.order_id)).port for each in placed}

    assert len(homes) == 3
    for each in placed:
        claim = Claim("COIN-1", digest_of(each.order))
        assert await store.claimed(each.order_id) == claim
        again = await store.create(change(None, an_order_state(each.order)), NEWEST)
        assert again == (each, False)


async def test_an_order_takes_the_place_of_another_whatever_node_their_claims_lie_on(store: RedisStore) -> None:
    for number, symbol in enumerate(SYMBOLS):
        old = await placed_on(store, symbol, f"oms-{number}")
        name = f"oms-{number}-new"
        order = replace(old.order, client_order_id=name, order_id=order_id_of(name), replaces=old.order_id)
        new = change(None, succeed(old, order))

        made = await store.replace(change(old, replaced(old, order.order_id)), new, NEWEST)

        assert made == Replaced(recorded=new.after, is_new=True)
        left = await store.order(old.order_id)
        assert left is not None
        assert (left.status, left.replaced_by) == (Status.REPLACED, order.order_id)
        assert await store.order(order.order_id) == new.after
        assert [state.order_id for state in await store.awaiting(symbol)] == [order.order_id]


async def test_of_two_orders_under_one_id_the_first_stands_on_a_cluster_too(store: RedisStore) -> None:
    first = await placed_on(store, "COIN-1", "oms-1")
    await store.put_instrument(an_instrument(symbol="COIN-2"))
    await store.append_bars("COIN-2", bars(5), None)

    other = an_order_state(an_order(client_order_id="oms-1", instrument="COIN-2"))

    assert await store.create(change(None, other), NEWEST) == Claim("COIN-1", digest_of(first.order))
    assert await store.awaiting("COIN-2") == []


async def test_a_claim_that_a_crash_left_without_its_order_waits_for_the_order(store: RedisStore) -> None:
    """Between the two writes nothing is told as done; whoever repeats the order gets it."""
    order = an_order(client_order_id="oms-1", instrument="COIN-1")
    await store.put_instrument(an_instrument(symbol="COIN-1"))
    await store.append_bars("COIN-1", bars(5), None)
    await store.claim(order)

    before, state = await store.order(order.order_id), an_order_state(order)
    made = await store.create(change(None, state), NEWEST)

    assert before is None
    assert made == (change(None, state).after, True)


async def test_a_refused_claim_gives_way_on_a_cluster_too(store: RedisStore) -> None:
    refused = an_order(client_order_id="oms-1", instrument="COIN-1")
    await store.claim(refused)
    await store.refuse_claim(refused)

    placed = await placed_on(store, "COIN-2", "oms-1")

    assert await store.claimed(refused.order_id) == Claim("COIN-2", digest_of(placed.order))


async def test_who_asks_at_the_same_time_shares_a_round_trip_to_each_node(client: ClusterRedis) -> None:
    every = [f"key-{number}" for number in range(300)]
    await asyncio.gather(*(client.set(key, key) for key in every))

    async def reads() -> int:
        return sum([int((await each.info("stats"))["total_reads_processed"]) for each in await client.masters()])

    before = await reads()
    answers = await asyncio.gather(*(client.get(key) for key in every))

    assert answers == every
    assert await reads() - before <= 20


async def test_processes_on_a_cluster_share_instruments_and_talk(store: RedisStore, cluster: Cluster) -> None:
    placed = [await placed_on(store, symbol, f"oms-{symbol}") for symbol in SYMBOLS[:6]]
    one = RedisStore.at(cluster.url, lookback=8, process="one")
    two = RedisStore.at(cluster.url, lookback=8, process="two")
    first, second = shared(one), shared(two)
    await first.beat(60_000)
    both = await second.beat(60_000)
    leases = [await first.assign(symbol, Lease(), "one") for symbol in SYMBOLS[:6]]
    notices = cast("AsyncGenerator[Notice, None]", second.notices())
    while not isinstance(await anext(notices), NoticesMissed):
        pass

    async with asyncio.timeout(PATIENT_SECONDS):
        listening = asyncio.create_task(heard(notices, 6))
        while not listening.done():  # it listens to the other one a moment after it has heard of it
            changes = [change(each, stepped(each), fence=1) for each in placed]
            placed = [each.after for each in changes if await one.commit([each]) == [None]]
            await asyncio.wait([listening], timeout=0.5)
    await second.assign(SYMBOLS[0], leases[0], "two")
    with pytest.raises(NotOwner):
        await one.commit([change(placed[0], stepped(placed[0]), fence=1)])
    await notices.aclose()
    await one.close()
    await two.close()

    assert both == ["one", "two"]
    assert leases == [Lease("one", 1)] * 6
    assert listening.result() == set(SYMBOLS[:6])


async def heard(notices: AsyncIterator[Notice], count: int) -> set[str]:
    """The instruments of so many whose orders have changed."""
    symbols: set[str] = set()
    async for notice in notices:
        if isinstance(notice, OrdersChanged):
            symbols.add(notice.symbol)
        if len(symbols) == count:
            break
    return symbols


async def test_what_is_published_at_any_node_is_heard_at_any_node(client: ClusterRedis) -> None:
    for number in range(3):
        async with client.pubsub() as channels, asyncio.timeout(PATIENT_SECONDS):
            await channels.subscribe("notices")
            while (await channels.get_message(timeout=1) or {}).get("type") != "subscribe":
                pass
            await client.publish("notices", str(number))

            await heard_text(channels, str(number))


async def heard_text(channels: Any, text: str) -> None:
    """What was published to another node before this one listened travels between the nodes, and may still come."""
    while (await channels.get_message(timeout=1) or {}).get("data") != text:
        pass


async def test_every_master_is_probed_and_a_weak_one_is_told(store: RedisStore, cluster: Cluster) -> None:
    node = cluster.masters[1]
    for each in cluster.masters:
        each.asked("CONFIG", "SET", "appendonly", "yes")
    node.asked("CONFIG", "SET", "maxmemory-policy", "allkeys-lru")
    try:
        weak = await store.weaknesses()
    finally:
        node.asked("CONFIG", "SET", "maxmemory-policy", "noeviction")

    assert weak == ("store_evicts",)
    assert [each.asked("DBSIZE") for each in cluster.masters] == ["1"] * 3


async def test_a_slot_on_the_move_takes_no_writes_and_is_followed(store: RedisStore, cluster: Cluster) -> None:
    """It is moved as an operator moves it. A script with a key that is not there yet would be half here, half there:
    the nodes refuse it until the slot has arrived."""
    state = await placed_on(store, "COIN-1", "oms-1")
    key = keys.bars("COIN-1")
    source = cluster.master_of(key)
    target = next(each for each in cluster.masters if each is not source)
    slot = source.asked("CLUSTER", "KEYSLOT", key)
    source_id, target_id = source.asked("CLUSTER", "MYID"), target.asked("CLUSTER", "MYID")
    target.asked("CLUSTER", "SETSLOT", slot, "IMPORTING", source_id)
    source.asked("CLUSTER", "SETSLOT", slot, "MIGRATING", target_id)
    with source.client() as moving:
        names = moving.execute_command("CLUSTER GETKEYSINSLOT", slot, 1_000)
        moving.execute_command("MIGRATE", "127.0.0.1", target.port, "", 0, 5_000, "KEYS", *names)

    read = await store.order(state.order_id)
    with pytest.raises(Unavailable) as refused:
        await store.commit([change(state, stepped(state))])
    for each in (target, source, *cluster.masters):
        each.asked("CLUSTER", "SETSLOT", slot, "NODE", target_id)
    arrived = await store.commit([change(state, stepped(state))])

    assert read == state
    assert refused.value.code == "store_unavailable"
    assert arrived == [None]
    assert cluster.master_of(key) is target
    assert [each.step for each in await store.awaiting("COIN-1")] == [1]


async def test_a_cluster_that_is_away_is_a_store_that_is_away() -> None:
    store = RedisStore.at("redis+cluster://127.0.0.1:1,127.0.0.1:2", lookback=8)

    with pytest.raises(Unavailable) as refused:
        await store.instruments()
    await store.close()

    assert refused.value.code == "store_unavailable"
