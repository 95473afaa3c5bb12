"""Maps every error to `application/problem+json` (RFC 9457) with a stable `code`: nothing else builds error answers."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any, get_args

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel
from pydantic_core.core_schema import ErrorType
from starlette.exceptions import HTTPException
from starlette.responses import Response

from app.api.request_ids import header_of_request
from app.domain.errors import Conflict, InvalidInput, LemError, NotFound, Unavailable

MEDIA_TYPE = "application/problem+json"
ERRORS_MAX = 20
RETRY_AFTER_SECONDS = 1

STATUSES: dict[type[LemError], HTTPStatus] = {
    InvalidInput: HTTPStatus.UNPROCESSABLE_ENTITY,
    NotFound: HTTPStatus.NOT_FOUND,
    Conflict: HTTPStatus.CONFLICT,
    Unavailable: HTTPStatus.SERVICE_UNAVAILABLE,
}

HTTP_CODES = {
    400: "bad_request",
    404: "unknown_path",
    405: "method_not_allowed",
    413: "payload_too_large",
    415: "unsupported_media_type",
}

PARSER_CODES = {
    "missing": "field_missing",
    "extra_forbidden": "unknown_field",
    "json_invalid": "bad_json",
    "enum": "unknown_value",
    "literal_error": "unknown_value",
    "greater_than": "out_of_range",
    "greater_than_equal": "out_of_range",
    "less_than": "out_of_range",
    "less_than_equal": "out_of_range",
    "string_too_short": "bad_text",
    "string_too_long": "bad_text",
    "string_pattern_mismatch": "bad_text",
    "string_unicode": "bad_text",
    "too_short": "empty",
    "too_long": "too_many",
}
"""Our code for each of pydantic's types of errors. All types that are not listed mean `wrong_type`."""

_PARSER_NAMES: frozenset[str] = frozenset(get_args(ErrorType))


class FieldError(BaseModel):
    """One thing that is wrong. `pointer` is a JSON pointer into the body, `parameter` the name of a query parameter."""

    code: str
    detail: str
    pointer: str | None = None
    parameter: str | None = None


class Problem(BaseModel):
    """RFC 9457. `code` is stable and meant for programs: where `errors` lists several, it is the first one's."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    instance: str
    errors: list[FieldError] | None = None


def problem(
    request: Request,
    status: int,
    code: str,
    detail: str,
    *,
    errors: Sequence[FieldError] = (),
    headers: Mapping[str, str] | None = None,
) -> Response:
    """The response. It is ASCII, so that no text a client sent can fail to be encoded."""
    body = Problem(
        type=f"urn:lem:problem:{code}",
        title=HTTPStatus(status).phrase,
        status=status,
        detail=detail,
        code=code,
        instance=request.url.path,
        errors=list(errors) or None,
    )
    content = json.dumps(body.model_dump(exclude_none=True)).encode("ascii")
    return Response(content, int(status), headers=dict(headers or {}), media_type=MEDIA_TYPE)


def install(app: FastAPI) -> None:
    """Answer every error of `app` with a problem."""
    app.exception_handler(LemError)(_refused)
    app.exception_handler(RequestValidationError)(_malformed)
    app.exception_handler(HTTPException)(_not_served)
    app.exception_handler(Exception)(_failed)


async def _refused(request: Request, error: LemError) -> Response:
    status = next(status for kind, status in STATUSES.items() if isinstance(error, kind))
    headers = {"Retry-After": str(RETRY_AFTER_SECONDS)} if status is HTTPStatus.SERVICE_UNAVAILABLE else None
    wrong = [FieldError(code=error.code, detail=error.detail, pointer=error.pointer)] if error.pointer else []
    return problem(request, status, error.code, error.detail, errors=wrong, headers=headers)


async def _malformed(request: Request, error: RequestValidationError) -> Response:
    found = error.errors()
    if _body_was_not_json(request, found):
        detail = "the body must be sent with content-type: application/json"
        return problem(request, HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type", detail)
    errors = [_field_error(entry) for entry in found[:ERRORS_MAX]]
    rest = f" (the first {ERRORS_MAX} of {len(found)} are listed)" if len(found) > ERRORS_MAX else ""
    first = errors[0]
    field = first.parameter or (first.pointer or "").removeprefix("#/").removeprefix("#")
    detail = f"{field}: {first.detail}{rest}" if field else f"{first.detail}{rest}"
    return problem(request, HTTPStatus.UNPROCESSABLE_ENTITY, first.code, detail, errors=errors)


async def _not_served(request: Request, error: HTTPException) -> Response:
    code = HTTP_CODES.get(error.status_code, "http_error")
    return problem(request, error.status_code, code, str(error.detail), headers=error.headers)


async def _failed(request: Request, _: Exception) -> Response:
    """The server logs the error with its traceback; the client is not shown what went wrong."""
    detail = "the service failed to answer; the request may or may not have taken effect and is safe to repeat"
    headers = header_of_request()
    return problem(request, HTTPStatus.INTERNAL_SERVER_ERROR, "internal_error", detail, headers=headers)


def _body_was_not_json(request: Request, found: Sequence[Any]) -> bool:
    whole_body = any(tuple(entry["loc"]) == ("body",) and entry["type"] != "missing" for entry in found)
    kind = request.headers.get("content-type", "").split(";")[0].strip().lower()
    return whole_body and kind != "application/json"


def _field_error(entry: Mapping[str, Any]) -> FieldError:
    name = entry["type"]
    code = PARSER_CODES.get(name, "wrong_type") if name in _PARSER_NAMES else name
    where, *path = entry["loc"]
    if where != "body":
        return FieldError(code=code, detail=entry["msg"], parameter=str(path[0]) if path else str(where))
    at = "" if name == "json_invalid" else "".join(f"/{_escaped(part)}" for part in path)
    return FieldError(code=code, detail=entry["msg"], pointer=f"#{at}")


def _escaped(part: object) -> str:
    return str(part).replace("~", "~0").replace("/", "~1")
