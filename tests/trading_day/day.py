"""A trading day from begin to end: bars come, the desk sends orders and works them, the service is killed and
restarted, and all the while somebody listens and rebuilds the orders from their events."""

from __future__ import annotations

import asyncio
import hashlib
import resource
import signal
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from lem_client import AsyncClient, Refused
from tests.trading_day.comparison import differences, offers_differ, parts_differ
from tests.trading_day.listening import PATIENT, Listener
from tests.trading_day.market import BARS_A_DAY, Market, a_market, instruments
from tests.trading_day.oms import Act, Chain, Moment, acts
from tests.trading_day.orders import Arrival, arrivals, order_of
from tests.trading_day.service import Service

CHECKED_EVERY = 16
"""Quarters of an hour between two comparisons of all orders."""
AT_ONCE = 16
"""Mandates that the desk attends to at a time."""


@dataclass(slots=True)
class Told:
    """What happened over the day. `failures` is empty where all held; `fingerprint` is the same for the same seed."""

    seed: int
    counts: Counter[str] = field(default_factory=Counter)
    events: Counter[str] = field(default_factory=Counter)
    statuses: Counter[str] = field(default_factory=Counter)
    refusals: Counter[str] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)
    fingerprint: str = ""
    cpu_seconds: float = 0.0


async def trade(folder: Path, seed: int, orders: int, quarters: int = BARS_A_DAY, *, restarts: bool = True) -> Told:
    """The whole of it."""
    before, service = _cpu_seconds(), Service(folder)
    await service.start()
    try:
        async with AsyncClient(service.address, retries=PATIENT) as lem:
            day = Day(seed, service, lem, a_market(seed, quarters), arrivals(seed, orders, quarters))
            await day.open()
            try:
                for quarter in range(quarters):
                    await day.pass_quarter(quarter, _harm(quarter, quarters) if restarts else None)
                await day.close()
            finally:
                await day.listener.close()
    finally:
        await service.end()
    day.told.cpu_seconds = _cpu_seconds() - before
    return day.told


def _cpu_seconds() -> float:
    """Of this process and of those that it has awaited."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in used)


def _harm(quarter: int, quarters: int) -> signal.Signals | None:
    """A crash before the middle of the time, and an orderly restart after it."""
    return {quarters // 3: signal.SIGKILL, 2 * quarters // 3: signal.SIGTERM}.get(quarter)


class Day:
    """One service, the desk's orders, and who listens."""

    def __init__(
        self, seed: int, service: Service, lem: AsyncClient, market: Market, coming: Sequence[Arrival]
    ) -> None:
        self.told = Told(seed)
        self.listener = Listener(service.address)
        self._service = service
        self._lem = lem
        self._market = market
        self._coming = coming
        self._chains: list[Chain] = []
        self._places = asyncio.Semaphore(AT_ONCE)

    async def open(self) -> None:
        """Instruments and their history."""
        for instrument in instruments():
            await self._lem.put_instrument(instrument)
        await self._lem.post_bars(self._market.history)

    async def pass_quarter(self, quarter: int, harm: signal.Signals | None) -> None:
        """The bars of that quarter of an hour close, and the desk does what it wants to; meanwhile the service may be
        harmed."""
        await self._lem.post_bars(self._market.closing[quarter])
        await self.listener.catch_up()
        work = [self._work(chain, todo) for chain, todo in self._planned(quarter)]
        work += [self._send(arrival) for arrival in self._coming if arrival.quarter == quarter]
        if harm is None:
            await asyncio.gather(*work)
        else:
            self.told.counts[f"restart after {harm.name}"] += 1
            await asyncio.gather(*work, self._harmed(harm))
        if quarter % CHECKED_EVERY == CHECKED_EVERY - 1:
            await self._compare(quarter)

    async def close(self) -> None:
        """Every order, every slice, every fill and every event."""
        await self.listener.catch_up()
        known = self.listener.rebuilt.orders
        answered = await asyncio.gather(*(self._lem.get_order(order_id) for order_id in known))
        parts = await asyncio.gather(
            *(parts_differ(self._lem, known[chain.newest]) for chain in self._chains if chain.newest in known)
        )
        for order in answered:
            self.told.failures += differences(known[order.order_id], order)
        self.told.failures += [each for found in parts for each in found]
        sent = {order_id for chain in self._chains for order_id in chain.orders}
        if sent != set(known):
            self.told.failures.append(f"{len(sent)} orders were sent, {len(known)} were heard of")
        if await self.listener.kept() != self.listener.heard:
            self.told.failures.append("the events that are kept are not those that were heard")
        self.told.failures = self.listener.failures + self.told.failures
        self.told.events.update(each.event for each in self.listener.heard)
        self.told.statuses.update(order.status.value for order in answered)
        lines = sorted(f"{o.client_order_id} {o.status} {o.step} {o.filled_quantity} {o.leaves}" for o in answered)
        self.told.fingerprint = hashlib.sha256("\n".join(lines).encode()).hexdigest()[:12]

    def _planned(self, quarter: int) -> list[tuple[Chain, Sequence[Act]]]:
        """From what the desk knows by now."""
        planned: list[tuple[Chain, Sequence[Act]]] = []
        for chain in self._chains:
            known = self.listener.rebuilt.orders.get(chain.newest)
            if known is None:  # told of as a failure
                continue
            random = Random(f"{self.told.seed}/{chain.arrival.number}/{quarter}")
            close = self._market.closes[quarter][chain.arrival.instrument]
            planned.append((chain, acts(chain, Moment(quarter, self._market.now(quarter), close, known, random))))
        return planned

    async def _work(self, chain: Chain, todo: Sequence[Act]) -> None:
        for act in todo:
            await self._done(act)

    async def _done(self, act: Act) -> None:
        async with self._places:
            try:
                await act.call(self._lem)
                self.told.counts[act.kind] += 1
            except Refused as refused:
                self.told.refusals[f"{act.kind}: {refused.problem.code}"] += 1

    async def _send(self, arrival: Arrival) -> None:
        random = Random(f"{self.told.seed}/{arrival.number}")
        close = self._market.closes[arrival.quarter][arrival.instrument]
        order = order_of(arrival, random, self._market.now(arrival.quarter), close)
        async with self._places:
            answer = await self._lem.post_order(order)
        self._chains.append(Chain(arrival, order, [answer.order_id]))
        self.told.counts["order"] += 1

    async def _harmed(self, how: signal.Signals) -> None:
        """Once some of the calls are under way."""
        await asyncio.sleep(0)
        await self._lem.get_health()
        await self._service.restart(how)

    async def _compare(self, quarter: int) -> None:
        await self.listener.catch_up()
        known = self.listener.rebuilt.orders
        async for order in self._lem.list_orders(page_size=1_000):
            self.told.failures += differences(known.get(order.order_id), order)
        live = [order for order in known.values() if order.live]
        now = self._market.now(quarter)
        for found in await asyncio.gather(*(offers_differ(self._lem, order, now) for order in live)):
            self.told.failures += found
