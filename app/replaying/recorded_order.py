"""What a service has recorded of an order, and the bars that the order was decided on, as the engine's own values."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, fields, replace
from datetime import datetime
from decimal import Decimal

from app.api.orders.bodies import OrderIn
from app.api.orders.terms import HorizonIn, LimitsIn
from app.clock.calendars import calendar
from app.domain.bar import Bar
from app.domain.fills import Fill
from app.domain.instrument import Instrument
from app.domain.order import Fills, Order
from app.engine.ports import Calendar
from lem_client import AsyncClient, GivenSlice, ListedFill, StoredBar
from lem_client import Order as OrderAnswer
from lem_client.json_values import to_json

PAGE_BARS = 1_000


class CannotReplay(Exception):
    """The order cannot be decided again. The message says why in one line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """An order of a chain of replaces. `took_back` tells that it came when a slice of the order before it was decided
    whose window had not begun: that slice is decided anew."""

    order: Order
    took_back: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedOrder:
    """The order is the last of its `links`; those before it are the orders in whose place it stands, oldest first.
    `arrival_price` is the price when the first of them came; `slices` are those that all have had, `fills` those that
    were reported and count, by time of execution. `bundle` is the one that decided them."""

    instrument: Instrument
    calendar: Calendar
    links: tuple[Link, ...]
    arrival_price: Decimal
    slices: tuple[GivenSlice, ...]
    fills: tuple[Fill, ...]
    bundle: str

    @property
    def step_seconds(self) -> int:
        return self.links[-1].order.horizon.step_seconds or self.instrument.bar_seconds


async def recorded_order(lem: AsyncClient, order_id: str) -> RecordedOrder:
    """Raises CannotReplay, and what the client raises."""
    answer, slices = await lem.get_order(order_id), await lem.list_slices(order_id)
    if not slices:
        raise CannotReplay(f"order {order_id} has no slices yet")
    told = await lem.get_instrument(answer.instrument)
    instrument = Instrument(
        **{each.name: getattr(told, each.name) for each in fields(Instrument) if hasattr(told, each.name)}
    )
    bundle = answer.model or next((each.model for each in slices if each.basis == "model"), None)
    if bundle is None:
        raise CannotReplay(f"no bundle has decided order {order_id}: all of its slices are fallbacks")
    price = answer.arrival_price
    if price is None:
        raise CannotReplay(f"order {order_id} has no arrival price: an earlier release accepted it")
    links = await _links(lem, answer)
    listed = await lem.list_fills(order_id) if links[-1].order.fills is Fills.REPORTED else ()
    return RecordedOrder(
        instrument=instrument,
        calendar=calendar(instrument.calendar),
        links=links,
        arrival_price=price,
        slices=slices,
        fills=tuple(_fill_of(each) for each in listed if not each.busted),
        bundle=bundle,
    )


async def _links(lem: AsyncClient, answer: OrderAnswer) -> tuple[Link, ...]:
    """Up to the order in `answer`, oldest first."""
    if answer.replaces is None:
        return (Link(order=_order_of(answer)),)
    before = await lem.get_order(answer.replaces)
    if before.model != answer.model:
        raise CannotReplay(f"{before.model} decided order {before.order_id}, and {answer.model} the one in its place")
    slices = await lem.list_slices(answer.order_id)
    own = sum(each.slice_id.startswith(f"{answer.order_id}-") for each in slices)
    carried = len(slices) - own
    link = Link(
        order=replace(_order_of(answer), replaces=before.order_id),
        took_back=len(await lem.list_slices(before.order_id)) > carried,
    )
    return (*await _links(lem, before), link)


async def bars_of(lem: AsyncClient, recorded: RecordedOrder, lookback: int) -> tuple[list[Bar], list[Bar]]:
    """The `lookback` steps of bars before the order's first window, or what is kept of them, and the bars of its
    windows; both oldest first. Raises CannotReplay where the service keeps none before it any more."""
    first, last = recorded.slices[0].window.start, recorded.slices[-1].window.end
    parts = recorded.calendar.bars_in(recorded.step_seconds, recorded.instrument.bar_seconds)
    stored = lem.list_bars(recorded.instrument.symbol, before=last, page_size=PAGE_BARS)
    newest_first = [each async for each in _enough(stored, first, (lookback + 1) * parts)]
    bars = [_bar_of(each) for each in reversed(newest_first)]
    before = [bar for bar in bars if bar.open_time < first]
    if not before:
        raise CannotReplay("the service keeps no bars from before the order any more")
    return before, bars[len(before) :]


async def _enough(stored: AsyncIterator[StoredBar], first: datetime, count: int) -> AsyncIterator[StoredBar]:
    async for each in stored:
        yield each
        if each.open_time < first:
            count -= 1
            if count <= 0:
                return


def _order_of(answer: OrderAnswer) -> Order:
    """The order's terms as an OMS would send them, with the steps that were counted when it was accepted."""
    plain = json.loads(json.dumps(to_json(answer)))  # words as the texts that they are
    told = {name: value for name, value in plain.items() if name in OrderIn.model_fields}
    steps, limits = plain["horizon"], plain["limits"]
    body = OrderIn.model_validate(
        told
        | {
            "horizon": {name: value for name, value in steps.items() if name in HorizonIn.model_fields},
            "limits": {name: value for name, value in limits.items() if name in LimitsIn.model_fields},
        }
    )
    order = body.to_domain()
    if not isinstance(order, Order):
        raise CannotReplay("the order's horizon is not counted in steps")
    return order


def _fill_of(listed: ListedFill) -> Fill:
    return Fill(
        execution_id=listed.execution_id,
        slice_id=listed.slice_id,
        quantity=listed.quantity,
        price=listed.price,
        executed_at=listed.executed_at,
    )


def _bar_of(stored: StoredBar) -> Bar:
    return Bar(**{each.name: getattr(stored, each.name) for each in fields(Bar) if hasattr(stored, each.name)})
