"""`/desk/static`: the scripts, styles and pictures of the pages, from memory. Anybody may have them."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from app.desk.pages import static_files

TYPES = {"css": "text/css", "js": "text/javascript", "svg": "image/svg+xml"}
KEPT = "public, max-age=31536000, immutable"
"""Pages ask for their own edition by name, so that a browser may keep it for ever."""


async def static_file(request: Request) -> Response:
    name = request.path_params["name"]
    content = static_files().get(name)
    if content is None:
        return PlainTextResponse("there is no such file", 404)
    kept = KEPT if "v" in request.query_params else "no-cache"
    headers = {"Cache-Control": kept, "X-Content-Type-Options": "nosniff"}
    return Response(content, media_type=TYPES[name.rpartition(".")[2]], headers=headers)


ROUTES = (Route("/desk/static/{name}", static_file, methods=["GET"]),)
