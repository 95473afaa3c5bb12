"""Every page but the form for the key is behind this door: who asks, whether that is permitted, and when its turn is.

A person's key comes in a cookie that only the desk's pages are sent, that no script can read and that no foreign page
can send. The service keeps no sessions: every process knows the keys, and a revoked key opens no page either.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from types import SimpleNamespace
from urllib.parse import quote

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Send
from starlette.types import Scope as AsgiScope

from app.access.api_keys import Scope
from app.api.access.callers import KEY
from app.api.access.gate import admitted, presented_in
from app.api.audit import audited
from app.api.lanes import Lane
from app.api.problems import Refused, problem_of, retry_after_seconds_of
from app.desk.pages import HEADERS, is_fragment, page
from app.domain.errors import LemError, Unauthenticated

COOKIE = "lem_desk"
LANE = "lem.desk_lane"
LOGIN = "/desk/login"

Handler = Callable[[Request], Awaitable[Response]]


def desk_route(path: str, handler: Handler, lane: Lane, *needs: Scope, method: str = "GET") -> Route:
    """A page that any one of the scopes opens."""
    return Route(path, Door(path, handler, lane, needs), methods=[method])


class Door:
    def __init__(self, path: str, handler: Handler, lane: Lane, needs: Sequence[Scope]) -> None:
        self._template = SimpleNamespace(path_format=path)
        self._handler = handler
        self._lane = lane
        self._needs = needs

    async def __call__(self, scope: AsgiScope, receive: Receive, send: Send) -> None:
        scope["route"], scope[LANE] = self._template, self._lane  # metrics count by the route's template
        request = Request(scope, receive)
        try:
            scope[KEY] = await admitted(scope, self._needs, presented_in(dict(scope["headers"])) or key_in(request))
            response = await self._handler(request)
        except (LemError, HTTPException) as error:
            response = refused(request, error)
        await response(scope, receive, send)


def key_in(request: Request) -> bytes | None:
    """The key that the form has put into the cookie."""
    kept = request.cookies.get(COOKIE)
    return kept.encode("utf-8", "replace") if kept else None


@asynccontextmanager
async def turn(request: Request) -> AsyncIterator[None]:
    """Pages are made one or two at a time, and while no bar moves orders. Raises Unavailable("overloaded")."""
    lane: Lane = request.scope[LANE]
    engine = request.app.state.services.engine
    await lane.enter(engine.right_of_way)
    try:
        yield
    finally:
        lane.leave()


def refused(request: Request, error: LemError | HTTPException) -> Response:
    """A page that says what is wrong; the form for the key where nobody knows who asks."""
    if isinstance(error, Unauthenticated) and request.method == "GET" and not is_fragment(request):
        target = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        return RedirectResponse(f"{LOGIN}?next={quote(target, safe='')}", 303, HEADERS)
    if isinstance(error, HTTPException) and not isinstance(error, Refused):
        raise error
    found = problem_of(error, request.url.path)
    audited(code=found.code)
    acted_on = request.path_params.get("order_id") if request.method == "POST" else None
    answer = page(request, "problem.html", title="Refused", status=found.status, problem=found, order_id=acted_on)
    seconds = retry_after_seconds_of(error)
    if seconds is not None:
        answer.headers["Retry-After"] = str(seconds)
    return answer
