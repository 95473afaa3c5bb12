"""The client on a real server: what it writes is what was meant, whatever writes it."""

from __future__ import annotations

from typing import Any, cast

import pytest
from redis.asyncio import Redis

from app.store.connection import connect
from tests.servers import flush


@pytest.mark.parametrize("value", ["", "plain", "ein Ärger, 日本", "a\r\nb", "x" * 20_000, 7, 0.5, b"\x00\x01"])
async def test_every_value_is_written_as_redis_py_writes_it(server: str, value: Any) -> None:
    flush(server)
    client, plain = connect(server), Redis.from_url(server, decode_responses=True)

    await cast("Any", client.hset("key", mapping={"field": value}))
    await cast("Any", plain.hset("plain", mapping={"field": value}))

    assert await cast("Any", client.hget("key", "field")) == await cast("Any", plain.hget("plain", "field"))
    await client.aclose()
    await plain.aclose()


async def test_half_a_character_is_replaced_and_refuses_nothing(server: str) -> None:
    client = connect(server)

    await client.set("key", "a\ud800b")

    assert await client.get("key") == "a?b"
    await client.aclose()


async def test_commands_of_two_words_are_understood(server: str) -> None:
    client = connect(server)

    assert await client.config_get("appendonly")
    assert await client.script_exists("0" * 40) == [False]
    await client.aclose()
