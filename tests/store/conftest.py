"""Every store test runs on both servers."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest

from app.store.redis_store import RedisStore
from tests.servers import a_server, flush


@pytest.fixture(scope="session", params=["valkey", "redis"])
def server(request: pytest.FixtureRequest) -> Iterator[str]:
    """The embedded Valkey, and Debian's Redis 7.0."""
    with a_server(request.param) as url:
        yield url


@pytest.fixture
async def store(server: str) -> AsyncIterator[RedisStore]:
    """An empty one."""
    flush(server)
    opened = RedisStore.at(server, lookback=8)
    yield opened
    await opened.close()
