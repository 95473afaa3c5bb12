"""`/desk/ended`: orders that have ended, a page at a time, in the order in which the store has them."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from app.api.access.callers import account_of
from app.desk.analysis import ENDED
from app.desk.blotter import Row
from app.desk.door import turn
from app.desk.pages import page, services_of
from app.domain.errors import InvalidInput
from app.domain.lifecycle import Status
from app.engine.results import Page

ROWS = 50
TEXT_MAX = 160
CURSOR_MAX = 256


async def show_ended(request: Request) -> Response:
    asked = request.query_params
    status = Status(asked["status"]) if asked.get("status") in ENDED else Status.COMPLETED
    instrument = asked.get("instrument", "")[:TEXT_MAX].strip()
    cursor = asked.get("cursor", "")[:CURSOR_MAX] or None
    engine = services_of(request).engine
    await engine.book.refresh()
    async with turn(request):
        found = await _page(request, status, instrument, cursor)
    rows = [
        Row(state=each, instrument=engine.book.terms.get(each.order.instrument), warnings=(), ends_now=None)
        for each in found.orders
    ]
    return page(
        request,
        "ended.html",
        title="Ended orders",
        rows=rows,
        chosen=status,
        statuses=ENDED,
        instrument=instrument,
        symbols=sorted(engine.book.terms),
        following=found.next_cursor,
        later=cursor is not None,
    )


async def _page(request: Request, status: Status, instrument: str, cursor: str | None) -> Page:
    """The first one where the cursor is none that a page gave: a page that somebody has kept must not be refused."""
    queries, account = services_of(request).engine.queries, account_of(request)
    try:
        return await queries.orders(
            status=status, instrument=instrument or None, account=account, limit=ROWS, cursor=cursor
        )
    except InvalidInput:
        return await queries.orders(status=status, instrument=instrument or None, account=account, limit=ROWS)
