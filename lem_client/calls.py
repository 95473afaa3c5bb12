"""Every call of the interface, described once: `Client` and `AsyncClient` send the same ones."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Generic, TypeVar
from urllib.parse import quote as escaped

from lem_client.json_values import from_json, to_json
from lem_client.market import Bar, Health, Ingested, Instrument, Model, Readiness
from lem_client.orders import BookedFill, Fill, NewOrder, Order, OrdersPage
from lem_client.quotes import Costs, Quote
from lem_client.slices import NextSlice, Schedule
from lem_client.words import Status

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Call(Generic[T]):
    """One request, and how its answer is read. `repeatable`: sent twice, it does what it does once. `wait_seconds`: how
    long the service may hold the answer back. `answers`: statuses of answers that are no refusals, besides 2xx."""

    method: str
    path: str
    read: Callable[[Any], T]
    repeatable: bool
    query: Mapping[str, str] = field(default_factory=dict)
    body: Any = None
    wait_seconds: float = 0.0
    answers: frozenset[int] = frozenset()


def put_instrument(instrument: Instrument) -> Call[Instrument]:
    terms = to_json(instrument)
    return _call("PUT", f"/v1/instruments/{_part(terms.pop('symbol'))}", Instrument, body=terms)


def get_instrument(symbol: str) -> Call[Instrument]:
    return _call("GET", f"/v1/instruments/{_part(symbol)}", Instrument)


def list_instruments() -> Call[tuple[Instrument, ...]]:
    return _listed("/v1/instruments", "instruments", Instrument)


def post_bars(bars: Iterable[Bar], *, partial: bool) -> Call[Ingested]:
    """Repeatable: bars that are recorded already are counted and change nothing."""
    query = {"partial": "true"} if partial else {}
    return _call("POST", "/v1/bars", Ingested, query=query, body={"bars": [to_json(bar) for bar in bars]})


def post_order(order: NewOrder) -> Call[Order]:
    """Repeatable by `client_order_id`."""
    return _call("POST", "/v1/orders", Order, body=to_json(order))


def post_quote(order: NewOrder, costs: Costs | None) -> Call[Quote]:
    """Repeatable: nothing is taken or recorded."""
    told = {"costs": to_json(costs)} if costs else {}
    return _call("POST", "/v1/quotes", Quote, body=to_json(order) | told)


def get_order(order_id: str) -> Call[Order]:
    return _call("GET", _of(order_id), Order)


def list_orders(
    *, status: Status | None, instrument: str | None, client_order_id: str | None, page_size: int
) -> Call[OrdersPage]:
    """The first page."""
    asked = {"status": status, "instrument": instrument, "client_order_id": client_order_id, "limit": str(page_size)}
    query = {name: str(value) for name, value in asked.items() if value is not None}
    return _call("GET", "/v1/orders", OrdersPage, query=query)


def page_after(call: Call[OrdersPage], page: OrdersPage) -> Call[OrdersPage] | None:
    """The call for the page after that one; None after the last."""
    if page.next_cursor is None:
        return None
    return replace(call, query={**call.query, "cursor": page.next_cursor})


def next_slice(order_id: str, *, wait_seconds: float) -> Call[NextSlice]:
    query = {"wait": f"{wait_seconds:.3f}"} if wait_seconds else {}
    return _call("GET", f"{_of(order_id)}/slices/next", NextSlice, query=query, wait_seconds=wait_seconds)


def get_schedule(order_id: str) -> Call[Schedule]:
    return _call("GET", f"{_of(order_id)}/schedule", Schedule)


def post_fill(order_id: str, fill: Fill) -> Call[BookedFill]:
    """Repeatable by `execution_id`."""
    return _call("POST", f"{_of(order_id)}/fills", BookedFill, body=to_json(fill))


def close_slice(order_id: str, step: int) -> Call[Order]:
    """Repeatable: a slice that is closed stays so."""
    return _call("POST", f"{_of(order_id)}/slices/{step}/close", Order)


def cancel_order(order_id: str) -> Call[Order]:
    """Repeatable: an order that is cancelled stays so."""
    return _call("POST", f"{_of(order_id)}/cancel", Order)


def list_models() -> Call[tuple[Model, ...]]:
    return _listed("/v1/models", "models", Model)


def get_health() -> Call[Health]:
    return _call("GET", "/healthz", Health)


def get_readiness() -> Call[Readiness]:
    """That a service is not ready is an answer."""
    return _call("GET", "/readyz", Readiness, answers=frozenset({503}))


def _call(method: str, path: str, kind: type[T], **more: Any) -> Call[T]:
    """A call that the service takes once, however often it comes."""
    return Call(method=method, path=path, read=partial(from_json, kind), repeatable=True, **more)


def _listed(path: str, name: str, kind: type[T]) -> Call[tuple[T, ...]]:
    def read(value: Any) -> tuple[T, ...]:
        return tuple(from_json(kind, each) for each in value[name])

    return Call(method="GET", path=path, read=read, repeatable=True)


def _of(order_id: str) -> str:
    return f"/v1/orders/{_part(order_id)}"


def _part(text: str) -> str:
    """One part of a path: a slash in it is no slash of the path's."""
    return escaped(text, safe="")
