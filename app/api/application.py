"""All routes, error answers and middleware as one FastAPI application."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager

from fastapi import FastAPI
from starlette.routing import BaseRoute

import app
from app.api import bars, docs_pages, fills, health, instruments, problems, stored_bars
from app.api.access.gate import Gate
from app.api.analyses import routes as analyses
from app.api.audit import Audited
from app.api.bar_stream import routes as bar_stream
from app.api.bar_stream.routes import BarStreams
from app.api.events import routes as events
from app.api.events.places import StreamPlaces
from app.api.lane_routes import BARS, BULK, in_lanes, lanes_of
from app.api.lanes import Lane
from app.api.middleware import AnsweredAtTheEnd, HeadAsGet, HttpMetrics, RequestMetrics
from app.api.models import routes as models
from app.api.openapi import TAGS, describe
from app.api.orders import routes as orders
from app.api.quotes import routes as quotes
from app.api.request_bodies import BodyBounds
from app.api.request_ids import RequestIds
from app.api.request_spans import RequestSpans, RequestTracer
from app.api.slices import routes as slices
from app.api.webhooks import routes as webhooks

Lifespan = Callable[[FastAPI], AbstractAsyncContextManager[None]]
PageRoutes = Callable[[Mapping[str, Lane]], Sequence[BaseRoute]]
"""Makes the routes of pages for people, given the lanes by name."""

ROUTERS = (
    slices,
    orders,
    bars,
    fills,
    instruments,
    quotes,
    analyses,
    events,
    webhooks,
    stored_bars,
    bar_stream,
    models,
    health,
)
"""Routes are tried in turn, so those that are called most come first. They are the application's own: a router that is
included matches a path twice, which costs a poll more than its answer does."""


def build(
    lifespan: Lifespan,
    metrics: HttpMetrics,
    tracer: RequestTracer | None = None,
    pages: PageRoutes = lambda _: (),
) -> FastAPI:
    """`lifespan` puts the `Services` into `state.services`; requests are traced where there is a `tracer`. `pages` are
    tried when no call of the interface fits."""
    lanes = lanes_of(metrics)
    streams = BarStreams([lanes[BARS.name], lanes[BULK.name]], metrics)
    application = FastAPI(
        routes=[
            *in_lanes((route for module in ROUTERS for route in module.router.routes), lanes),
            streams.route,
            *docs_pages.ROUTES,
            *pages(lanes),
        ],
        title="LEM execution service",
        version=app.__version__,
        summary="Schedules large orders with a Large Execution Model.",
        lifespan=lifespan,
        openapi_tags=TAGS,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,  # a redirect would lead to the scheme and host that this process believes in
    )
    application.state.event_streams = StreamPlaces(metrics)
    application.add_middleware(BodyBounds)
    application.add_middleware(Gate, metrics=metrics)
    application.add_middleware(HeadAsGet)
    application.add_middleware(AnsweredAtTheEnd)
    application.add_middleware(RequestMetrics, metrics=metrics)
    application.add_middleware(Audited)
    if tracer is not None:
        application.add_middleware(RequestSpans, tracer=tracer)
    application.add_middleware(RequestIds)
    problems.install(application)
    describe(application, bars.BarsIn, *bar_stream.MODELS)
    return application
