from __future__ import annotations

import asyncio
import time

from app.engine.silence import LOOKS, Silence
from tests.engine.test_health import until

SECONDS = 0.08


async def test_who_leaves_a_question_without_an_answer_is_silent_for_long() -> None:
    silence = Silence(SECONDS)

    silence.asked()
    before = silence.long
    await until(lambda: silence.long)

    assert not before


async def test_any_answer_ends_the_silence() -> None:
    silence = Silence(SECONDS)
    silence.asked()
    silence.asked()
    await until(lambda: silence.long)

    silence.answered()

    assert not silence.long


async def test_nobody_is_silent_who_has_not_been_asked() -> None:
    silence = Silence(SECONDS)
    silence.asked()
    silence.answered()

    await asyncio.sleep(2 * SECONDS)

    assert not silence.long


async def test_time_in_which_the_event_loop_is_busy_is_no_silence() -> None:
    """Ten thousand requests that begin in one turn keep the loop from hearing the answer that has long come."""
    silence = Silence(SECONDS)
    silence.asked()

    for _ in range(LOOKS - 1):
        time.sleep(SECONDS / 4)  # noqa: ASYNC251 -- the loop does nothing else in this time, as in a long turn
        await asyncio.sleep(0)

    assert not silence.long
