"""Every call of the interface, described once: `Client` and `AsyncClient` send the same ones."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from typing import Any, Generic, TypeVar
from urllib.parse import quote as escaped

from lem_client.analyses import Analyses, Analysis, WantedOrders
from lem_client.events import Event
from lem_client.fills import BookedFill, Correction, Fill, ListedFill
from lem_client.json_values import from_json, to_json
from lem_client.market import Bar, Health, Ingested, Instrument, InstrumentDetail, Readiness, StoredBar
from lem_client.models import Activation, Model, ModelCard, Shadow, Shadowing
from lem_client.orders import DryRun, NewOrder, Order
from lem_client.quotes import Costs, Quote
from lem_client.slices import GivenSlice, NextSlice, Schedule
from lem_client.webhooks import CreatedWebhook, DeadLetter, NewWebhook, Resent, Webhook
from lem_client.words import Status

T = TypeVar("T")
RESENDING_SECONDS_MAX = 30.0
"""For as long the service tries dead letters at most: 20 seconds, and one attempt of 10 that has begun before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Call(Generic[T]):
    """One request, and how its answer is read. `repeatable`: sent twice, it does what it does once. `wait_seconds`: how
    long the service may hold the answer back. `answers`: statuses of answers that are no refusals, besides 2xx.
    `done_code`: the code of the refusal by which a call that is sent again learns that it was done the first time."""

    method: str
    path: str
    read: Callable[[Any], T]
    repeatable: bool
    query: Mapping[str, str] = field(default_factory=dict)
    body: Any = None
    wait_seconds: float = 0.0
    answers: frozenset[int] = frozenset()
    done_code: str | None = None


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """Some of a list. `next_query` is what asks for the next page; None on the last one."""

    items: tuple[T, ...]
    next_query: Mapping[str, str] | None


def put_instrument(instrument: Instrument) -> Call[Instrument]:
    terms = to_json(instrument)
    terms.pop("quality", None)  # an instrument that the service has answered may be changed and sent back
    return _call("PUT", f"/v1/instruments/{_part(terms.pop('symbol'))}", Instrument, body=terms)


def get_instrument(symbol: str) -> Call[InstrumentDetail]:
    return _call("GET", f"/v1/instruments/{_part(symbol)}", InstrumentDetail)


def delete_instrument(symbol: str) -> Call[None]:
    """Repeatable: an instrument that is deleted is not there when the call is sent again."""
    path = f"/v1/instruments/{_part(symbol)}"
    return Call(method="DELETE", path=path, read=_nothing, repeatable=True, done_code="unknown_instrument")


def list_instruments() -> Call[tuple[Instrument, ...]]:
    return _listed("/v1/instruments", "instruments", Instrument)


def post_bars(bars: Iterable[Bar], *, partial: bool) -> Call[Ingested]:
    """Repeatable: bars that are recorded already are counted and change nothing."""
    query = {"partial": "true"} if partial else {}
    return _call("POST", "/v1/bars", Ingested, query=query, body={"bars": [to_json(bar) for bar in bars]})


def list_bars(instrument: str, *, before: datetime | None, page_size: int) -> Call[Page[StoredBar]]:
    """The first page."""
    query = _query({"instrument": instrument, "before": before, "limit": page_size})
    return _paged("/v1/bars", "bars", StoredBar, query, told_by="next_before", asked_by="before")


def post_order(order: NewOrder) -> Call[Order]:
    """Repeatable by `client_order_id`."""
    return _call("POST", "/v1/orders", Order, body=to_json(order))


def dry_run_order(order: NewOrder) -> Call[DryRun]:
    """Repeatable: nothing is taken."""
    return _call("POST", "/v1/orders", DryRun, query={"dry_run": "true"}, body=to_json(order))


def post_quote(order: NewOrder, costs: Costs | None) -> Call[Quote]:
    """Repeatable: nothing is taken or recorded."""
    told = {"costs": to_json(costs)} if costs else {}
    return _call("POST", "/v1/quotes", Quote, body=to_json(order) | told)


