"""`/desk/ticket`: a new order, or one that takes the place of another, with its quote as it is typed.

An order is sent in two steps: the ticket is reviewed, and the review is sent. Its name is given with the form, so that
a ticket that is sent twice, or whose answer was lost, is one order.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from fastapi.exceptions import RequestValidationError
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from app.access.api_keys import Scope
from app.api.access.callers import account_of, caller_in
from app.api.audit import audited
from app.api.quotes.bodies import QuoteIn, QuoteOut
from app.desk.door import turn
from app.desk.forms import fields_of
from app.desk.pages import HEADERS, is_fragment, page, services_of
from app.desk.ticket_fields import COSTS, LABELS, Faults, faults_of, fields_of_order, order_in, read
from app.domain.errors import LemError
from app.domain.order import Benchmark, Fills, Side
from app.domain.order_words import Completion, OrderWarning
from app.domain.quote import QuoteWarning
from app.domain.replacing import require_replaceable
from app.domain.state import OrderState

REPLACES = "replaces"
"""The field with the id of the order in whose place the new one is to stand."""
INSTRUMENTS_SUGGESTED = 1_000
DEFAULTS = {"side": Side.BUY.value, "size_mode": "quantity", "benchmark": Benchmark.VWAP.value}
KEPT = ("instrument", "side", "size_mode", "fills", "account")
"""Terms that no replace may change."""
NOT_TOLD = ("client_order_id", "size_mode", *COSTS)
MORE = (
    *("start_time", "earliest_end", "latest_end", "step_seconds", "max_slice_fraction", "finish_price", "account"),
    *("avoid_open_minutes", "avoid_close_minutes", "completion", "fills", "report_delay_seconds", "model", *COSTS),
)
"""Terms that few orders have; they are folded away."""
USUAL = frozenset({None, Completion.WITHIN_LIMITS.value, Fills.ASSUMED.value})
CHOICES = {"benchmark": tuple(Benchmark), "completion": tuple(Completion), "fills": tuple(Fills)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Quoted:
    """What the order would earn and cost as it stands in the form; `faults` say why that is not known."""

    quote: QuoteOut | None = None
    warnings: tuple[OrderWarning | QuoteWarning, ...] = ()
    faults: Faults | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ticket:
    """What has been filled in, and the order that is to be replaced."""

    fields: Mapping[str, str]
    old: OrderState | None = None

    @classmethod
    async def of(cls, request: Request, fields: Mapping[str, str]) -> Ticket:
        """Raises NotFound("unknown_order"), also for an order of another account."""
        old_id = fields.get(REPLACES)
        old = await services_of(request).engine.queries.order(old_id, account_of(request)) if old_id else None
        kept = {name: text for name, text in fields_of_order(old.order).items() if name in KEPT} if old else {}
        return cls(fields={**fields, **kept}, old=old)

    def told(self) -> list[tuple[str, str, str]]:
        """Each term with its label, as it was in the order that is replaced, and as it is here."""
        before = fields_of_order(self.old.order) if self.old else {}
        names = [name for name in LABELS if name not in NOT_TOLD and (name in self.fields or name in before)]
        return [(LABELS[name], before.get(name, ""), self.fields.get(name, "")) for name in names]

    def changes(self) -> list[tuple[str, str, str]]:
        return [each for each in self.told() if each[1] != each[2]]


async def show_ticket(request: Request) -> Response:
    """An empty ticket, or one with the terms of the order that is to be replaced."""
    asked = {name: text for name, text in request.query_params.items() if name in {*LABELS, REPLACES}}
    ticket = await Ticket.of(request, asked)
    if ticket.old:
        require_replaceable(ticket.old)
    begun = fields_of_order(ticket.old.order) if ticket.old else DEFAULTS
    fields = {**begun, **ticket.fields, "client_order_id": _new_name()}
    return await _form(request, Ticket(fields=fields, old=ticket.old), Quoted())


async def quote_ticket(request: Request) -> Response:
    """The quote alone for the script; the whole ticket with it otherwise."""
    ticket = await Ticket.of(request, await fields_of(request))
    quoted = await _quoted(request, ticket)
    if not is_fragment(request):
        return await _form(request, ticket, quoted)
    return page(request, "ticket_quote.html", title="Quote", **_of_quote(ticket, quoted))


async def review_ticket(request: Request) -> Response:
    """Says what would be sent, and asks whether that is meant."""
    ticket = await Ticket.of(request, await fields_of(request))
    try:
        asked = order_in(ticket.fields, account_of(request))
        if ticket.old:
            require_replaceable(ticket.old)
        else:
            async with turn(request):
                await services_of(request).engine.dry_runs.run(asked)
    except (LemError, RequestValidationError) as error:
        return await _refused(request, ticket, error)
    shown = Ticket(fields={**ticket.fields, **fields_of_order(asked)}, old=ticket.old)
    quoted = Quoted() if ticket.old else await _quoted(request, shown)
    return page(request, "ticket_review.html", title="Review", order=asked, ticket=shown, **_of_quote(shown, quoted))


async def send_ticket(request: Request) -> Response:
    """Sends the order, and shows its page. The same ticket again is the same order."""
    ticket = await Ticket.of(request, await fields_of(request))
    engine = services_of(request).engine
    try:
        asked = order_in(ticket.fields, account_of(request))
        audited(order_id=asked.order_id, client_order_id=asked.client_order_id)
        if ticket.old:
            state, _ = await engine.replaces.replace(ticket.old.order_id, asked, account_of(request))
        else:
            state, _ = await engine.orders.submit(asked)
    except (LemError, RequestValidationError) as error:
        return await _refused(request, ticket, error)
    return RedirectResponse(f"/desk/orders/{state.order_id}", 303, HEADERS)


async def _quoted(request: Request, ticket: Ticket) -> Quoted:
    """An order that replaces is not quoted: a quote is of a whole order, from its first step on."""
    engine, account = services_of(request).engine, account_of(request)
    try:
        if ticket.old:
            order_in(ticket.fields, account)
            return Quoted()
        body = read(QuoteIn, ticket.fields)
        order, costs = body.to_domain(account), body.costs
        async with turn(request):
            run = await engine.dry_runs.run(order)
            quoted = await engine.quotes.quote(order, half_spread_bps=costs.half_spread_bps, impact=costs.impact)
    except (LemError, RequestValidationError) as error:
        return Quoted(faults=faults_of(error, request.url.path))
    quote = QuoteOut.of(quoted)
    return Quoted(quote=quote, warnings=tuple(dict.fromkeys((*run.warnings, *quote.warnings))))


async def _refused(request: Request, ticket: Ticket, error: LemError | RequestValidationError) -> Response:
    """The ticket as it was filled in, with what is wrong beside its fields."""
    faults = faults_of(error, request.url.path)
    audited(code=getattr(error, "code", "wrong_type"))
    return await _form(request, ticket, Quoted(faults=faults), status=faults.status, told=True)


async def _form(request: Request, ticket: Ticket, quoted: Quoted, *, status: int = 200, told: bool = False) -> Response:
    """`told`: fields that are still empty are wrong, too."""
    services = services_of(request)
    await services.engine.book.refresh()
    faults = quoted.faults
    wrong = {} if faults is None else faults.by_field if told else faults.typed(ticket.fields)
    return page(
        request,
        "ticket.html",
        title="Replace" if ticket.old else "Ticket",
        status=status,
        ticket=ticket,
        wrong=wrong,
        others=faults.others if faults is not None and told else (),
        choices=CHOICES,
        more_open=any(name in wrong or ticket.fields.get(name) not in USUAL for name in MORE),
        account=account_of(request),
        instruments=sorted(services.engine.book.terms)[:INSTRUMENTS_SUGGESTED],
        may_send=services.access.ring.permits(caller_in(request.scope).prefix, (Scope.ORDERS,)),
        **_of_quote(ticket, quoted),
    )


def _of_quote(ticket: Ticket, quoted: Quoted) -> dict[str, Any]:
    """What `ticket_quote.html` shows."""
    faults = quoted.faults
    return {
        "labels": LABELS,
        "quote": quoted.quote,
        "warnings": [str(each).replace("_", " ") for each in quoted.warnings],
        "typed_wrong": faults.typed(ticket.fields) if faults else {},
        "missing": faults.missing(ticket.fields) if faults else [],
        "unsaid": faults.others if faults else (),
        "old": ticket.old,
    }


def _new_name() -> str:
    return f"desk-{datetime.now(UTC):%y%m%d-%H%M%S}-{secrets.token_hex(3)}"
