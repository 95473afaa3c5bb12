"""A call that hangs blocks neither the event loop nor the end of the process."""

from __future__ import annotations

import subprocess
import sys
import threading

import pytest

from app.engine.bounded_thread import BoundedThread


async def test_what_the_work_returns_or_raises_reaches_who_awaits_it() -> None:
    thread = BoundedThread(10)

    def fail() -> None:
        raise KeyError("wrong")

    assert await thread.run(pow, 2, exp=5) == 32
    with pytest.raises(KeyError):
        await thread.run(fail)
    assert await thread.run(threading.get_ident) != threading.get_ident()
    thread.close()


async def test_while_a_call_hangs_others_are_refused_at_once_and_its_time_is_told() -> None:
    thread, released = BoundedThread(0.01), threading.Event()

    with pytest.raises(TimeoutError):
        await thread.run(released.wait, 10)
    with pytest.raises(TimeoutError):
        await thread.run(pow, 2, 5)
    while_it_hangs = thread.hanging_seconds
    hanging = thread._hanging
    released.set()
    assert hanging is not None
    hanging.result(10)

    assert while_it_hangs > 0.0
    assert thread.hanging_seconds == 0.0
    assert await thread.run(pow, 2, 5) == 32
    thread.close()


HANGS = """
import asyncio, time
from app.engine.bounded_thread import BoundedThread
async def main():
    thread = BoundedThread(0.01)
    try:
        await thread.run(time.sleep, 60)
    except TimeoutError:
        print("hangs")
    thread.close()
asyncio.run(main())
"""


@pytest.mark.spawns
def test_a_process_ends_while_a_call_hangs() -> None:
    ended = subprocess.run([sys.executable, "-c", HANGS], capture_output=True, text=True, timeout=60, check=True)

    assert ended.stdout == "hangs\n"
