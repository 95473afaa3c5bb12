"""The embedded server: one service per folder, nothing lost, back when it dies."""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path

import pytest
from redis import Redis
from redis.asyncio import Redis as AsyncRedis
from redis.exceptions import RedisError

from app.store.data_folder.errors import DataFolderInUseError
from app.store.embedded import EmbeddedStore


async def test_what_was_written_is_there_after_a_restart(tmp_path: Path) -> None:
    async with EmbeddedStore(tmp_path) as first:
        with Redis.from_url(first.url) as client:
            client.set("k", "v")
        os.kill(first.pid, signal.SIGKILL)

    async with EmbeddedStore(tmp_path) as second:
        with Redis.from_url(second.url) as client:
            assert client.get("k") == b"v"


async def test_every_write_is_synced_before_it_is_answered(tmp_path: Path) -> None:
    async with EmbeddedStore(tmp_path) as store:
        with Redis.from_url(store.url) as client:
            settings = client.config_get("append*")

    assert (settings["appendonly"], settings["appendfsync"]) == ("yes", "always")


async def test_a_second_service_on_the_folder_is_refused(tmp_path: Path) -> None:
    async with EmbeddedStore(tmp_path):
        with pytest.raises(DataFolderInUseError) as refused:
            await EmbeddedStore(tmp_path).__aenter__()

    assert str(tmp_path) in str(refused.value)


async def test_a_folder_with_a_long_path_serves_too(tmp_path: Path) -> None:
    """A unix socket's path is short; a folder's need not be."""
    async with EmbeddedStore(tmp_path / ("long" * 30)) as store:
        with Redis.from_url(store.url) as client:
            assert client.ping()


async def test_a_server_that_dies_is_started_again_with_all_it_had(tmp_path: Path) -> None:
    async with EmbeddedStore(tmp_path) as store:
        client, pid = AsyncRedis.from_url(store.url), store.pid
        await client.set("k", "v")

        os.kill(pid, signal.SIGKILL)
        async with asyncio.timeout(10):
            while store.pid == pid or not await _has(client, "k"):  # noqa: ASYNC110 -- another process sets no event
                await asyncio.sleep(0.01)

        await client.aclose()


async def test_a_server_that_was_left_over_is_replaced(tmp_path: Path) -> None:
    """As where the kernel cannot end it with its service."""
    async with EmbeddedStore(tmp_path) as store:
        command = store._command()
    left_over = await asyncio.create_subprocess_exec(*command)
    with Redis.from_url(store.url) as client:
        async with asyncio.timeout(10):
            while not _answers(client):  # noqa: ASYNC110 -- another process sets no event
                await asyncio.sleep(0.01)
        client.set("k", "v")

        async with EmbeddedStore(tmp_path) as replacement:
            assert replacement.pid != left_over.pid
            assert await left_over.wait() == -signal.SIGKILL
            assert client.get("k") == b"v"


def _answers(client: Redis) -> bool:
    try:
        return bool(client.ping())
    except RedisError:
        return False


async def _has(client: AsyncRedis, key: str) -> bool:
    try:
        return await client.get(key) is not None
    except RedisError:
        return False
