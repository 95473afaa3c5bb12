"""The history of a step length is read when somebody first asks for it, while bars go on coming."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime

import numpy as np

from app.clock.calendars import calendar
from app.domain.bar import Bar
from app.engine.instruments.live import LiveInstrument
from app.engine.instruments.loading import Loader
from app.engine.live_orders import LiveOrders
from app.engine.ownership.lease import SoleOwner
from app.store.redis_store import RedisStore
from tests.builders import BAR_SECONDS, an_instrument, bars
from tests.engine.desk import a_desk

HISTORY = 40
COMING = 10
LOOKBACK = 8
STEP_SECONDS = 4 * BAR_SECONDS


class Busy(RedisStore):
    """Bars come whenever some have been read."""

    comes: Callable[[], Awaitable[None]] | None = None

    async def bars_before(self, symbol: str, open_time: datetime | None, count: int) -> list[Bar]:
        found = await super().bars_before(symbol, open_time, count)
        if self.comes is not None:
            await self.comes()
        return found


async def test_a_history_is_read_to_its_end_although_a_bar_comes_with_every_look(store_url: str) -> None:
    made = bars(HISTORY + COMING)
    coming = iter(made[HISTORY:])
    live, twin = (LiveInstrument(an_instrument(), calendar("24/7"), LOOKBACK) for _ in range(2))
    live.push(made[HISTORY - 1])
    store = Busy.at(store_url, lookback=96, allow_lossy=True)
    async with a_desk(store_url) as desk:
        await desk.feed(made[:HISTORY])

        async def comes() -> None:
            await desk.feed([bar := next(coming)])
            live.push(bar)

        store.comes = comes
        await Loader(store, LOOKBACK, LiveOrders(SoleOwner().owns)).ensure_history(live, STEP_SECONDS)
        await store.close()

    history = twin.new_history(STEP_SECONDS)
    await twin.fill(history, made[: made.index(live.last) + 1])
    assert live.last.open_time > made[HISTORY - 1].open_time
    np.testing.assert_array_equal(live.bar_window(STEP_SECONDS).bars, history.window(live.last).bars)
