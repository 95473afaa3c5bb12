"""The keys as one process knows them, on a real store."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from app.access import key_ring
from app.access.key_ring import AGE_SECONDS_MAX, KeyRing
from app.domain.errors import Unavailable
from app.store.api_keys import RedisApiKeys
from app.store.connection import connect
from tests.builders import START, an_api_key
from tests.servers import a_server, flush


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with a_server("valkey") as url:
        yield url


@pytest.fixture
async def keys(server: str) -> AsyncIterator[RedisApiKeys]:
    flush(server)
    client = connect(server)
    yield RedisApiKeys(client)
    await client.aclose()


class Times:
    """A clock and a calendar that stand still until they are set."""

    def __init__(self) -> None:
        self.seconds = 1_000.0
        self.now = START

    def clock(self) -> float:
        return self.seconds

    def date(self) -> datetime:
        return self.now


@pytest.fixture
def times() -> Times:
    return Times()


@pytest.fixture
def ring(keys: RedisApiKeys, times: Times) -> KeyRing:
    return KeyRing(keys, clock=times.clock, now=times.date)


async def test_a_recorded_key_is_known_after_a_look_and_a_revoked_one_no_longer(
    ring: KeyRing, keys: RedisApiKeys
) -> None:
    key, text = an_api_key(account="desk-1")
    await keys.put(key)
    await ring.look()
    found = ring.found(text.encode())

    await keys.put(replace(key, revoked_at=START))
    await ring.look()

    assert found is not None
    assert (found.key, found.caller.prefix, found.caller.account) == (key, key.prefix, "desk-1")
    assert ring.found(text.encode()) is None


async def test_a_key_that_expires_opens_nothing_from_then_on(ring: KeyRing, keys: RedisApiKeys, times: Times) -> None:
    key, text = an_api_key(expires_at=START + timedelta(days=1))
    await keys.put(key)
    await ring.look()

    before = ring.found(text.encode())
    times.now += timedelta(days=1)

    assert before is not None
    assert ring.found(text.encode()) is None


async def test_a_key_costs_no_round_trip(ring: KeyRing, keys: RedisApiKeys, server: str) -> None:
    key, text = an_api_key()
    await keys.put(key)
    await ring.look()
    client = connect(server)
    before = (await client.info("stats"))["total_commands_processed"]

    assert all(ring.found(text.encode()) for _ in range(1_000))

    assert (await client.info("stats"))["total_commands_processed"] - before <= 2, "those that ask for this"
    await client.aclose()


async def test_an_unknown_key_is_looked_for_once_for_all_who_bring_it(ring: KeyRing, keys: RedisApiKeys) -> None:
    await ring.look()
    key, text = an_api_key()
    await keys.put(key)

    found = await asyncio.gather(*(ring.found_anew(text.encode()) for _ in range(50)))

    assert all(each is not None and each.key == key for each in found)
    assert len({id(each) for each in found}) == 1, "one look"


async def test_a_service_without_keys_is_open_and_stays_closed_once_it_had_one(
    ring: KeyRing, keys: RedisApiKeys, server: str
) -> None:
    await ring.look()
    at_first = ring.guarded
    key, _ = an_api_key()
    await keys.put(replace(key, revoked_at=START))
    await ring.look()
    with_one_that_is_revoked = ring.guarded
    flush(server)
    await ring.look()

    assert not at_first
    assert with_one_that_is_revoked
    assert ring.guarded, "a store that has lost its keys opens nothing"


async def test_what_is_known_grows_old_while_the_store_is_away(times: Times) -> None:
    client = connect("unix:///nowhere/store.sock")
    ring = KeyRing(RedisApiKeys(client), clock=times.clock)

    with pytest.raises(Unavailable):
        await ring.look()

    assert not ring.loaded
    assert not ring.fresh
    await client.aclose()


async def test_keys_are_believed_for_some_seconds_without_a_look(ring: KeyRing, times: Times) -> None:
    await ring.look()

    times.seconds += AGE_SECONDS_MAX
    at_the_end = ring.fresh
    times.seconds += 0.1

    assert at_the_end
    assert not ring.fresh


async def test_a_followed_ring_learns_of_keys_by_itself(
    ring: KeyRing, keys: RedisApiKeys, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(key_ring, "LOOK_SECONDS", 0.01)
    key, text = an_api_key()
    async with ring.followed():
        nobody = ring.found(text.encode())
        await keys.put(key)
        async with asyncio.timeout(20):
            while ring.found(text.encode()) is None:  # noqa: ASYNC110 -- no event tells of it
                await asyncio.sleep(0.01)

    assert nobody is None


async def test_a_key_keeps_what_is_left_of_its_allowance_when_other_keys_change(
    ring: KeyRing, keys: RedisApiKeys
) -> None:
    key, text = an_api_key(requests_per_second=1)
    await keys.put(key)
    await ring.look()
    first = ring.found(text.encode())
    assert first is not None
    assert first.may_call()

    await keys.put(an_api_key()[0])
    await ring.look()

    assert ring.found(text.encode()) is first
    assert not first.may_call()
