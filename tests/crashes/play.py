"""What an OMS and a feed do in one run, drawn from a seed: the same seed gives the same bars, orders, fills and cancel.

Every play passes every named point: one of its orders reports its fills in parts, one has a slice closed, one is
cancelled, and one starts later, so that its OMS waits for the first slice.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from itertools import product
from random import Random
from typing import Any

from app.domain.bar import Bar
from tests.api.wire import bar_json, order_json
from tests.builders import at, bars

BAR_SECONDS = 3_600
HISTORY = 20
"""Bars: more than the least history of the tiny bundle."""
DAY = 8
"""Bars after the history: enough for most orders to end."""
STEPS_MAX = 4
"""The longest horizon that the tiny bundle decides."""
SYMBOLS = ("BTC-USDT", "ETH-USDT", "SOL-USDT")
SCENARIOS = list(product(("buy", "sell"), ("vwap", "twap"), ("quantity", "notional")))
SHARES: tuple[tuple[str, ...], ...] = (("1",), ("0.5", "0.5"), ("0.4", "0.3"), ("0.6",), ())
"""How a slice is reported: the parts of it that are traded, a report each."""
CANCELLED, STARTS_LATER = 1, 2
"""The orders that are cancelled, and whose first window opens two bars after the order came, by number."""


@dataclass(frozen=True, slots=True)
class PlannedOrder:
    """Sent after bar `after` of the day. `shares[step - 1]` says how its slice is reported, where fills are reported;
    `late` steps are reported a bar later, `closed` ones are closed then."""

    after: int
    body: dict[str, Any]
    shares: tuple[tuple[str, ...], ...]
    late: frozenset[int]
    closed: frozenset[int]

    @property
    def reported(self) -> bool:
        return bool(self.body["fills"] == "reported")


@dataclass(frozen=True, slots=True)
class Play:
    """`apart`: each instrument's bars come in a request of their own, all at the same time. `missing[symbol]` is a bar
    that never comes, `revised` one that comes again with other values, `cancel_after` the bar that the cancel follows.
    """

    seed: int
    days: dict[str, list[Bar]]
    orders: tuple[PlannedOrder, ...]
    apart: bool
    missing: dict[str, int]
    revised: int
    cancel_after: int

    def history(self) -> list[dict[str, Any]]:
        return [bar_json(bar, symbol) for symbol, every in self.days.items() for bar in every[:HISTORY]]

    def bars_at(self, index: int) -> list[list[dict[str, Any]]]:
        """What the feed sends as bar `index` of the day: the bars of one request after another."""
        sent = {
            symbol: [bar_json(every[HISTORY + index], symbol)]
            for symbol, every in self.days.items()
            if self.missing[symbol] != index
        }
        if index - 1 == self.revised:
            for symbol, again in sent.items():
                again.append(self._revision(symbol))
        requests = list(sent.values())
        return requests if self.apart else [[bar for request in requests for bar in request]]

    def close_price(self, symbol: str, index: int) -> str:
        return f"{self.days[symbol][HISTORY + index].close:f}"

    def _revision(self, symbol: str) -> dict[str, Any]:
        bar = self.days[symbol][HISTORY + self.revised]
        return bar_json(bar, symbol, volume=f"{bar.volume + 1:f}")


def play_of(seed: int) -> Play:
    random = Random(f"play {seed}")
    symbols = SYMBOLS[: random.choice((1, 2, 2, 3))]
    count = random.randint(3, 5)
    scenarios = random.sample(range(len(SCENARIOS)), count)
    return Play(
        seed=seed,
        days={symbol: _day(random) for symbol in symbols},
        orders=tuple(
            _planned(random, number, symbols[number % len(symbols)], scenario)
            for number, scenario in enumerate(scenarios)
        ),
        apart=random.random() < 0.5,
        missing={symbol: random.choice((-1, -1, random.randrange(1, DAY - 1))) for symbol in symbols},
        revised=random.choice((-1, random.randrange(DAY - 2))),
        cancel_after=random.randint(2, 3),
    )


def _day(random: Random) -> list[Bar]:
    return bars(HISTORY + DAY, seed=random.randrange(2**32), bar_seconds=BAR_SECONDS)


def _planned(random: Random, number: int, symbol: str, scenario: int) -> PlannedOrder:
    side, benchmark, size_mode = SCENARIOS[scenario]
    after = 1 if number in {CANCELLED, STARTS_LATER} else random.randint(0, 2)
    max_steps = random.randint(3, STEPS_MAX)
    min_steps = max_steps if number == CANCELLED else random.randint(1, max_steps)
    size = {"quantity": f"{random.randint(100, 3_000) / 100}", "notional": f"{random.randint(500, 3_000)}"}[size_mode]
    body = order_json(
        client_order_id=f"oms-{number}",
        instrument=symbol,
        side=side,
        quantity=None,
        benchmark=benchmark,
        horizon={"min_steps": min_steps, "max_steps": max_steps, "step_seconds": random.choice((None, None, 7_200))},
        limits=random.choice(({}, {}, {"max_slice_fraction": "0.5"}, {"max_participation_rate": "0.3"})),
        fills="reported" if number == 0 else random.choice(("assumed", "reported")),
        start_time=_open_of(after + 2) if number == STARTS_LATER else None,
    ) | {size_mode: size}
    shares = [SHARES[2], *(random.choice(SHARES) for _ in range(STEPS_MAX))]
    late, closed = (frozenset(step for step in range(1, STEPS_MAX) if random.random() < share) for share in (0.3, 0.5))
    return PlannedOrder(after, body, tuple(shares), late - {1}, closed | ({1} if number == 0 else set()))


def _open_of(index: int) -> str:
    """The open of bar `index` of the day."""
    return at(HISTORY + index, BAR_SECONDS).isoformat()


def traded(quantity: str, share: str) -> str:
    """That share of a slice as a report writes it; positive."""
    part = (Decimal(quantity) * Decimal(share)).quantize(Decimal("0.0001"))
    return f"{max(part, Decimal('0.0001')):f}"


def minutes_into(start: str, minutes: int) -> str:
    from datetime import datetime

    return (datetime.fromisoformat(start) + timedelta(minutes=minutes)).isoformat()
