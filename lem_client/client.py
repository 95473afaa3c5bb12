"""The client for programs that wait for each answer."""

from __future__ import annotations

import time
from collections.abc import Generator, Iterable, Iterator
from datetime import datetime
from types import TracebackType
from typing import Self, TypeVar

import httpx

from lem_client import calls
from lem_client.analyses import Analyses, Analysis, WantedOrders
from lem_client.calls import Call, Page
from lem_client.conversation import Came, Pause, Step, conversation
from lem_client.events import Event
from lem_client.fills import BookedFill, Correction, Fill, ListedFill
from lem_client.following import Following
from lem_client.market import Bar, Health, Ingested, Instrument, InstrumentDetail, Readiness, StoredBar
from lem_client.models import Activation, Model, ModelCard, Shadow, Shadowing
from lem_client.orders import DryRun, NewOrder, Order
from lem_client.quotes import Costs, Quote
from lem_client.retries import Retries
from lem_client.sending import TIMEOUT_SECONDS, connection, request
from lem_client.slices import GivenSlice, NextSlice, Schedule
from lem_client.webhooks import CreatedWebhook, DeadLetter, NewWebhook, Resent, Webhook
from lem_client.words import Status

T = TypeVar("T")


class Client:
    """One service. Threads may share a client. Every method raises ClientError where the call has failed.

    `api_key` is sent as a bearer token. An answer is awaited for `timeout_seconds`, besides what the call itself waits.
    `transport` is how httpx reaches the service: give one for a proxy or certificates of your own.
    """

    def __init__(
        self,
        url: str,
        *,
        api_key: str | None = None,
        timeout_seconds: float = TIMEOUT_SECONDS,
        retries: Retries | None = None,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self._http = httpx.Client(transport=transport, **connection(url, api_key))
        self._timeout_seconds = timeout_seconds
        self._retries = retries or Retries()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close all connections."""
        self._http.close()

    def put_instrument(self, instrument: Instrument) -> Instrument:
        """Register the instrument, or change it."""
        return self._sent(calls.put_instrument(instrument))

    def get_instrument(self, symbol: str) -> InstrumentDetail:
        """One instrument, and the quality of its bars."""
        return self._sent(calls.get_instrument(symbol))

    def delete_instrument(self, symbol: str) -> None:
        """Delete the instrument with its bars, where no order stands on it."""
        return self._sent(calls.delete_instrument(symbol))

    def list_instruments(self) -> tuple[Instrument, ...]:
        """All instruments."""
        return self._sent(calls.list_instruments())

    def post_bars(self, bars: Iterable[Bar], *, partial: bool = False) -> Ingested:
        """Send up to 10,000 closed bars: all are taken or none, or with `partial` those that are right."""
        return self._sent(calls.post_bars(bars, partial=partial))

    def list_bars(
        self, instrument: str, *, before: datetime | None = None, page_size: int = 100
    ) -> Iterator[StoredBar]:
        """The recorded bars, newest first or from before that time on, fetched in pages of 1 to 1,000 as you go on."""
        return self._paged(calls.list_bars(instrument, before=before, page_size=page_size))

    def post_order(self, order: NewOrder) -> Order:
        """Send an order. The same order again is answered as it stands."""
        return self._sent(calls.post_order(order))

    def dry_run_order(self, order: NewOrder) -> DryRun:
        """The order as it would be accepted, with warnings. Refused as the order would be; nothing is taken."""
        return self._sent(calls.dry_run_order(order))

    def post_quote(self, order: NewOrder, costs: Costs | None = None) -> Quote:
        """What the order may earn and cost, were it sent now. Nothing is taken."""
        return self._sent(calls.post_quote(order, costs))

    def get_order(self, order_id: str) -> Order:
        """The order as it stands."""
        return self._sent(calls.get_order(order_id))

    def list_orders(
        self,
        *,
        status: Status | None = None,
        instrument: str | None = None,
        client_order_id: str | None = None,
        account: str | None = None,
        page_size: int = 100,
    ) -> Iterator[Order]:
        """All orders that fit, fetched in pages of 1 to 1,000 as you go on. An order that has an account is found by
        its `client_order_id` only with the account."""
        first = calls.list_orders(
            status=status,
            instrument=instrument,
            client_order_id=client_order_id,
            account=account,
            page_size=page_size,
        )
        return self._paged(first)

    def next_slice(self, order_id: str, *, wait_seconds: float = 0.0) -> NextSlice:
        """What to trade now. Where there is nothing, wait for a slice up to 30 seconds."""
        return self._sent(calls.next_slice(order_id, wait_seconds=wait_seconds))

    def list_slices(self, order_id: str) -> tuple[GivenSlice, ...]:
        """Every slice that the order has had, by step."""
        return self._sent(calls.list_slices(order_id))

    def get_schedule(self, order_id: str) -> Schedule:
        """Every step: done, current, projected."""
        return self._sent(calls.get_schedule(order_id))

    def post_fill(self, order_id: str, fill: Fill) -> BookedFill:
        """Report what was traded of a slice. The same `execution_id` is booked once."""
        return self._sent(calls.post_fill(order_id, fill))

    def list_fills(self, order_id: str) -> tuple[ListedFill, ...]:
        """Every fill that was reported, by the time of execution."""
        return self._sent(calls.list_fills(order_id))

    def bust_fill(self, order_id: str, execution_id: str) -> BookedFill:
        """Say that the execution was annulled: its fill counts for nothing."""
        return self._sent(calls.bust_fill(order_id, execution_id))

    def correct_fill(self, order_id: str, execution_id: str, correction: Correction) -> BookedFill:
        """Say what the execution was in truth."""
        return self._sent(calls.correct_fill(order_id, execution_id, correction))

    def close_slice(self, order_id: str, step: int) -> Order:
        """Say that no more fills come for the slice of that step."""
        return self._sent(calls.close_slice(order_id, step))

    def pause_order(self, order_id: str) -> Order:
        """Ask for nothing until the order resumes. A slice whose window has begun stays in flight."""
        return self._sent(calls.pause_order(order_id))

    def resume_order(self, order_id: str) -> Order:
        """Go on: the rest of the order is scheduled over the steps that are left."""
        return self._sent(calls.resume_order(order_id))

    def replace_order(self, order_id: str, order: NewOrder) -> Order:
        """Send the whole order again under a new `client_order_id`: it goes on in the place of the old one."""
        return self._sent(calls.replace_order(order_id, order))

    def cancel_order(self, order_id: str) -> Order:
        """End the order: no further slice comes."""
        return self._sent(calls.cancel_order(order_id))

    def list_events(self, *, after: str | None = None, page_size: int = 100) -> Iterator[Event]:
        """The events of all orders that are kept, oldest first or behind the event of that id, fetched in pages of 1 to
        1,000 as you go on."""
        return self._paged(calls.list_events(None, after=after, page_size=page_size))

    def list_order_events(self, order_id: str, *, after: str | None = None, page_size: int = 100) -> Iterator[Event]:
        """As `list_events`, of one order."""
        return self._paged(calls.list_events(order_id, after=after, page_size=page_size))

    def follow_events(self, *, order_id: str | None = None, after: str | None = None) -> Generator[Event, None, None]:
        """Events as they happen, of one order or of all; behind the event of that id, or from now on. Does not end: a
        stream that is lost is asked for again behind the newest event, as patiently as a call is sent again. Raises
        Refused with the code `events_gone` where events behind `after` are no longer kept."""
        following = Following(calls.follow_events(order_id), after, self._retries)
        while True:
            ended: httpx.Response | httpx.RequestError | None = None
            try:
                with self._http.stream(**following.request(self._timeout_seconds)) as response:
                    if following.accepts(response):
                        for line in response.iter_lines():
                            event = following.event(line)
                            if event is not None:
                                yield event
                    else:
                        response.read()
                        ended = response
            except httpx.RequestError as error:
                ended = error
            time.sleep(following.pause_seconds(ended))

    def create_webhook(self, webhook: NewWebhook) -> CreatedWebhook:
        """Have events sent to an address. The answer has the secret that they are signed with, this once."""
        return self._sent(calls.create_webhook(webhook))

    def list_webhooks(self) -> tuple[Webhook, ...]:
        """All webhooks, and how their deliveries go."""
        return self._sent(calls.list_webhooks())

    def get_webhook(self, webhook_id: str) -> Webhook:
        """One webhook, and how its deliveries go."""
        return self._sent(calls.get_webhook(webhook_id))

    def delete_webhook(self, webhook_id: str) -> None:
        """Send nothing more to it."""
        return self._sent(calls.delete_webhook(webhook_id))

    def list_dead_letters(self, webhook_id: str, *, limit: int = 100) -> tuple[DeadLetter, ...]:
        """The newest 1 to 1,000 events that could not be delivered, the newest first."""
        return self._sent(calls.list_dead_letters(webhook_id, limit=limit))

    def resend_dead_letters(self, webhook_id: str, *, limit: int = 100) -> Resent:
        """Try the oldest 1 to 1,000 dead letters once more, for half a minute at most."""
        return self._sent(calls.resend_dead_letters(webhook_id, limit=limit))

    def get_analysis(self, order_id: str) -> Analysis:
        """What the order cost, held against the market; so far, or for good."""
        return self._sent(calls.get_analysis(order_id))

    def get_analyses(self, wanted: WantedOrders | None = None) -> Analyses:
        """What many orders cost: distributions over all that fit, and over those that are alike."""
        return self._sent(calls.get_analyses(wanted or WantedOrders()))

    def list_models(self) -> tuple[Model, ...]:
        """The bundles of the service."""
        return self._sent(calls.list_models())

    def activate_model(self, name: str) -> Activation:
        """From now on the bundle decides new orders; those under way stay on theirs."""
        return self._sent(calls.activate_model(name))

    def get_model_card(self, name: str) -> ModelCard:
        """The bundle's card: what it is, what trained it, what was measured of it."""
        return self._sent(calls.get_model_card(name))

    def shadow_model(self, name: str) -> Shadowing:
        """From now on the bundle decides silently beside the active one."""
        return self._sent(calls.shadow_model(name))

    def end_shadow(self, name: str) -> None:
        """The bundle decides silently no more; what was compared is kept."""
        return self._sent(calls.end_shadow(name))

    def get_shadow(self, name: str) -> Shadow:
        """What the bundle would have done with orders, and what they would have cost."""
        return self._sent(calls.get_shadow(name))

    def get_health(self) -> Health:
        """Whether the process is alive."""
        return self._sent(calls.get_health())

    def get_readiness(self) -> Readiness:
        """Whether the service can serve, and if not, why."""
        return self._sent(calls.get_readiness())

    def _paged(self, first: Call[Page[T]]) -> Iterator[T]:
        call: Call[Page[T]] | None = first
        while call is not None:
            page = self._sent(call)
            yield from page.items
            call = calls.page_after(call, page)

    def _sent(self, call: Call[T]) -> T:
        """The answer to the call, which is sent again where that is safe and may help."""
        steps = conversation(call, self._retries)
        came: Came = None
        while True:
            try:
                step = steps.send(came)
            except StopIteration as end:
                answer: T = end.value
                return answer
            came = self._done(step)

    def _done(self, step: Step) -> Came:
        if isinstance(step, Pause):
            time.sleep(step.seconds)
            return None
        try:
            return self._http.request(**request(step, self._timeout_seconds))
        except httpx.RequestError as error:
            return error
