"""Headers of a request, as ASGI hands them on."""

from __future__ import annotations

from starlette.types import Scope


def headers_of(scope: Scope, name: bytes) -> list[bytes]:
    """The values of all headers of that name, which is in lower case."""
    return [value for key, value in scope["headers"] if key == name]


def header_of(scope: Scope, name: bytes) -> bytes:
    """The value of the first header of that name, as FastAPI reads it; empty where the request has none."""
    return next(iter(headers_of(scope, name)), b"")


def media_type_of(scope: Scope) -> str:
    """The content-type without its parameters, in lower case."""
    return header_of(scope, b"content-type").partition(b";")[0].strip().lower().decode("latin-1")
