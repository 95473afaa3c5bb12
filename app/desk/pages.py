"""Makes pages and fragments of them from the templates. Nothing on a page comes from another host, and no script or
style stands in its text."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from app.api.access.callers import caller_in
from app.api.headers import header_of
from app.api.services import Services
from app.api.values import plain
from app.desk import numerals

FOLDER = Path(__file__).parent
FRAGMENT = b"x-fragment"
"""A request with this header wants the page's content without its frame."""
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": POLICY,
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}


@cache
def static_files() -> dict[str, bytes]:
    """The scripts, styles and pictures that the pages use, by name."""
    return {path.name: path.read_bytes() for path in sorted((FOLDER / "static").iterdir())}


@cache
def edition() -> str:
    """Names this edition of the pages: one that was opened before a new release takes its place loads itself anew."""
    texts = [*static_files().values(), *(path.read_bytes() for path in sorted((FOLDER / "templates").iterdir()))]
    return hashlib.sha256(b"".join(texts)).hexdigest()[:12]


@cache
def _environment() -> Environment:
    made = Environment(
        loader=FileSystemLoader(FOLDER / "templates"),
        autoescape=True,
        auto_reload=False,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    for name in ("fixed", "price", "bps", "share", "clock", "moment", "span"):
        made.filters[name] = getattr(numerals, name)
    made.filters["plain"] = plain
    made.globals["edition"] = edition()
    return made


def text_of(template: str, **values: Any) -> str:
    """The template's text with these values, escaped."""
    return _environment().get_template(template).render(**values)


def services_of(request: Request) -> Services:
    services: Services = request.app.state.services
    return services


def is_fragment(request: Request) -> bool:
    return bool(header_of(request.scope, FRAGMENT))


def page(request: Request, template: str, *, title: str, status: int = 200, **values: Any) -> Response:
    """The template in the frame of every page; the template alone where a fragment is asked for."""
    content = text_of(template, **values)
    if not is_fragment(request):
        services = services_of(request)
        caller = caller_in(request.scope)
        content = text_of(
            "frame.html",
            title=title,
            content=content,
            place=request.url.path,
            signed_in=caller.prefix,
            account=caller.account,
            guarded=services.access.ring.guarded,
        )
    return HTMLResponse(content, status, HEADERS)
