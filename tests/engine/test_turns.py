"""Long requests give the event loop its turns."""

from __future__ import annotations

import asyncio

from app.engine.tasks import Breather
from tests.builders import a_bar, bars
from tests.engine.desk import Desk


async def turns_during(work: object) -> int:
    """How often another task has its turn until the work is done."""
    turns, done = 0, False

    async def other() -> None:
        nonlocal turns
        while not done:
            turns += 1
            await asyncio.sleep(0)

    watching = asyncio.create_task(other())
    await work  # type: ignore[misc]
    done = True
    await watching
    return turns


async def test_a_breather_gives_a_turn_after_so_many_pieces() -> None:
    breather = Breather(every=10)

    async def work() -> None:
        for _ in range(100):
            await breather.after()

    assert 10 <= await turns_during(work()) <= 12


async def test_many_bars_are_checked_and_taken_in_turns_with_others(desk: Desk) -> None:
    """Three stages of 2,000 bars, a turn for every hundred."""
    assert await turns_during(desk.feed(bars(2_000))) >= 60


async def test_gaps_are_filled_in_turns_with_others(desk: Desk) -> None:
    assert await turns_during(desk.feed([a_bar(200 * index) for index in range(11)])) >= 30
