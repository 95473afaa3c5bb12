"""Processes that this one keeps: the embedded server, and the workers of a parent."""

from __future__ import annotations

import asyncio

STOP_SECONDS_MAX = 10.0
HEALTHY_SECONDS = 10.0
RESTART_PAUSES_SECONDS = (0.0, 0.1, 0.5, 1.0, 5.0)


async def end_process(process: asyncio.subprocess.Process | None) -> None:
    """Terminate the process, and kill it where it does not end in time."""
    if process is None or process.returncode is not None:
        return
    process.terminate()
    try:
        async with asyncio.timeout(STOP_SECONDS_MAX):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()


class Restarts:
    """How long to pause before a process that has ended is started again: longer while it does not stay up. `failures`
    counts the ends in a row; an end after `HEALTHY_SECONDS` begins anew."""

    def __init__(self) -> None:
        self.failures = 0

    def ended(self, after_seconds: float) -> float:
        """The process has run for so long. Returns the seconds to pause."""
        self.failures = 1 if after_seconds > HEALTHY_SECONDS else self.failures + 1
        return RESTART_PAUSES_SECONDS[min(self.failures, len(RESTART_PAUSES_SECONDS)) - 1]
