"""Commands that are asked for at the same time travel together, and each is answered on its own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from redis import Redis
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import ResponseError

from app.store.connection import Call, connect, run, script
from app.store.gathering import COMMANDS_MAX, GatheringRedis


@pytest.fixture
async def client(server: str) -> AsyncIterator[GatheringRedis]:
    client = connect(server)
    assert isinstance(client, GatheringRedis)
    await client.flushdb()
    yield client
    await client.aclose()


async def reads(client: GatheringRedis) -> int:
    """How often the server has read from its clients."""
    return int((await client.info("stats"))["total_reads_processed"])


async def asked(client: GatheringRedis, count: int) -> list[Any]:
    return await asyncio.gather(*(client.get(f"key-{number}") for number in range(count)))


async def test_what_is_asked_for_at_the_same_time_takes_few_round_trips(client: GatheringRedis) -> None:
    await client.mset({f"key-{number}": number for number in range(3 * COMMANDS_MAX)})
    await asked(client, 3 * COMMANDS_MAX)  # as many connections as that takes
    before = await reads(client)

    answers = await asked(client, 3 * COMMANDS_MAX)

    assert answers == [str(number) for number in range(3 * COMMANDS_MAX)]
    assert await reads(client) - before <= 6  # one goes ahead alone, and the last read is the question itself


async def test_what_is_asked_for_alone_goes_at_once(client: GatheringRedis) -> None:
    await client.ping()
    before = await reads(client)

    for number in range(5):
        await client.get(f"key-{number}")

    assert await reads(client) - before == 6
    assert not client._waiting


async def test_an_error_is_the_answer_of_its_own_command_alone(client: GatheringRedis) -> None:
    await client.execute_command("SADD", "a set", "x")

    commands = [("GET", "nothing"), ("GET", "a set"), ("SET", "a", "b"), ("NOSUCH",)]
    first, wrong, right, unknown = await asyncio.gather(
        *(client.execute_command(*each) for each in commands), return_exceptions=True
    )

    assert first is None
    assert isinstance(wrong, ResponseError)
    assert right is True
    assert isinstance(unknown, ResponseError)
    assert await client.get("a") == "b"


async def test_one_who_no_longer_waits_keeps_nobody_from_an_answer(client: GatheringRedis) -> None:
    await client.set("a", "b")
    tasks = [asyncio.create_task(client.execute_command("GET", "a")) for _ in range(5)]
    await asyncio.sleep(0)
    tasks[2].cancel()

    answers = await asyncio.gather(*tasks, return_exceptions=True)

    assert isinstance(answers.pop(2), asyncio.CancelledError)
    assert answers == ["b"] * 4


async def test_scripts_that_the_server_does_not_know_are_sent_whoever_asks_for_them(client: GatheringRedis) -> None:
    await client.script_flush()
    call = Call(script("replace_claim"), ["lem:claim:1"], ["old", "new"])

    assert await asyncio.gather(*(run(client, [call]) for _ in range(5))) == [[0]] * 5


async def test_a_server_that_is_away_is_away_for_all_who_ask() -> None:
    client = connect("unix:///nowhere/store.sock")

    answers = await asyncio.gather(*(client.get("a") for _ in range(4)), return_exceptions=True)
    await client.aclose()

    assert [isinstance(each, RedisConnectionError) for each in answers] == [True] * 4


async def test_more_than_is_written_at_once_arrives_whole(client: GatheringRedis) -> None:
    large = "x" * (256 * 1024)

    await asyncio.gather(*(client.set(f"key-{number}", large) for number in range(4)))

    assert await asked(client, 4) == [large] * 4


async def test_a_connection_that_the_server_has_closed_meanwhile_costs_no_answer(
    client: GatheringRedis, server: str
) -> None:
    await client.set("key-0", "a")
    with Redis.from_url(server) as another:
        another.client_kill_filter(_type="normal", skipme=True)

    assert await asked(client, 3) == ["a", None, None]
