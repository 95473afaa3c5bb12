from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cache
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.access.access import Reach
from app.bundles.bundle import load_bundle
from app.main import create_app
from app.settings import ClockKind, Settings
from tests.api.keyed import Keyed

loaded_once = cache(load_bundle)
"""A bundle never changes: to load and replay it for each test would cost more than the tests themselves."""


@asynccontextmanager
async def serving(
    data_dir: Path, clock: ClockKind = ClockKind.BARS, reach: Reach = Reach.PROCESS, **settings: Any
) -> AsyncIterator[httpx.AsyncClient]:
    """The real application with its embedded store and the shipped bundle; only the socket is missing. It takes itself
    to be reached as `reach` says."""
    application = create_app(Settings(data_dir=data_dir, clock=clock, redis_url=None, **settings), reach=reach)
    transport = httpx.ASGITransport(application, raise_app_exceptions=False)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("app.main.load_bundle", loaded_once)
        async with (
            application.router.lifespan_context(application),
            httpx.AsyncClient(transport=transport, base_url="http://lem") as client,
        ):
            yield client


@pytest.fixture
async def client(tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    async with serving(tmp_path) as client:
        yield client


@pytest.fixture
async def keyless(tmp_path: Path) -> AsyncIterator[Keyed]:
    async with serving(tmp_path) as client:
        yield Keyed(client, tmp_path)


@pytest.fixture
async def keyed(keyless: Keyed) -> Keyed:
    """One that knows of a key."""
    assert (await keyless.client.get("/v1/models", headers=await keyless.key())).status_code == 200
    return keyless
