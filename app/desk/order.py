"""One order: how it stands, what was planned and done, what it costs, and all that has happened to it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from app.api.access.callers import account_of
from app.desk.blotter import Row
from app.desk.charts import plan_chart, price_chart, stop_chart
from app.desk.door import turn
from app.desk.pages import page, services_of, text_of
from app.desk.stream import Fragments, streamed
from app.desk.warnings import Watch, stop_probability
from app.domain.fills import Fill
from app.engine.analyses import AnalysedOrder
from app.engine.results import Schedule
from app.outbox.log import OLDEST, RecordedEvent

SOON_STEPS = 3
SLICES_SHOWN, FILLS_SHOWN, EVENTS_SHOWN = 60, 100, 200
EVENTS_SEEN_MAX = 100_000
PARTS = ("order_head", "order_figures", "order_charts", "order_costs", "order_slices", "order_fills")


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderShown:
    """What the page of one order shows, from the same answers that the interface gives."""

    row: Row
    analysed: AnalysedOrder
    schedule: Schedule
    fills: Sequence[Fill]

    @property
    def values(self) -> dict[str, Any]:
        state, analysis = self.row.state, self.analysed.analysis
        booked = [
            (state.step_of(fill.slice_id) or 0, fill.quantity, fill.price) for fill in self.fills if not fill.busted
        ]
        ahead = [step for step in self.schedule.steps if step.step >= state.step]
        return {
            "row": self.row,
            "state": state,
            "order": state.order,
            "costs": analysis,
            "schedule": self.schedule,
            "slices": [step for step in self.schedule.steps if step.slice is not None][-SLICES_SHOWN:][::-1],
            "fills": self.fills[-FILLS_SHOWN:][::-1],
            "models": self.analysed.models,
            "ends_soon": sum(step.end_probability for step in ahead[:SOON_STEPS]) if state.status.live else None,
            "soon_steps": SOON_STEPS,
            "plan": plan_chart(self.schedule, state.order.size),
            "stop": stop_chart(self.schedule),
            "price": price_chart(self.analysed, self.row.instrument, booked),
        }

    def fragments(self) -> Fragments:
        values = self.values
        return {part.replace("_", "-"): text_of(f"{part}.html", **values) for part in PARTS}, {}


async def order_now(request: Request, order_id: str) -> OrderShown:
    """Raises NotFound("unknown_order"), also for an order of another account."""
    engine, account = services_of(request).engine, account_of(request)
    state = await engine.queries.order(order_id, account)
    async with turn(request):
        schedule = await engine.queries.schedule(order_id, account)
        analysed = await engine.analyses.of_order(order_id, account)
        fills = await engine.queries.fills(order_id, account)
    await engine.book.refresh()
    state = analysed.state
    row = Row(
        state=state,
        instrument=engine.book.terms.get(state.order.instrument),
        warnings=Watch(engine).warnings(state),
        ends_now=stop_probability(state) if state.status.live else None,
    )
    return OrderShown(row=row, analysed=analysed, schedule=schedule, fills=fills)


async def show_order(request: Request) -> Response:
    view = await order_now(request, request.path_params["order_id"])
    return page(request, "order.html", title=view.row.state.order.client_order_id, parts=PARTS, **view.values)


async def stream_order(request: Request) -> Response:
    order_id = request.path_params["order_id"]
    await services_of(request).engine.queries.order(order_id, account_of(request))
    return streamed(request, partial(_look, request, order_id))


async def _look(request: Request, order_id: str) -> Fragments:
    return (await order_now(request, order_id)).fragments()


async def show_events(request: Request) -> Response:
    """What has happened to the order, newest first; as much of it as is kept."""
    services, order_id = services_of(request), request.path_params["order_id"]
    state = await services.engine.queries.order(order_id, account_of(request))
    found, place, seen, more = list[RecordedEvent](), OLDEST, 0, True
    async with turn(request):
        while more and seen < EVENTS_SEEN_MAX:
            batch = await services.tail.log.read(place, instrument=state.order.instrument)
            found += batch.by_order.get(order_id, ())
            more, place, seen = batch.more, batch.until, seen + len(batch.events)
    shown = [(event, _told(event)) for event in found[-EVENTS_SHOWN:][::-1]]
    return page(request, "order_events.html", title="Events", events=shown, left_out=len(found) - len(shown))


def _told(event: RecordedEvent) -> str:
    """What the event says besides its name."""
    what = event.event.what
    said = []
    for name in (
        "reason",
        "stop_reason",
        "slice_id",
        "quantity",
        "price",
        "amount",
        "given_back",
        "behind",
        "warnings",
    ):
        value = getattr(what, name, None)
        if not value:
            continue
        text = f"slice {str(value).rpartition('-')[2]}" if name == "slice_id" else None
        words = ", ".join(value) if isinstance(value, tuple) else f"{value:f}" if hasattr(value, "as_tuple") else value
        said.append(text or f"{name.replace('_', ' ')} {str(words).replace('_', ' ')}")
    return ", ".join(said)
