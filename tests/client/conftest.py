"""One real service for all tests of a module, and a client at it."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest
import pytest_asyncio

from lem_client import AsyncClient
from tests.api.conftest import serving
from tests.api.wire import HISTORY
from tests.client.desk import an_instrument, bars
from tests.client.way import Way


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def service(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[httpx.AsyncClient]:
    async with serving(tmp_path_factory.mktemp("service")) as service:
        yield service


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def lem(service: httpx.AsyncClient) -> AsyncIterator[AsyncClient]:
    """One service for all: with the instrument, and with enough bars for the model to decide."""
    async with AsyncClient("http://lem", transport=Way(service)) as lem:
        await lem.put_instrument(an_instrument())
        await lem.post_bars(bars(HISTORY))
        yield lem
