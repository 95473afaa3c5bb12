"""Looks at the wall clock, so that no order waits for a bar that does not come."""

from __future__ import annotations

import asyncio
import logging

from app.domain.errors import Unavailable
from app.engine.engine import Engine

LOG = logging.getLogger(__name__)
LOOK_SECONDS = 0.25


async def watch(engine: Engine, look_seconds: float = LOOK_SECONDS) -> None:
    """Give late slices, for ever; for a wall clock, as a task that `engine.tasks.end` ends. A look while nothing is due
    does not reach for the store."""
    while True:
        try:
            await engine.give_late_slices()
        except Unavailable as error:
            LOG.warning("late slices must wait: %s", error)
        except Exception:  # one instrument's trouble must not end the watch over the others
            LOG.exception("late slices failed; trying again")
        await asyncio.sleep(look_seconds)
