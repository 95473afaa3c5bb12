"""A service with working orders on one instrument: what a desk looks like when a bar comes."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

from app.bench.failures import BenchFailed
from app.bench.market import STEPS_MAX, Walks, order_call
from app.bench.measured_process import Cost
from app.bench.service import Service
from app.bench.wire import Call, call_all

SYMBOL = "BENCH"
BAR_SECONDS = 900
SENDERS = 32
"""Connections over which orders are sent."""


@dataclass(slots=True, kw_only=True)
class Book:
    """`order_ids` are working orders of `steps` steps on the instrument `SYMBOL`, all sent after the same bar, so that
    each has as many `slices` as the others. `history` bars of `walks` came before the orders. The service is running,
    and nothing else is in it."""

    service: Service
    order_ids: Sequence[str]
    steps: int
    walks: Walks
    history: int
    slices: int = 1

    @classmethod
    def filled(cls, service: Service, orders: int) -> Self:
        """Fill a service that is empty, with as long a history as the model reads."""
        _, card = service.model()
        steps, history = min(STEPS_MAX, int(card["max_steps"])), int(card["lookback"])
        walks = Walks(bar_seconds=BAR_SECONDS, bars=history + steps)
        call_all(service.address, walks.register([SYMBOL]) + walks.post([SYMBOL], 0, history))
        calls = [order_call(SYMBOL, number, name="book", steps=steps) for number in range(orders)]
        answers = call_all(service.address, calls, SENDERS)
        order_ids = [str(json.loads(answer.body)["order_id"]) for answer in answers]
        return cls(service=service, order_ids=order_ids, steps=steps, walks=walks, history=history)

    def next_bar(self) -> Call:
        """Raises BenchFailed where the orders would end with the bar."""
        if self.slices >= self.steps - 1:
            raise BenchFailed(f"an order has {self.steps} steps; that is too few bars for all that is to be measured")
        [call] = self.walks.post([SYMBOL], self.history + self.slices - 1)
        return call

    def took_bar(self) -> None:
        """The next bar has been posted. Raises BenchFailed where orders have ended."""
        self.slices += 1
        self.require_working()

    def require_working(self) -> None:
        """Raises BenchFailed where orders have ended: fewer orders than the figure says would be measured."""
        working = self.service.live_orders()
        if working < len(self.order_ids):
            raise BenchFailed(f"{working} of {len(self.order_ids)} orders are working")

    def post_bar(self) -> Cost:
        """Post the next bar; what that cost until every slice was committed."""
        call = self.next_bar()
        with self.service.measured() as cost:
            call_all(self.service.address, [call])
        self.took_bar()
        return cost

    def post_bars_until(self, slices: int) -> None:
        """Until each order has at least so many slices."""
        while self.slices < slices:
            self.post_bar()
