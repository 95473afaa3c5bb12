"""A store that may lose what it acknowledges is told, and so is one that takes no writes."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from redis import Redis

from app.domain.errors import Unavailable
from app.engine.changes import change
from app.store import durability, keys
from app.store.redis_store import RedisStore
from tests.builders import a_fill, an_instrument
from tests.servers import a_server
from tests.store.test_redis_store import placed, stepped

KEEPS = {"appendonly": "yes", "maxmemory-policy": "noeviction", "save": ""}
EVICTS, NOT_DURABLE = "store_evicts", "store_not_durable"


@pytest.fixture(scope="module", params=["valkey", "redis"])
def server(request: pytest.FixtureRequest) -> Iterator[str]:
    """Its settings are changed by the tests."""
    with a_server(request.param, "--appendonly", "yes") as url:
        yield url


@pytest.fixture(autouse=True)
def restored(server: str) -> Iterator[None]:
    """Every test starts from a store that keeps what it acknowledges."""
    yield
    with Redis.from_url(server) as client:
        client.replicaof("NO", "ONE")
        client.config_set("maxmemory", 0)
        configure(server, **KEEPS)
        client.flushall()


def configure(server: str, **settings: str) -> None:
    with Redis.from_url(server) as client:
        for name, value in settings.items():
            client.config_set(name.replace("_", "-"), value)


@asynccontextmanager
async def a_store(url: str, *, allow_lossy: bool = False) -> AsyncIterator[RedisStore]:
    store = RedisStore.at(url, lookback=8, allow_lossy=allow_lossy)
    yield store
    await store.close()


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({}, ()),
        ({"maxmemory_policy": "allkeys-lru"}, (EVICTS,)),
        ({"maxmemory_policy": "allkeys-random", "appendonly": "no"}, (EVICTS, NOT_DURABLE)),
        ({"maxmemory_policy": "volatile-lru"}, ()),  # our keys have no expiry: it touches none of them
        ({"appendonly": "no"}, (NOT_DURABLE,)),
        ({"appendonly": "no", "save": "3600 1"}, ()),
    ],
    ids=["keeps", "evicts", "evicts, not durable", "volatile", "not durable", "snapshots"],
)
async def test_what_may_lose_acknowledged_orders_has_a_code(
    server: str, settings: dict[str, str], expected: tuple[str, ...], caplog: pytest.LogCaptureFixture
) -> None:
    configure(server, **settings)

    async with a_store(server) as store:
        seen = [await store.weaknesses() for _ in range(3)]

    assert seen == [expected] * 3
    assert caplog.text.count("acknowledged orders may be lost") == len(expected), "each is told once"
    assert caplog.text.count("LEM_ALLOW_LOSSY_STORE=true") == len(expected)


async def test_a_weakness_that_is_allowed_is_told_and_accepted(server: str, caplog: pytest.LogCaptureFixture) -> None:
    configure(server, appendonly="no")

    async with a_store(server, allow_lossy=True) as store:
        accepted = await store.weaknesses()

    assert accepted == ()
    assert "acknowledged orders may be lost" in caplog.text


async def test_settings_that_change_are_seen_and_told(
    server: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(durability, "RECHECK_SECONDS", 0.0)

    async with a_store(server) as store:
        before = await store.weaknesses()
        configure(server, maxmemory_policy="allkeys-lru")
        weak = await store.weaknesses()
        configure(server, maxmemory_policy="noeviction")
        after = await store.weaknesses()

    assert (before, weak, after) == ((), (EVICTS,), ())
    assert [record.levelno for record in caplog.records] == [logging.ERROR, logging.WARNING]


@pytest.mark.parametrize(
    ("settings", "expected"), [({}, ()), ({"maxmemory_policy": "allkeys-lru"}, (EVICTS,)), ({"appendonly": "no"}, ())]
)
async def test_where_the_settings_may_not_be_asked_for_the_server_tells_what_it_can(
    server: str, settings: dict[str, str], expected: tuple[str, ...], caplog: pytest.LogCaptureFixture
) -> None:
    """As with managed stores. What it does not tell is said once."""
    configure(server, **settings)
    with Redis.from_url(server) as client:
        client.acl_setuser("lem", enabled=True, passwords=["+secret"], keys=["*"], commands=["+@all", "-config"])

    async with a_store(f"{server}?username=lem&password=secret") as store:
        seen = [await store.weaknesses() for _ in range(2)]

    assert seen == [expected] * 2
    assert caplog.text.count("does not say") == ("appendonly" in settings)


async def test_where_nothing_may_be_asked_for_that_is_said_once_and_the_service_goes_on(
    server: str, caplog: pytest.LogCaptureFixture
) -> None:
    with Redis.from_url(server) as client:
        client.acl_setuser(
            "lem", enabled=True, passwords=["+secret"], keys=["*"], commands=["+@all", "-config", "-info"]
        )

    async with a_store(f"{server}?username=lem&password=secret") as store:
        seen = [await store.weaknesses() for _ in range(2)]

    assert seen == [(), ()]
    assert caplog.text.count("does not say whether it evicts keys and writes to a disk") == 1


def full(client: Redis) -> None:
    client.config_set("maxmemory", "1")


def a_replica(client: Redis) -> None:
    client.replicaof("127.0.0.1", 1)


def no_writer(client: Redis) -> None:
    client.acl_setuser("default", enabled=True, nopass=True, keys=["*"], commands=["+@all", "-set"])


def a_writer_again(client: Redis) -> None:
    client.config_set("maxmemory", 0)
    client.replicaof("NO", "ONE")
    client.acl_setuser("default", enabled=True, nopass=True, keys=["*"], commands=["+@all"])


@pytest.mark.parametrize("refuse", [full, a_replica, no_writer])
async def test_a_server_that_refuses_writes_is_unavailable_until_it_takes_one(
    server: str, refuse: object, caplog: pytest.LogCaptureFixture
) -> None:
    """Reads that succeed meanwhile do not end the outage; it is told when it begins and when it ends."""
    assert callable(refuse)
    async with a_store(server) as store:
        await store.put_instrument(an_instrument())
        with Redis.from_url(server) as client:
            refuse(client)

            codes = []
            for _ in range(3):
                with pytest.raises(Unavailable) as refused:
                    await store.weaknesses()
                codes.append(refused.value.code)
                assert await store.instrument("BTC-USDT") == an_instrument()
            a_writer_again(client)
            after = await store.weaknesses()

    assert codes == ["store_unavailable"] * 3
    assert after == ()
    assert [record.levelno for record in caplog.records] == [logging.ERROR, logging.WARNING]
    assert "the store is back after" in caplog.text
    assert "3 calls failed" in caplog.text


@pytest.mark.parametrize("refuse", [full, a_replica])
async def test_a_commit_that_the_server_refuses_to_write_is_unavailable(server: str, refuse: object) -> None:
    """Within a script too, and nothing of it is done."""
    assert callable(refuse)
    async with a_store(server) as store:
        state = await placed(store)
        with Redis.from_url(server) as client:
            refuse(client)
            with pytest.raises(Unavailable) as refused:
                await store.commit([change(state, stepped(state), a_fill(state))])
            a_writer_again(client)

        assert refused.value.code == "store_unavailable"
        assert await store.order(state.order_id) == state
        assert await store.slices(state.order_id) == []


async def test_what_is_written_to_ask_is_one_documented_key(server: str) -> None:
    async with a_store(server) as store:
        await store.weaknesses()
        await store.weaknesses()

    with Redis.from_url(server, decode_responses=True) as client:
        assert client.keys("*") == [keys.PROBE]
        assert client.ttl(keys.PROBE) == -1


async def test_an_embedded_store_with_little_space_left_is_told(
    server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before it ends in the middle of a write. To allow a lossy store is not to allow this."""
    store = RedisStore.at(server, lookback=8, folder=tmp_path, allow_lossy=True)

    monkeypatch.setattr(durability, "DISK_FREE_BYTES_MIN", 0)
    plenty = await store.weaknesses()
    monkeypatch.setattr(durability, "DISK_FREE_BYTES_MIN", 1 << 62)
    little = await store.weaknesses()
    await store.close()

    assert (plenty, little) == ((), ("store_disk_full",))
