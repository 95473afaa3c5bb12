"""What the order management system does with its orders, made by a seed: it trades slices and reports them in time,
late, twice, too much or not at all; it takes reports back and mends them; it pauses, resumes, cancels and replaces
orders."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from random import Random
from typing import Any

from lem_client import AsyncClient, Correction, Fill, Fills, Horizon, NewOrder, Order
from tests.trading_day.market import BAR, CENT, LOT
from tests.trading_day.orders import Arrival
from tests.trading_day.rebuilt import RebuiltOrder, RebuiltSlice

Call = Callable[[AsyncClient], Awaitable[Any]]


@dataclass(frozen=True, slots=True)
class Act:
    """One call, and what it is counted as."""

    kind: str
    call: Call


@dataclass(slots=True)
class Chain:
    """One mandate of the desk: the order, and those that have taken its place. `late` are reports that are held back,
    each until a quarter of an hour."""

    arrival: Arrival
    sent: NewOrder
    orders: list[str] = field(default_factory=list)
    late: list[tuple[int, Fill]] = field(default_factory=list)
    dealt: set[str] = field(default_factory=set)

    @property
    def newest(self) -> str:
        return self.orders[-1]


@dataclass(frozen=True, slots=True)
class Moment:
    """A quarter of an hour as it is over. `known` is the chain's newest order, as it stands by then."""

    quarter: int
    now: datetime
    close: Decimal
    known: RebuiltOrder
    random: Random


def acts(chain: Chain, at: Moment) -> list[Act]:
    """All that is to be done with the chain now, in order. Decided before anything of it is done: what comes of it does
    not hang on how fast that is."""
    found: list[Act] = []
    if at.known.reported:
        found += _reports(chain, at)
        found += _revisions(chain, at)
    found += _moves(chain, at)
    return found


def _reports(chain: Chain, at: Moment) -> Iterator[Act]:
    due = [fill for quarter, fill in chain.late if quarter <= at.quarter]
    chain.late = [(quarter, fill) for quarter, fill in chain.late if quarter > at.quarter]
    for fill in due:
        yield from _reported(chain, at, fill, "late fill")
    for piece in at.known.slices.values():
        runs = piece.window.start <= at.now < piece.window.end
        if runs and piece.asked and piece.step != at.known.withheld and piece.slice_id not in chain.dealt:
            chain.dealt.add(piece.slice_id)
            yield from _traded(chain, at, piece)


def _traded(chain: Chain, at: Moment, piece: RebuiltSlice) -> Iterator[Act]:
    quantity = max(LOT, piece.quantity.quantize(LOT))
    part = max(LOT, (quantity * at.random.randrange(20, 90) / 100).quantize(LOT))
    chance = at.random.random()
    if chance < 0.6:
        yield from _reported(chain, at, _fill(at, piece, quantity), "fill")
    elif chance < 0.72:
        yield from _reported(chain, at, _fill(at, piece, part), "fill")
        chain.late.append((at.quarter + at.random.randrange(1, 9), _fill(at, piece, max(LOT, quantity - part), "b")))
    elif chance < 0.8:
        chain.late.append((at.quarter + at.random.randrange(1, 9), _fill(at, piece, quantity)))
    elif chance < 0.86:
        yield from _reported(chain, at, _fill(at, piece, quantity + part), "fill of too much")
    elif chance < 0.93:
        yield from _reported(chain, at, _fill(at, piece, part), "fill")
        yield Act("close", lambda lem: lem.close_slice(chain.newest, piece.step))
        if at.random.random() < 0.3:  # what was closed trades all the same
            chain.late.append((at.quarter + at.random.randrange(1, 9), _fill(at, piece, part, "c")))


def _fill(at: Moment, piece: RebuiltSlice, quantity: Decimal, name: str = "a") -> Fill:
    price = (at.close * (1 + Decimal(at.random.randrange(-20, 21)) / 10_000)).quantize(CENT)
    return Fill(
        execution_id=f"{piece.slice_id}{name}",
        slice_id=piece.slice_id,
        quantity=quantity,
        price=price,
        executed_at=piece.window.start + BAR / 2,
    )


def _reported(chain: Chain, at: Moment, fill: Fill, kind: str) -> Iterator[Act]:
    """To any order of the chain, and now and then twice."""
    order_id = at.random.choice(chain.orders) if at.random.random() < 0.5 else None
    kind = kind if at.known.live else "fill after the end"
    for again in range(1 + (at.random.random() < 0.15)):
        yield Act("fill again" if again else kind, lambda lem: lem.post_fill(order_id or chain.newest, fill))


def _revisions(chain: Chain, at: Moment) -> Iterator[Act]:
    booked = [name for name, fill in at.known.fills.items() if not fill.busted]
    chance = at.random.random()
    if not booked or chance > 0.06:
        return
    name = at.random.choice(booked)
    order_id = at.random.choice(chain.orders)
    times = 1 + (at.random.random() < 0.4)
    if chance < 0.03:
        for again in range(times):
            yield Act("bust again" if again else "bust", lambda lem: lem.bust_fill(order_id, name))
        return
    fill = at.known.fills[name]
    quantity = max(LOT, (fill.quantity * at.random.randrange(50, 130) / 100).quantize(LOT))
    true = Correction(quantity=quantity, price=fill.price + CENT)
    for again in range(times):
        yield Act("correction again" if again else "correction", lambda lem: lem.correct_fill(order_id, name, true))


def _moves(chain: Chain, at: Moment) -> Iterator[Act]:
    chance, order_id = at.random.random(), chain.newest
    if not at.known.live:
        return
    if at.known.status == "paused" and chance < 0.35:
        yield Act("resume", lambda lem: lem.resume_order(order_id))
    elif at.known.status != "paused" and chance < 0.04:
        for again in range(1 + (at.random.random() < 0.2)):
            yield Act("pause again" if again else "pause", lambda lem: lem.pause_order(order_id))
    elif chance > 0.985:
        yield Act("cancel", lambda lem: lem.cancel_order(order_id))
    elif chance > 0.93:
        yield _replace(chain, at)


def _replace(chain: Chain, at: Moment) -> Act:
    """To another size, pace or price, and seldom to less than what is filled and in flight."""
    random, old = at.random, chain.sent
    factor = Decimal(random.randrange(80, 150)) / 100
    changes: dict[str, Any] = {"client_order_id": f"oms-{chain.arrival.number}-{len(chain.orders)}"}
    if old.quantity is not None:
        changes["quantity"] = max(LOT, (old.quantity * factor).quantize(LOT))
    if old.notional is not None:
        changes["notional"] = max(CENT, (old.notional * factor).quantize(CENT))
    if isinstance(old.horizon, Horizon):
        steps = old.horizon.max_steps + random.randrange(4)
        changes["horizon"] = replace(old.horizon, max_steps=steps)
    if random.random() < 0.3:
        changes["limits"] = replace(old.limits, limit_price=None)
    if old.fills is Fills.REPORTED and random.random() < 0.3:
        changes["report_delay_seconds"] = random.choice((0, 1800))
    new = replace(old, **changes)

    async def call(lem: AsyncClient) -> Order:
        answer = await lem.replace_order(chain.newest, new)
        chain.orders.append(answer.order_id)
        chain.sent = new
        return answer

    return Act("replace", call)
