"""An engine on a real store, for tests of the use cases."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest

from tests.engine.desk import Desk, a_desk
from tests.servers import a_server, flush


@pytest.fixture(scope="session")
def server() -> Iterator[str]:
    with a_server("valkey") as url:
        yield url


@pytest.fixture
def store_url(server: str) -> str:
    """An empty store."""
    flush(server)
    return server


@pytest.fixture
async def desk(store_url: str) -> AsyncIterator[Desk]:
    """An engine with the bars clock, the instrument of the builders, and no bars."""
    async with a_desk(store_url) as opened:
        yield opened