def get_order(order_id: str) -> Call[Order]:
    return _call("GET", _of(order_id), Order)


def list_orders(
    *,
    status: Status | None,
    instrument: str | None,
    client_order_id: str | None,
    account: str | None,
    page_size: int,
) -> Call[Page[Order]]:
    """The first page."""
    query = _query(
        {
            "status": status,
            "instrument": instrument,
            "client_order_id": client_order_id,
            "account": account,
            "limit": page_size,
        }
    )
    return _paged("/v1/orders", "orders", Order, query, told_by="next_cursor", asked_by="cursor")


def page_after(call: Call[Page[T]], page: Page[T]) -> Call[Page[T]] | None:
    """The call for the page after that one; None after the last."""
    if page.next_query is None:
        return None
    return replace(call, query={**call.query, **page.next_query})


def next_slice(order_id: str, *, wait_seconds: float) -> Call[NextSlice]:
    query = {"wait": f"{wait_seconds:.3f}"} if wait_seconds else {}
    return _call("GET", f"{_of(order_id)}/slices/next", NextSlice, query=query, wait_seconds=wait_seconds)


def get_schedule(order_id: str) -> Call[Schedule]:
    return _call("GET", f"{_of(order_id)}/schedule", Schedule)


def list_slices(order_id: str) -> Call[tuple[GivenSlice, ...]]:
    return _listed(f"{_of(order_id)}/slices", "slices", GivenSlice)


def post_fill(order_id: str, fill: Fill) -> Call[BookedFill]:
    """Repeatable by `execution_id`."""
    return _call("POST", f"{_of(order_id)}/fills", BookedFill, body=to_json(fill))


def list_fills(order_id: str) -> Call[tuple[ListedFill, ...]]:
    return _listed(f"{_of(order_id)}/fills", "fills", ListedFill)


def bust_fill(order_id: str, execution_id: str) -> Call[BookedFill]:
    """Repeatable: a fill that is busted stays so."""
    return _call("POST", f"{_of(order_id)}/fills/{_part(execution_id)}/bust", BookedFill)


def correct_fill(order_id: str, execution_id: str, correction: Correction) -> Call[BookedFill]:
    """Repeatable: the same correction changes nothing more."""
    path = f"{_of(order_id)}/fills/{_part(execution_id)}/correct"
    return _call("POST", path, BookedFill, body=to_json(correction))


def close_slice(order_id: str, step: int) -> Call[Order]:
    """Repeatable: a slice that is closed stays so."""
    return _call("POST", f"{_of(order_id)}/slices/{step}/close", Order)


def cancel_order(order_id: str) -> Call[Order]:
    """Repeatable: an order that is cancelled stays so."""
    return _call("POST", f"{_of(order_id)}/cancel", Order)


def replace_order(order_id: str, order: NewOrder) -> Call[Order]:
    """Repeatable by the new `client_order_id`."""
    return _call("POST", f"{_of(order_id)}/replace", Order, body=to_json(order))


def pause_order(order_id: str) -> Call[Order]:
    """Repeatable: an order that is paused stays so."""
    return _call("POST", f"{_of(order_id)}/pause", Order)


def resume_order(order_id: str) -> Call[Order]:
    """Repeatable: an order that is not paused goes on as it is."""
    return _call("POST", f"{_of(order_id)}/resume", Order)


def list_events(order_id: str | None, *, after: str | None, page_size: int) -> Call[Page[Event]]:
    """The first page."""

    def read(value: Any) -> Page[Event]:
        events = tuple(from_json(Event, each) for each in value["events"])
        return Page(events, {"after": str(value["last_event_id"])} if value["more"] else None)

    query = _query({"after": after, "limit": page_size})
    return Call(method="GET", path=_events_of(order_id), read=read, repeatable=True, query=query)


def follow_events(order_id: str | None) -> Call[None]:
    """A stream, which no single answer ends."""
    return Call(method="GET", path=_events_of(order_id), read=_nothing, repeatable=True)


