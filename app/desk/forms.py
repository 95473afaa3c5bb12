"""What a form sends."""

from __future__ import annotations

from urllib.parse import parse_qsl

from starlette.requests import Request

from app.api.headers import media_type_of
from app.api.problems import Refused

FIELDS_MAX = 100
FORM = "application/x-www-form-urlencoded"


async def fields_of(request: Request) -> dict[str, str]:
    """The fields by name, the last of each; those that are left empty are left out. Raises Refused."""
    if media_type_of(request.scope) not in ("", FORM):
        raise Refused(415, "unsupported_media_type", f"a form is sent as {FORM}")
    text = (await request.body()).decode("utf-8", "replace")
    try:
        found = parse_qsl(text, keep_blank_values=False, max_num_fields=FIELDS_MAX)
    except ValueError:
        raise Refused(422, "too_many", f"a form has at most {FIELDS_MAX} fields") from None
    return {name: value.strip() for name, value in found if value.strip()}
