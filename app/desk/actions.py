"""Pause, resume and cancel: each is asked for first, and done by the same use cases as in the interface."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from app.api.access.callers import account_of
from app.api.audit import audited
from app.desk.pages import HEADERS, page, services_of
from app.domain.errors import NotFound

CONFIRMED = {
    "pause": "Nothing is traded until the order resumes. A slice whose window has begun stays in flight.",
    "resume": "The rest of the order is scheduled over the steps that are left.",
    "cancel": "No further slice is given. What is filled stays filled; this cannot be undone.",
}


async def confirm_action(request: Request) -> Response:
    """Asks whether the action is meant."""
    action = _action(request)
    state = await services_of(request).engine.queries.order(request.path_params["order_id"], account_of(request))
    return page(request, "confirm.html", title=action.capitalize(), action=action, told=CONFIRMED[action], state=state)


async def do_action(request: Request) -> Response:
    action, order_id = _action(request), request.path_params["order_id"]
    orders = services_of(request).engine.orders
    use_case = {"pause": orders.pause, "resume": orders.resume, "cancel": orders.cancel}[action]
    audited(order_id=order_id)
    state = await use_case(order_id, account_of(request))
    audited(client_order_id=state.order.client_order_id)
    return RedirectResponse(f"/desk/orders/{order_id}", 303, HEADERS)


def _action(request: Request) -> str:
    action = str(request.path_params["action"])
    if action not in CONFIRMED:
        raise NotFound("unknown_path", "there is no such page")
    return action
