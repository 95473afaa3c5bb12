"""The proxy before a store, with a real store behind it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as RedisConnectionError

from tests.crashes.proxy import Proxy, a_proxy
from tests.servers import a_server, flush

SECONDS_MAX = 30


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with a_server("valkey") as url:
        yield url


@pytest.fixture
def store_url(server: str) -> str:
    flush(server)
    return server


@pytest.fixture
async def proxy(store_url: str, tmp_path: Path) -> AsyncIterator[Proxy]:
    async with a_proxy(Path(store_url.removeprefix("unix://")), tmp_path / "proxy.sock") as proxy:
        yield proxy


@pytest.fixture
async def far(proxy: Proxy) -> AsyncIterator[Any]:
    """A client behind the proxy that asks once."""
    async with Redis.from_url(proxy.url, retry=Retry(NoBackoff(), 0)) as client:
        await client.ping()
        yield client


@pytest.fixture
async def near(store_url: str) -> AsyncIterator[Any]:
    async with Redis.from_url(store_url) as client:
        yield client


async def test_a_request_that_is_cut_is_not_done(proxy: Proxy, far: Any, near: Any) -> None:
    proxy.cut(1, answers_only=False)

    with pytest.raises(RedisConnectionError):
        await far.set("key", "value")

    assert await near.get("key") is None
    assert await far.ping()


async def test_a_request_whose_answer_is_cut_is_done(proxy: Proxy, far: Any, near: Any) -> None:
    proxy.cut(1, answers_only=True)

    with pytest.raises(RedisConnectionError):
        await far.set("key", "value")

    assert await near.get("key") == b"value"


async def test_nothing_passes_a_proxy_that_is_away_until_it_is_well_again(proxy: Proxy, far: Any) -> None:
    proxy.go_away()

    for _ in range(2):
        with pytest.raises(RedisConnectionError):
            await far.ping()
    proxy.heal()

    assert await far.ping()


async def test_what_is_held_arrives_later_though_the_client_has_gone(proxy: Proxy, far: Any, near: Any) -> None:
    held = asyncio.Event()
    proxy.hold(held.set)
    asking = asyncio.create_task(far.set("key", "value"))
    async with asyncio.timeout(SECONDS_MAX):
        await held.wait()
    asking.cancel()
    await asyncio.gather(asking, return_exceptions=True)
    before = await near.get("key")

    proxy.heal()

    assert before is None
    async with asyncio.timeout(SECONDS_MAX):
        while await near.get("key") != b"value":  # noqa: ASYNC110 -- no event tells of it
            await asyncio.sleep(0)
