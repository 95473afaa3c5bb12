"""Several engines on one store, as processes that share it, in the words of a test."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

from app.engine.tasks import end
from tests.engine.desk import Desk, a_desk

HISTORY = 20
PATIENT_SECONDS = 60
SYMBOL = "BTC-USDT"


@asynccontextmanager
async def processes(url: str, *names: str, **options: Any) -> AsyncIterator[list[Desk]]:
    """So many processes on the store. Each of them knows all others when it opens."""
    async with AsyncExitStack() as opened, asyncio.timeout(PATIENT_SECONDS):
        desks = [await opened.enter_async_context(a_desk(url, process=name, **options)) for name in names]
        for desk in desks:
            await until(desk, lambda desk=desk: sharing(desk).processes == len(names))
        yield desks


def sharing(desk: Desk) -> Any:
    assert desk.engine.sharing is not None
    return desk.engine.sharing


async def until(desk: Desk, holds: Any) -> None:
    """Look with every beat of the process whether it holds."""
    while not holds():
        sharing(desk)._look.set()
        await asyncio.sleep(0.01)


def held(desk: Desk) -> set[str]:
    return set(sharing(desk)._leases.held)


def owner(desks: Sequence[Desk], symbol: str = SYMBOL) -> Desk:
    [found] = [desk for desk in desks if sharing(desk).owns(symbol)]
    return found


def other(desks: Sequence[Desk], symbol: str = SYMBOL) -> Desk:
    return next(desk for desk in desks if not sharing(desk).owns(symbol))


async def left_to_a_dead_process(desk: Desk) -> None:
    """The process knows it, and has no beat any more but those of the test."""
    await end(sharing(desk)._tasks[-1])
    store = sharing(desk)._store
    [known] = await store.leases([SYMBOL])
    await store.assign(SYMBOL, known, "a dead one")
    await sharing(desk)._leases.read_all()