def create_webhook(webhook: NewWebhook) -> Call[CreatedWebhook]:
    """Not repeatable: only the first answer has the secret."""
    read = partial(from_json, CreatedWebhook)
    return Call(method="POST", path="/v1/webhooks", read=read, repeatable=False, body=to_json(webhook))


def list_webhooks() -> Call[tuple[Webhook, ...]]:
    return _listed("/v1/webhooks", "webhooks", Webhook)


def get_webhook(webhook_id: str) -> Call[Webhook]:
    return _call("GET", f"/v1/webhooks/{_part(webhook_id)}", Webhook)


def delete_webhook(webhook_id: str) -> Call[None]:
    """Repeatable: a webhook that is deleted is not there when the call is sent again."""
    path = f"/v1/webhooks/{_part(webhook_id)}"
    return Call(method="DELETE", path=path, read=_nothing, repeatable=True, done_code="unknown_webhook")


def list_dead_letters(webhook_id: str, *, limit: int) -> Call[tuple[DeadLetter, ...]]:
    path = f"/v1/webhooks/{_part(webhook_id)}/dead_letters"
    return replace(_listed(path, "dead_letters", DeadLetter), query=_query({"limit": limit}))


def resend_dead_letters(webhook_id: str, *, limit: int) -> Call[Resent]:
    """Repeatable: what was delivered is a dead letter no longer, and what comes twice has the same id."""
    path, query = f"/v1/webhooks/{_part(webhook_id)}/dead_letters/resend", _query({"limit": limit})
    return replace(_call("POST", path, Resent, query=query), wait_seconds=RESENDING_SECONDS_MAX)


def get_analysis(order_id: str) -> Call[Analysis]:
    return _call("GET", f"{_of(order_id)}/tca", Analysis)


def get_analyses(wanted: WantedOrders) -> Call[Analyses]:
    return _call("GET", "/v1/tca", Analyses, query=_query(to_json(wanted)))


def list_models() -> Call[tuple[Model, ...]]:
    return _listed("/v1/models", "models", Model)


def activate_model(name: str) -> Call[Activation]:
    """Repeatable: a bundle that is active stays so."""
    return _call("POST", f"/v1/models/{_part(name)}/activate", Activation)


def get_model_card(name: str) -> Call[ModelCard]:
    return _call("GET", f"/v1/models/{_part(name)}/card", ModelCard)


def shadow_model(name: str) -> Call[Shadowing]:
    """Repeatable: a bundle that is the shadow stays so."""
    return _call("POST", f"/v1/models/{_part(name)}/shadow", Shadowing)


def end_shadow(name: str) -> Call[None]:
    """Repeatable: a bundle that is no shadow stays none."""
    return Call(method="DELETE", path=f"/v1/models/{_part(name)}/shadow", read=_nothing, repeatable=True)


def get_shadow(name: str) -> Call[Shadow]:
    return _call("GET", f"/v1/models/{_part(name)}/shadow", Shadow)


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


def _paged(
    path: str, name: str, kind: type[T], query: Mapping[str, str], *, told_by: str, asked_by: str
) -> Call[Page[T]]:
    """The answer's field `told_by` is the parameter `asked_by` of the next page, and null on the last."""

    def read(value: Any) -> Page[T]:
        told = value[told_by]
        items = tuple(from_json(kind, each) for each in value[name])
        return Page(items, None if told is None else {asked_by: str(told)})

    return Call(method="GET", path=path, read=read, repeatable=True, query=query)


def _query(asked: Mapping[str, Any]) -> dict[str, str]:
    """Texts of what is given."""
    told = {name: to_json(value) for name, value in asked.items() if value is not None}
    return {name: str(value).lower() if isinstance(value, bool) else str(value) for name, value in told.items()}


def _nothing(_: Any) -> None:
    """The answer has no body."""


def _events_of(order_id: str | None) -> str:
    return "/v1/events" if order_id is None else f"{_of(order_id)}/events"


def _of(order_id: str) -> str:
    return f"/v1/orders/{_part(order_id)}"


def _part(text: str) -> str:
    """One part of a path: a slash in it is no slash of the path's."""
    return escaped(text, safe="")
