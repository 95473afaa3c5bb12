"""What the desk sends over the day: orders of every kind, made by a seed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from random import Random
from typing import Any

from lem_client import Benchmark, Completion, Fills, Horizon, HorizonInTime, Limits, NewOrder, RiskAversion, Side
from tests.trading_day.market import BAR, BAR_SECONDS, CENT, IN_NEW_YORK, MEAN_VOLUME, SYMBOLS

STEPS_MIN, STEPS_MAX = 2, 14
ACCOUNTS = ("alpha", "beta", None)
RISKS = (RiskAversion.NEUTRAL, RiskAversion.DEFAULT, RiskAversion.TRACKING, Decimal("0.5"), None)
DELAYS = (0, BAR_SECONDS, 4 * BAR_SECONDS, None)


@dataclass(frozen=True, slots=True)
class Arrival:
    """An order of the desk's, in the quarter of an hour in which it comes."""

    number: int
    quarter: int
    instrument: str


def arrivals(seed: int, orders: int, quarters: int) -> list[Arrival]:
    """Spread over all but the end of the time, so that most orders end within it."""
    random = Random(f"{seed}/arrivals")
    last = max(1, quarters - STEPS_MAX // 2)
    return [Arrival(number, random.randrange(last), random.choice(SYMBOLS)) for number in range(orders)]


def order_of(arrival: Arrival, random: Random, now: datetime, close: Decimal) -> NewOrder:
    """Small enough that the market can trade it within its limits."""
    steps = random.randrange(STEPS_MIN, STEPS_MAX + 1)
    side = random.choice((Side.BUY, Side.SELL))
    quantity = Decimal(random.randrange(50, 100 * steps)) / 100
    size: dict[str, Any] = {"quantity": quantity}
    if random.random() < 0.4:
        size = {"notional": (quantity * close).quantize(CENT)}
    fills = Fills.REPORTED if random.random() < 0.6 else Fills.ASSUMED
    return NewOrder(
        client_order_id=f"oms-{arrival.number}",
        instrument=arrival.instrument,
        side=side,
        benchmark=random.choice((Benchmark.VWAP, Benchmark.TWAP)),
        horizon=_horizon(arrival.instrument, steps, random, now),
        start_time=now + random.randrange(1, 6) * BAR if random.random() < 0.1 else None,
        limits=limits_of(side, steps, quantity, arrival.instrument, random, close),
        risk_aversion=random.choice(RISKS),
        completion=random.choice((Completion.WITHIN_LIMITS, Completion.WITHIN_LIMITS, Completion.ALWAYS)),
        fills=fills,
        report_delay_seconds=random.choice(DELAYS) if fills is Fills.REPORTED else None,
        account=random.choice(ACCOUNTS),
        **size,
    )


def _horizon(instrument: str, steps: int, random: Random, now: datetime) -> Horizon | HorizonInTime:
    chance = random.random()
    if chance < 0.15 and instrument not in IN_NEW_YORK:
        late = 6  # a start that is put off leaves steps all the same
        return HorizonInTime(earliest_end=now + (late + 1) * BAR, latest_end=now + (late + steps) * BAR)
    step_seconds = 2 * BAR_SECONDS if chance < 0.25 else None
    return Horizon(min_steps=random.randrange(1, steps + 1), max_steps=steps, step_seconds=step_seconds)


def limits_of(side: Side, steps: int, quantity: Decimal, instrument: str, random: Random, close: Decimal) -> Limits:
    """Mostly one limit, seldom several, often none."""
    better = -1 if side is Side.BUY else 1
    told: dict[str, Any] = {}
    if random.random() < 0.2:
        told["max_slice_fraction"] = min(Decimal(1), (Decimal(2) / steps).quantize(CENT) + CENT)
    if random.random() < 0.2:
        needed = quantity / (steps * MEAN_VOLUME)
        told["max_participation_rate"] = min(Decimal(1), (needed * random.randrange(1, 4)).quantize(CENT) + CENT)
    if random.random() < 0.2:
        told["limit_price"] = (close * (1 - better * Decimal(random.randrange(0, 4)) / 1000)).quantize(CENT)
    if random.random() < 0.1:
        told["finish_price"] = (close * (1 + better * Decimal(random.randrange(2, 8)) / 1000)).quantize(CENT)
    if instrument in IN_NEW_YORK and random.random() < 0.3:
        told[random.choice(("avoid_open_minutes", "avoid_close_minutes"))] = 15
    return Limits(**told)
