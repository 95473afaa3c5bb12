"""A service in a process of its own: the engine on its embedded store. Told what to do in lines of JSON on its standard
input, it answers each with a line. The COUNT-th MOMENT ends it, or its
store, as `kill -9` would.

Run as `python -m tests.processes.service DATA_DIR [MOMENT COUNT]`.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from app.clock.calendars import calendar
from app.clock.clocks import BarsClock
from app.decision.policies.twap import Twap
from app.domain.bar import Bar
from app.domain.errors import Unavailable
from app.domain.state import OrderState
from app.engine.changes import Change
from app.engine.engine import Engine
from app.engine.ports import Claim
from app.store.embedded import EmbeddedStore
from app.store.redis_store import RedisStore
from tests.builders import an_instrument, an_order, bars
from tests.engine.desk import Counts, a_chain, sent
from tests.engine.policies import Reader

BARS = bars(60)
HISTORY = 20
READY = "ready"


class Mortal(RedisStore):
    """Kills at the `count`-th `moment`, before or after a write has reached the server: the service itself, or the
    server where the moment says so."""

    moment = ""
    count = 0
    embedded: EmbeddedStore

    def _die_at(self, moment: str) -> None:
        if moment == self.moment.removeprefix("store "):
            self.count -= 1
            if self.count == 0:
                os.kill(self.embedded.pid if self.moment.startswith("store ") else os.getpid(), signal.SIGKILL)

    async def append_bars(
        self, symbol: str, bars: Sequence[Bar], after: datetime | None, revision: int | None = None
    ) -> bool:
        self._die_at("before append")
        done = await super().append_bars(symbol, bars, after, revision)
        self._die_at("after append")
        return done

    async def commit(self, changes: Sequence[Change]) -> list[OrderState | None]:
        """Half of the orders, then the others: a crash can come between."""
        self._die_at("before commit")
        half = len(changes) // 2
        first = await super().commit(changes[:half]) if half else []
        self._die_at("between commits")
        rest = await super().commit(changes[half:])
        self._die_at("after commit")
        return [*first, *rest]

    async def create(self, change: Change, newest: datetime) -> tuple[OrderState, bool] | Claim | None:
        self._die_at("before create")
        made = await super().create(change, newest)
        self._die_at("after create")
        return made


async def serve(folder: Path, moment: str, count: int) -> None:
    async with EmbeddedStore(folder) as embedded:
        store = Mortal.at(embedded.url, lookback=96)
        store.moment, store.count, store.embedded = moment, count, embedded
        engine = Engine(
            store=store, chain=a_chain(Reader(), Twap()), clock=BarsClock(), calendars=calendar, metrics=Counts()
        )
        await engine.start()
        _say(READY)
        while line := await asyncio.to_thread(sys.stdin.readline):
            try:
                answer = await _answer(engine, store, embedded, **json.loads(line))
            except Unavailable as error:
                answer = {"unavailable": error.code}
            _say(json.dumps(answer))
        await engine.stop()
        await store.close()


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


async def _answer(engine: Engine, store: RedisStore, embedded: EmbeddedStore, do: str, value: Any = None) -> Any:
    match do:
        case "instrument":
            return await engine.instruments.put(an_instrument())
        case "history":
            return (await engine.bars.post([sent(bar) for bar in BARS[:HISTORY]])).accepted
        case "bar":
            return (await engine.bars.post([sent(BARS[value])])).accepted
        case "order":
            order = an_order(client_order_id=value, min_steps=4, max_steps=8)
            state, created = await engine.orders.submit(order)
            return {"order_id": state.order.order_id, "created": created}
        case "slices":
            state, slices = await engine.queries.order(value), await store.slices(value)
            return {"version": state.version, "status": state.status, "slices": [repr(piece) for piece in slices]}
        case "ready":
            return (await engine.recovery.readiness()).ready
        case _:
            return embedded.pid


if __name__ == "__main__":
    folder, moment, count = [*sys.argv[1:], "", "0"][:3]
    asyncio.run(serve(Path(folder), moment, int(count)))
