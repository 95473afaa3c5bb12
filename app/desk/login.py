"""The form that takes a person's key, and its way out again."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from app.access.api_keys import KEY_LENGTH_MAX
from app.api.audit import audited
from app.desk.door import COOKIE, LOGIN
from app.desk.forms import fields_of
from app.desk.pages import HEADERS, page, services_of

HOME = "/desk"


async def show_login(request: Request) -> Response:
    return _form(request, _target(request.query_params.get("next", HOME)))


async def log_in(request: Request) -> Response:
    """Keeps a key that is good in the cookie, until the browser ends or the person logs out."""
    fields = await fields_of(request)
    text, target = fields.get("key", "").strip()[:KEY_LENGTH_MAX], _target(fields.get("next", HOME))
    ring = services_of(request).access.ring
    presented = text.encode("utf-8", "replace")
    known = ring.found(presented) or await ring.found_anew(presented)
    if known is None:
        audited(code="key_unknown")
        return _form(request, target, "No API key has that text, or it is revoked or has expired.")
    audited(by=known.key.prefix)
    answer = RedirectResponse(target, 303, HEADERS)
    answer.set_cookie(COOKIE, text, path=HOME, secure=request.url.scheme == "https", httponly=True, samesite="strict")
    return answer


async def log_out(_: Request) -> Response:
    answer = RedirectResponse(LOGIN, 303, HEADERS)
    answer.delete_cookie(COOKIE, path=HOME, httponly=True, samesite="strict")
    return answer


ROUTES = (
    Route(LOGIN, show_login, methods=["GET"]),
    Route(LOGIN, log_in, methods=["POST"]),
    Route("/desk/logout", log_out, methods=["POST"]),
)


def _target(asked: str) -> str:
    """A page of the desk: a link must not lead elsewhere by way of this form."""
    own = asked == HOME or asked.startswith((f"{HOME}/", f"{HOME}?"))
    return asked if own and "\\" not in asked and not any(ord(letter) < ord(" ") for letter in asked) else HOME


def _form(request: Request, target: str, wrong: str = "") -> Response:
    return page(request, "login.html", title="Log in", status=401 if wrong else 200, target=target, wrong=wrong)
