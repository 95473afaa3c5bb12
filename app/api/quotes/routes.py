"""`POST /v1/quotes`: what an order may earn and cost, before it is sent."""

from __future__ import annotations

from fastapi import APIRouter

from app.api.access.callers import AccountDep
from app.api.codes import BODY, STORE, TIMES
from app.api.openapi import problems
from app.api.orders.routes import ORDER_CODES
from app.api.quotes.bodies import QuoteIn, QuoteOut
from app.api.services import EngineDep

router = APIRouter(tags=["orders"])

OF_A_SENT_ORDER = {"client_order_id_reused", "too_many_orders"}
QUOTE_CODES = (
    *(code for code in ORDER_CODES if code not in OF_A_SENT_ORDER),
    *("history_too_short", "too_many_quotes", "quote_too_slow"),
)


@router.post(
    "/v1/quotes",
    summary="What an order may earn and cost",
    responses=problems(*BODY, *TIMES, *QUOTE_CODES, *STORE),
)
async def post_quote(body: QuoteIn, engine: EngineDep, account: AccountDep) -> QuoteOut:
    """The body of an order, with the costs of its market where they are known. It is refused as the order would be, and
    nothing is taken or recorded."""
    costs = body.costs
    order = body.to_domain(account)
    quoted = await engine.quotes.quote(order, half_spread_bps=costs.half_spread_bps, impact=costs.impact)
    return QuoteOut.of(quoted)
