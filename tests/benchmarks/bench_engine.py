"""How long the engine takes for a bar with many orders, and for the next slice. Prints figures; asserts nothing.

Run as `python -m tests.benchmarks.bench_engine [--orders 1000] [--bundle DIR]`. It uses the embedded store with its
true settings (every write synced), and the shipped bundle where `--bundle` names one, else TWAP.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from app.clock.calendars import calendar
from app.clock.clocks import BarsClock
from app.decision.chain import PolicyChain
from app.decision.policies.twap import Twap
from app.decision.policies.volume_curve import VolumeCurve
from app.decision.policy import Policy
from app.domain.order import SCENARIOS
from app.engine.engine import Engine
from app.metrics import ServiceMetrics
from app.store.embedded import EmbeddedStore
from app.store.redis_store import RedisStore
from tests.builders import an_instrument, an_order, bars
from tests.engine.desk import sent

HISTORY = 1_000
MEASURED_BARS = 8
NEXT_SLICES = 500


async def measure(orders: int, policy: Policy) -> None:
    with tempfile.TemporaryDirectory() as folder:
        async with EmbeddedStore(Path(folder)) as embedded:
            store = RedisStore.at(embedded.url, policy.lookback)
            engine = Engine(
                store=store,
                chain=PolicyChain(policy, fallbacks=(VolumeCurve(), Twap())),
                clock=BarsClock(),
                calendars=calendar,
                metrics=ServiceMetrics(),
            )
            await engine.start()
            await _run(engine, orders)
            await engine.stop()
            await store.close()


async def _run(engine: Engine, count: int) -> None:
    feed = [sent(bar) for bar in bars(HISTORY + MEASURED_BARS)]
    await engine.instruments.put(an_instrument())
    await _timed("history of 1,000 bars", lambda: engine.bars.post(feed[:HISTORY]))
    orders = [
        an_order(
            client_order_id=f"oms-{place}",
            min_steps=MEASURED_BARS + 1,
            side=scenario.side,
            benchmark=scenario.benchmark,
            size_mode=scenario.size_mode,
        )
        for place in range(count)
        for scenario in [SCENARIOS[place % len(SCENARIOS)]]
    ]
    await _timed(
        f"{count} orders sent at once", lambda: asyncio.gather(*(engine.orders.submit(order) for order in orders))
    )
    for bar in feed[HISTORY:]:
        await _timed(f"a bar with {count} working orders", lambda bar=bar: engine.bars.post([bar]))  # type: ignore[misc]
    seconds = []
    for order in orders[:NEXT_SLICES]:
        started = time.perf_counter()
        await engine.queries.next_slice(order.order_id)
        seconds.append(time.perf_counter() - started)
    _say("next_slice, median", statistics.median(seconds))
    _say("next_slice, 99th percentile", statistics.quantiles(seconds, n=100)[98])


async def _timed(what: str, call: Callable[[], Awaitable[object]]) -> None:
    started = time.perf_counter()
    await call()
    _say(what, time.perf_counter() - started)


def _say(what: str, seconds: float) -> None:
    sys.stdout.write(f"{what:40} {seconds * 1e3:10.2f} ms\n")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--orders", type=int, default=1_000)
    parser.add_argument("--bundle", type=Path)
    chosen = parser.parse_args()
    policy: Policy = Twap()
    if chosen.bundle:
        from app.bundles.bundle import load_bundle

        policy = load_bundle(chosen.bundle)
    asyncio.run(measure(chosen.orders, policy))


if __name__ == "__main__":
    main()
