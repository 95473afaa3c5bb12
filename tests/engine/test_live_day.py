"""A live feed as it comes: every bar late by 0 to 10 s, two outages, a revision, a restart of the service."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from random import Random

from app.domain.bar import Bar
from app.domain.fills import Fill
from app.domain.order import Benchmark, Fills, Side, SizeMode
from app.domain.slice import Slice
from app.domain.state import OrderState
from tests.builders import an_instrument, at, bars
from tests.engine.desk import Desk, ManualClock, a_desk

BAR_SECONDS = 60
HISTORY = 100
LAST = HISTORY + 45
LOST = frozenset(range(HISTORY + 10, HISTORY + 14))
"""The first outage: these bars never come."""
DELAYED = frozenset(range(HISTORY + 22, HISTORY + 27))
"""The second outage: these bars come all at once, with the bar after them."""
REVISED = HISTORY + 30
RESTART_AT = HISTORY + 34
GRACE_SECONDS = 12
STEPS = 40
TURN = timedelta(seconds=3)
"""The grace and the bars are whole turns."""


@dataclass
class Oms:
    """Polls its orders every turn, trades what it is asked for, and reports some of it up to a minute later."""

    clock: ManualClock
    random: Random
    seen: dict[str, dict[int, tuple[Slice, datetime]]] = field(default_factory=dict)
    reports: list[tuple[datetime, str, Fill]] = field(default_factory=list)

    async def poll(self, desk: Desk, orders: Mapping[str, OrderState]) -> None:
        for name, order in orders.items():
            piece = (await desk.engine.queries.next_slice(order.order_id)).slice
            if piece is None or piece.step in self.seen.setdefault(name, {}):
                continue
            self.seen[name][piece.step] = piece, self.clock.time
            if order.order.fills is Fills.REPORTED and piece.quantity:
                self._trade(order.order_id, piece)
        for report in [each for each in self.reports if each[0] <= self.clock.time]:
            self.reports.remove(report)
            await desk.engine.fills.report(report[1], report[2])

    def _trade(self, order_id: str, piece: Slice) -> None:
        when = self.clock.time + timedelta(seconds=self.random.randrange(60))
        fill = Fill(
            execution_id=piece.slice_id,
            slice_id=piece.slice_id,
            quantity=piece.quantity,
            price=Decimal(100),
            executed_at=self.clock.time,
        )
        self.reports.append((when, order_id, fill))


def arrivals(made: list[Bar], random: Random) -> list[tuple[datetime, list[Bar]]]:
    """When which bars reach the service."""
    due = []
    for index in range(HISTORY, LAST):
        if index in LOST or index in DELAYED:
            continue
        sent = [made[index]]
        if index - 1 in DELAYED:
            sent = [made[each] for each in sorted(DELAYED)] + sent
        due.append((made[index].close_time + timedelta(seconds=random.uniform(0, 10)), sent))
        if index == REVISED:
            revised = replace(made[index], volume=made[index].volume + 5, notional=None)
            due.append((made[index].close_time + timedelta(seconds=30), [revised]))
    return due


@asynccontextmanager
async def a_service(url: str, clock: ManualClock) -> AsyncIterator[Desk]:
    instrument = an_instrument(bar_seconds=BAR_SECONDS, lot_size=Decimal("0.001"), grace_seconds=GRACE_SECONDS)
    async with a_desk(url, clock=clock, instrument=instrument) as desk:
        yield desk


async def test_a_live_feed_with_all_its_troubles_moves_every_order_in_time_and_to_its_sum(store_url: str) -> None:
    random = Random(19)
    made = bars(LAST, bar_seconds=BAR_SECONDS)
    due = arrivals(made, random)
    clock = ManualClock(at(HISTORY, BAR_SECONDS))
    oms = Oms(clock, random)
    restart = at(RESTART_AT, BAR_SECONDS) + timedelta(seconds=21)
    async with AsyncExitStack() as running:
        desk = await running.enter_async_context(a_service(store_url, clock))
        await desk.feed(made[:HISTORY])
        orders = {
            "assumed": await desk.order("assumed", min_steps=STEPS, max_steps=STEPS),
            "sell": await desk.order(
                "sell",
                side=Side.SELL,
                benchmark=Benchmark.TWAP,
                size_mode=SizeMode.NOTIONAL,
                size=Decimal("1000.01"),
                min_steps=STEPS,
                max_steps=STEPS,
            ),
            "reported": await desk.order(
                "reported", fills=Fills.REPORTED, report_delay_seconds=180, min_steps=STEPS, max_steps=STEPS
            ),
        }

        while clock.time < at(LAST, BAR_SECONDS):
            clock.time += TURN
            for arrival in [each for each in due if each[0] <= clock.time]:
                due.remove(arrival)
                await desk.feed(arrival[1])
            await desk.engine.late_slices.give()
            await oms.poll(desk, orders)
            if clock.time == restart:
                await running.aclose()
                desk = await running.enter_async_context(a_service(store_url, clock))

        for name, order in orders.items():
            ended = await desk.again(order)
            slices = [oms.seen[name][step][0] for step in range(1, STEPS + 1)]
            missing = {at(index + 1, BAR_SECONDS) for index in LOST | DELAYED}
            assert slices == await desk.slices(order)
            for piece, first_seen in oms.seen[name].values():
                assert piece.window.start <= first_seen < piece.window.end
                reason = "bar_late" if piece.window.start in missing else None
                assert (name, piece.step, piece.decided.fallback_reason) == (name, piece.step, reason)
            assert (ended.status, ended.filled, ended.leaves) == ("completed", order.order.size, 0)
            assert sum(ended.executed) == order.order.size
            assert ended.sums.partial
            assert (ended.sums.steps, ended.sums.unseen_steps) == (STEPS - len(LOST), len(LOST))
