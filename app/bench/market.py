"""What the bench sends: bars of a random walk and orders of all scenarios, as JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np

from app.bars.walks import Walk, simulate_bars
from app.bench.wire import Call
from app.domain.order import SCENARIOS, SizeMode

FIRST_OPEN = datetime(2025, 1, 6, tzinfo=UTC)
SEED = 7
BARS_PER_CALL = 8_000
"""Well below the bounds on a request: 10,000 bars, 4 MiB."""
STEPS_MAX = 24
"""Of an order: no order of the bench ends while bars are measured."""
SIZES = {SizeMode.QUANTITY: "1000", SizeMode.NOTIONAL: "100000.00"}


class Walks:
    """The bars of any number of instruments, all alike: one random walk. Bar 0 opens at `FIRST_OPEN`."""

    def __init__(self, *, bar_seconds: int, bars: int) -> None:
        self.bar_seconds = bar_seconds
        walk = Walk(bar_seconds=bar_seconds, daily_swing=0.5)
        made = simulate_bars(np.random.default_rng(SEED), walk, 1, bars)
        prices = [np.char.mod("%.2f", each[0]) for each in (made.open, made.high, made.low, made.close)]
        sizes = [np.char.mod("%.3f", each[0]) for each in (made.volume, made.notional)]
        self._columns = list(zip(*prices, *sizes, strict=True))

    def register(self, symbols: Sequence[str]) -> list[Call]:
        terms = {"bar_seconds": self.bar_seconds, "lot_size": "0.01", "tick_size": "0.01"}
        return [Call("PUT", f"/v1/instruments/{symbol}", json.dumps(terms).encode()) for symbol in symbols]

    def bar(self, symbol: str, index: int) -> str:
        opens = (FIRST_OPEN + timedelta(seconds=self.bar_seconds * index)).isoformat()
        open_, high, low, close, volume, notional = self._columns[index]
        return (
            f'{{"instrument":"{symbol}","open_time":"{opens}","open":"{open_}","high":"{high}","low":"{low}",'
            f'"close":"{close}","volume":"{volume}","notional":"{notional}","trades":100}}'
        )

    def post(self, symbols: Sequence[str], first: int, count: int = 1) -> list[Call]:
        """As few calls as can be, which post bars `first` and on of all the instruments, in the order of time."""
        bars = [self.bar(symbol, index) for index in range(first, first + count) for symbol in symbols]
        return [bars_call(bars[start : start + BARS_PER_CALL]) for start in range(0, len(bars), BARS_PER_CALL)]


def bars_call(bars: Sequence[str]) -> Call:
    return Call("POST", "/v1/bars", f'{{"bars":[{",".join(bars)}]}}'.encode())


def order_call(symbol: str, number: int, *, name: str, steps: int, **changes: Any) -> Call:
    """Order `number` of those called `name`: one of the 8 scenarios in turn, which works for `steps` steps."""
    scenario = SCENARIOS[number % len(SCENARIOS)]
    body = {
        "client_order_id": f"{name}-{number}",
        "instrument": symbol,
        "side": scenario.side,
        scenario.size_mode.value: SIZES[scenario.size_mode],
        "benchmark": scenario.benchmark,
        "horizon": {"min_steps": steps - 1, "max_steps": steps},
    }
    return Call("POST", "/v1/orders", json.dumps(body | changes).encode())


def next_slice_call(order_id: str) -> Call:
    return Call("GET", f"/v1/orders/{order_id}/slices/next")
