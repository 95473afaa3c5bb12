"""Processes that are kept: they end when they are told to, and are started again at a bearable pace."""

from __future__ import annotations

import asyncio
import signal
import sys

import pytest

from app.store.child_processes import HEALTHY_SECONDS, RESTART_PAUSES_SECONDS, Restarts, end_process


@pytest.mark.spawns
@pytest.mark.parametrize(("deaf", "code"), [(False, -signal.SIGTERM), (True, -signal.SIGKILL)])
async def test_a_process_is_terminated_and_killed_where_it_does_not_end(
    monkeypatch: pytest.MonkeyPatch, deaf: bool, code: int
) -> None:
    monkeypatch.setattr("app.store.child_processes.STOP_SECONDS_MAX", 0.2 if deaf else 60.0)
    ignoring = "signal.signal(signal.SIGTERM, signal.SIG_IGN);" if deaf else ""
    words = f"import signal, time; {ignoring} print(flush=True); time.sleep(600)"
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", words, stdout=asyncio.subprocess.PIPE)
    assert process.stdout is not None
    await process.stdout.readline()

    await end_process(process)
    await end_process(process)

    assert process.returncode == code


async def test_there_may_be_no_process_to_end() -> None:
    await end_process(None)


def test_a_process_that_does_not_stay_up_is_started_after_longer_and_longer_pauses() -> None:
    restarts = Restarts()

    pauses = [restarts.ended(0.1) for _ in range(len(RESTART_PAUSES_SECONDS) + 2)]

    assert pauses == [*RESTART_PAUSES_SECONDS, RESTART_PAUSES_SECONDS[-1], RESTART_PAUSES_SECONDS[-1]]
    assert restarts.ended(HEALTHY_SECONDS + 1) == RESTART_PAUSES_SECONDS[0]
