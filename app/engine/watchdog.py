"""Looks at the wall clock, so that no order waits for a bar that does not come."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from app.domain.errors import Unavailable
from app.engine.engine import Engine
from app.engine.tasks import end

LOG = logging.getLogger(__name__)
LOOK_SECONDS = 0.25


@asynccontextmanager
async def watching(engine: Engine, look_seconds: float = LOOK_SECONDS) -> AsyncIterator[None]:
    """Give late slices while open; for a wall clock. A look while nothing is due does not reach for the store."""
    task = asyncio.create_task(_watch(engine, look_seconds), name="watchdog")
    engine.health.watch(task)
    try:
        yield
    finally:
        engine.health.watch(None)
        await end(task)


async def _watch(engine: Engine, look_seconds: float) -> None:
    failed = False  # a failure is told once until a look has gone well
    while True:
        try:
            await engine.late_slices.give()
        except Unavailable:  # told where it began, once, and not four times a second
            pass
        except Exception:  # whatever it was, the watch goes on
            if not failed:
                LOG.exception("late slices failed; trying again")
            failed = True
        else:
            failed = False
            engine.health.looked()
        await asyncio.sleep(look_seconds)
