"""The client on a real server: what it writes is what was meant, whatever writes it."""

from __future__ import annotations

import asyncio
from typing import Any, cast

import pytest
import uvloop
from redis.asyncio import Redis
from redis.exceptions import ConnectionError as RedisConnectionError

from app.store.connection import connect
from app.store.pools import CONNECTIONS_MAX
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


async def test_a_command_that_the_buffer_of_its_connection_cannot_hold_arrives_whole(server: str) -> None:
    client, large = connect(server), "x" * 3_000_000

    await client.set("key", large)

    assert await client.get("key") == large
    await client.aclose()


async def test_a_command_is_written_again_where_the_server_has_closed_the_connection(server: str) -> None:
    client, other = connect(server), Redis.from_url(server)
    await client.set("key", "before")

    await cast("Any", other.client_kill_filter(_type="normal", skipme=True))
    await client.set("key", "after")

    assert await client.get("key") == "after"
    await client.aclose()
    await other.aclose()


async def test_who_asks_for_more_connections_than_there_may_be_waits_for_one(server: str) -> None:
    client = connect(server)
    pool = cast("Any", client.connection_pool)
    taken = [await pool.get_connection() for _ in range(CONNECTIONS_MAX)]

    waits = asyncio.ensure_future(client.ping())
    await asyncio.sleep(0)
    assert not waits.done()
    await pool.release(taken.pop())

    assert await waits
    for each in taken:
        await pool.release(each)
    await client.aclose()


def test_a_connection_that_has_closed_is_told_as_that_by_uvloop_too(server: str) -> None:
    """uvloop raises a RuntimeError for what is written then."""

    async def written() -> None:
        client = connect(server)
        async with client.pubsub() as channels:
            await channels.subscribe("a")
            channels.connection._writer.transport.abort()
            with pytest.raises(RedisConnectionError):
                await channels.connection.send_command("SUBSCRIBE", "b")
            await channels.subscribe("b")
        await client.aclose()

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(written())
