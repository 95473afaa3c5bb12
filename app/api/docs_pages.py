"""`/docs`: the interface as a page, without the internet. Its scripts and styles come from the service itself, and the
package fastapi-offline brings them. ReDoc is left out: it asks another host for a picture."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

from fastapi.openapi.docs import get_swagger_ui_html
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, Response
from starlette.routing import Route

from app.api.access.rules import DOCS_ASSETS
from app.api.problems import Refused

SCRIPT, STYLE, ICON = "swagger-ui-bundle.js", "swagger-ui.css", "favicon.png"
DOCUMENT, TITLE = "/openapi.json", "LEM execution service"
POLICY = (
    "default-src 'none'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "connect-src 'self'; frame-ancestors 'none'; base-uri 'none'"
)
"""The page begins with a script in its text, which names nothing but the document."""
HEADERS = {"Content-Security-Policy": POLICY, "X-Content-Type-Options": "nosniff"}


async def show_docs(_: Request) -> Response:
    page = get_swagger_ui_html(
        openapi_url=DOCUMENT,
        title=TITLE,
        swagger_js_url=DOCS_ASSETS + SCRIPT,
        swagger_css_url=DOCS_ASSETS + STYLE,
        swagger_favicon_url=DOCS_ASSETS + ICON,
        swagger_ui_parameters={"validatorUrl": None},  # else the document's address is sent to another host
    )
    return HTMLResponse(page.body, headers=HEADERS)


async def docs_asset(request: Request) -> Response:
    name = request.path_params["name"]
    if name not in (SCRIPT, STYLE, ICON):
        raise Refused(404, "unknown_path", "there is no such file")
    return FileResponse(
        Path(str(files("fastapi_offline") / "static" / name)), headers={"Cache-Control": "max-age=3600"}
    )


ROUTES = (
    Route("/docs", show_docs, methods=["GET"]),
    Route(DOCS_ASSETS + "{name}", docs_asset, methods=["GET"]),
)
