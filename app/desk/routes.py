"""All routes of the desk, each with the scopes that open it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from starlette.routing import BaseRoute

from app.access.api_keys import Scope
from app.api.lane_routes import ANALYSES, DESK
from app.api.lanes import Lane
from app.desk import login, static_files
from app.desk.actions import confirm_action, do_action
from app.desk.analysis import export_analysis, show_analysis
from app.desk.blotter import show_blotter
from app.desk.door import desk_route
from app.desk.ended import show_ended
from app.desk.operations import show_operations, show_shadow, stream_operations
from app.desk.order import show_events, show_order, stream_order
from app.desk.stream import stream_blotter
from app.desk.ticket import quote_ticket, review_ticket, send_ticket, show_ticket

TRADING = (Scope.ORDERS,)
WATCHING = (Scope.READ, Scope.ORDERS)
"""As for reading orders in the interface."""
RUNNING = (Scope.READ, Scope.OPERATIONS)
"""As for reading models in the interface."""


def desk_routes(lanes: Mapping[str, Lane]) -> Sequence[BaseRoute]:
    lane, analyses = lanes[DESK.name], lanes[ANALYSES.name]
    return (
        *login.ROUTES,
        *static_files.ROUTES,
        desk_route("/desk", show_blotter, lane, *WATCHING),
        desk_route("/desk/stream/blotter", stream_blotter, lane, *WATCHING),
        desk_route("/desk/stream/orders/{order_id}", stream_order, lane, *WATCHING),
        desk_route("/desk/ended", show_ended, lane, *WATCHING),
        desk_route("/desk/analysis", show_analysis, analyses, *WATCHING),
        desk_route("/desk/analysis/orders", export_analysis, analyses, *WATCHING),
        desk_route("/desk/operations", show_operations, lane, *RUNNING),
        desk_route("/desk/operations/shadow", show_shadow, lane, *RUNNING),
        desk_route("/desk/stream/operations", stream_operations, lane, *RUNNING),
        desk_route("/desk/ticket", show_ticket, lane, *WATCHING),
        desk_route("/desk/ticket/quote", quote_ticket, lane, *WATCHING, method="POST"),
        desk_route("/desk/ticket/review", review_ticket, lane, *TRADING, method="POST"),
        desk_route("/desk/ticket/send", send_ticket, lane, *TRADING, method="POST"),
        desk_route("/desk/orders/{order_id}", show_order, lane, *WATCHING),
        desk_route("/desk/orders/{order_id}/events", show_events, lane, *WATCHING),
        desk_route("/desk/orders/{order_id}/{action}", confirm_action, lane, *WATCHING),
        desk_route("/desk/orders/{order_id}/{action}", do_action, lane, *TRADING, method="POST"),
    )
