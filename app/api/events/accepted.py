"""Whether a request wants events as they happen, or a page of them."""

from __future__ import annotations

from starlette.types import Scope

from app.api.events.sse import MEDIA_TYPE
from app.api.headers import headers_of
from app.api.problems import Refused

JSON = "application/json"
JSON_RANGES = frozenset({JSON, "application/*"})
STREAM_RANGES = frozenset({MEDIA_TYPE, "text/*", "*/*"})


def accepts_json(scope: Scope) -> bool:
    """True where JSON is asked for; a stream where the request does not say. Raises Refused("not_acceptable")."""
    accepted = ",".join(value.decode("latin-1") for value in headers_of(scope, b"accept"))
    if not accepted.strip():
        return False
    json = stream = 0.0
    for kind, quality in map(_entry, accepted.lower().split(",")):
        json = max(json, quality * (kind in JSON_RANGES))
        stream = max(stream, quality * (kind in STREAM_RANGES))
    if not json and not stream:
        raise Refused(406, "not_acceptable", f"ask for one of {MEDIA_TYPE}, {JSON}")
    return json > stream or (json == stream and accepted.lower().lstrip().startswith(JSON))


def _entry(entry: str) -> tuple[str, float]:
    """A media range and its quality; an unreadable quality counts as 0."""
    kind, *parameters = (part.strip() for part in entry.split(";"))
    quality = next((each[2:] for each in parameters if each.startswith("q=")), "1")
    try:
        return kind, float(quality)
    except ValueError:
        return kind, 0.0
