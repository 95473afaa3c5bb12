"""Where orders as their events tell them differ from what the service answers of them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from typing import Any

from lem_client import AsyncClient, Order
from tests.trading_day.rebuilt import RebuiltOrder

TWELFTH = Decimal("1e-12")
"""Answers are rounded to that, and what follows from an estimate has more digits."""


def differences(known: RebuiltOrder | None, order: Order) -> Iterator[str]:
    """A line for each field that is another one."""
    if known is None:
        yield f"{order.client_order_id}: no event tells of it"
        return
    terms, standing = known.terms, known.standing
    for name, rebuilt, answered in (
        ("terms", _told(terms), _told(order)),
        ("status", known.status, order.status),
        ("step", known.step, order.step),
        ("filled_quantity", standing.filled_quantity, order.filled_quantity),
        ("filled_notional", standing.filled_notional, order.filled_notional),
        ("leaves", known.leaves, order.leaves),
        ("in_flight", standing.in_flight, order.in_flight),
        ("over_filled", standing.over_filled, order.over_filled),
        ("behind", standing.behind, order.behind),
        ("unpriced", standing.unpriced, order.unpriced),
        ("stop_reason", *((None, None) if known.live else (known.stop_reason, order.stop_reason))),
        ("replaces", known.replaces, order.replaces),
        ("replaced_by", known.replaced_by, order.replaced_by),
    ):
        if _rounded(rebuilt) != _rounded(answered):
            yield f"{order.client_order_id} ({order.status}): {name} is {answered}, rebuilt {rebuilt}"


async def parts_differ(lem: AsyncClient, known: RebuiltOrder) -> list[str]:
    """The slices and the fills of the order."""
    slices = await lem.list_slices(known.order_id)
    fills = await lem.list_fills(known.order_id) if known.reported else ()
    rebuilt: Any = [
        (each.slice_id, each.step, each.quantity, each.notional, each.window, each.executed)
        for each in known.slices.values()
    ]
    answered: Any = [(s.slice_id, s.step, s.quantity, s.notional, s.window, s.executed) for s in slices]
    found = [
        f"{known.terms.client_order_id}: a slice is {answer}, rebuilt {own}"
        for own, answer in zip(rebuilt, answered, strict=False)
        if [_rounded(each) for each in own] != [_rounded(each) for each in answer]
    ]
    if len(rebuilt) != len(answered):
        found.append(f"{known.terms.client_order_id}: {len(answered)} slices, rebuilt {len(rebuilt)}")
    booked = {name: (fill.slice_id, fill.quantity, fill.price, fill.busted) for name, fill in known.fills.items()}
    listed = {fill.execution_id: (fill.slice_id, fill.quantity, fill.price, fill.busted) for fill in fills}
    if booked != listed:
        found.append(f"{known.terms.client_order_id}: the fills are {listed}, rebuilt {booked}")
    return found


async def offers_differ(lem: AsyncClient, known: RebuiltOrder, now: datetime) -> list[str]:
    """What is to be traded now."""
    answer, own = (await lem.next_slice(known.order_id)).slice, known.offered(now)
    if (answer and answer.slice_id) == (own and own.slice_id):
        return []
    offered, rebuilt = (each and each.slice_id for each in (answer, own))
    return [f"{known.terms.client_order_id} ({known.status}): {offered} is offered, rebuilt {rebuilt}"]


def _told(order: Any) -> tuple[Any, ...]:
    names = ("client_order_id", "account", "side", "quantity", "notional", "benchmark", "fills")
    horizon = getattr(order, "horizon", order)
    return *(getattr(order, name) for name in names), horizon.min_steps, horizon.max_steps


def _rounded(value: Any) -> Any:
    return value.quantize(TWELFTH) if isinstance(value, Decimal) else value
