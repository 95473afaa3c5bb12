"""Calls that run together end together, whatever becomes of one of them."""

from __future__ import annotations

import asyncio

import pytest

from app.engine.tasks import together


async def doubled(number: int) -> int:
    await asyncio.sleep(0)
    return 2 * number


async def test_answers_come_in_the_order_of_the_calls() -> None:
    assert await together(map(doubled, range(5)), at_once=2) == [0, 2, 4, 6, 8]
    assert await together(map(doubled, ()), at_once=2) == []


async def test_no_more_run_at_a_time_than_may() -> None:
    running, most = 0, 0

    async def counted() -> None:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0)
        running -= 1

    await together((counted() for _ in range(9)), at_once=3)

    assert most == 3


async def test_an_error_is_raised_once_all_others_have_ended() -> None:
    ended = []

    async def call(number: int) -> None:
        if number == 0:
            raise ValueError("the first fails at once")
        for _ in range(5):
            await asyncio.sleep(0)
        ended.append(number)

    with pytest.raises(ValueError, match="at once"):
        await together(map(call, range(4)), at_once=2)

    assert ended == [1, 2, 3]


async def test_a_cancellation_ends_all_before_it_is_passed_on() -> None:
    began, ended = asyncio.Event(), []

    async def call(number: int) -> None:
        began.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.append(number)

    task = asyncio.create_task(together(map(call, range(2)), at_once=2))
    await began.wait()
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    assert sorted(ended) == [0, 1]
