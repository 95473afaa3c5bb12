"""Maps every error to `application/problem+json` (RFC 9457) with a stable `code`: nothing else builds error answers."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection
from starlette.responses import Response
from starlette.routing import Match

from app.api.audit import audited
from app.api.headers import media_type_of
from app.api.parser_errors import errors_of, short
from app.api.problem_bodies import FieldError, Problem
from app.api.request_ids import header_of_request, known_request_id
from app.domain.errors import (
    Conflict,
    Forbidden,
    Gone,
    InvalidInput,
    LemError,
    Misdirected,
    NotFound,
    TooEarly,
    TooFast,
    Unauthenticated,
    Unavailable,
)

MEDIA_TYPE = "application/problem+json"
RETRY_AFTER_SECONDS = 1
CHALLENGE = 'Bearer realm="lem"'
"""How a caller says who it is (RFC 6750)."""
FAILED = "the service failed to answer; the request may or may not have taken effect and is safe to repeat"

UNPROCESSABLE = HTTPStatus.UNPROCESSABLE_ENTITY

STATUSES: dict[type[LemError], HTTPStatus] = {
    InvalidInput: UNPROCESSABLE,
    Unauthenticated: HTTPStatus.UNAUTHORIZED,
    Misdirected: HTTPStatus.MISDIRECTED_REQUEST,
    Forbidden: HTTPStatus.FORBIDDEN,
    NotFound: HTTPStatus.NOT_FOUND,
    Conflict: HTTPStatus.CONFLICT,
    Gone: HTTPStatus.GONE,
    TooFast: HTTPStatus.TOO_MANY_REQUESTS,
    Unavailable: HTTPStatus.SERVICE_UNAVAILABLE,
}
"""A kind comes before the kind that it is a part of."""

HTTP_CODES = {
    400: "bad_request",
    404: "unknown_path",
    405: "method_not_allowed",
    406: "not_acceptable",
    408: "request_timeout",
    413: "payload_too_large",
    415: "unsupported_media_type",
    426: "upgrade_required",
    431: "headers_too_large",
}

PARAMETERS = {"bad_symbol": "symbol"}
"""The parameter that is wrong, for codes that no field of a body has."""

METHODS = ("GET", "PUT", "POST", "DELETE", "PATCH")


class Refused(HTTPException):
    """A refusal with a code of its own, for where FastAPI lets nothing but an HTTPException through."""

    def __init__(self, status: int, code: str, detail: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(status, detail, headers)
        self.code = code

    @classmethod
    def of(cls, error: LemError) -> Refused:
        return cls(_status_of(error), error.code, error.detail, _headers_of(error))


def problem(
    request: HTTPConnection,
    status: int,
    code: str,
    detail: str,
    *,
    errors: Sequence[FieldError] = (),
    headers: Mapping[str, str] | None = None,
) -> Response:
    """The response; its parts as `problem_text` puts them down."""
    audited(code=code)
    content = problem_text(status, code, detail, request.scope["path"], errors, known_request_id())
    return Response(content, int(status), headers=dict(headers or {}), media_type=MEDIA_TYPE)


def problem_text(
    status: int,
    code: str,
    detail: str,
    instance: str,
    errors: Sequence[FieldError] = (),
    request_id: str | None = None,
) -> bytes:
    """The problem as JSON. It is ASCII, so that no text a client sent can fail to be encoded."""
    made = _problem(status, code, detail, instance, errors, request_id)
    return json.dumps(made.model_dump(exclude_none=True)).encode("ascii")


def problem_of(error: Exception, instance: str) -> Problem:
    """The problem that an answer to that error would be, for where it is a part of something else."""
    if isinstance(error, LemError):
        return _problem(_status_of(error), error.code, error.detail, instance, _errors_of_refusal(error))
    if isinstance(error, RequestValidationError):
        detail, errors = errors_of(error.errors())
        return _problem(UNPROCESSABLE, errors[0].code, detail, instance, errors)
    if isinstance(error, Refused):
        return _problem(error.status_code, error.code, error.detail, instance, ())
    return _problem(HTTPStatus.INTERNAL_SERVER_ERROR, "internal_error", FAILED, instance, ())


def _problem(
    status: int,
    code: str,
    detail: str,
    instance: str,
    errors: Sequence[FieldError],
    request_id: str | None = None,
) -> Problem:
    return Problem(
        type=f"urn:lem:problem:{code}",
        title=HTTPStatus(status).phrase,
        status=status,
        detail=short(detail),
        code=code,
        instance=short(instance),
        request_id=request_id,
        errors=list(errors) or None,
    )


def install(app: FastAPI) -> None:
    """Answer every error of `app` with a problem."""
    app.exception_handler(LemError)(_refused)
    app.exception_handler(RequestValidationError)(_malformed)
    app.exception_handler(HTTPException)(_not_served)
    app.exception_handler(Exception)(_failed)


def refusal(request: HTTPConnection, error: LemError) -> Response:
    """The problem that tells of a refusal."""
    errors = _errors_of_refusal(error)
    return problem(request, _status_of(error), error.code, error.detail, errors=errors, headers=_headers_of(error))


def _errors_of_refusal(error: LemError) -> list[FieldError]:
    parameter = PARAMETERS.get(error.code)
    wrong = FieldError(code=error.code, detail=short(error.detail), pointer=error.pointer, parameter=parameter)
    return [wrong] if error.pointer or parameter else []


def _status_of(error: LemError) -> HTTPStatus:
    return next(status for kind, status in STATUSES.items() if isinstance(error, kind))


def _headers_of(error: LemError) -> dict[str, str] | None:
    """When to ask again, where that helps, and how to say who one is, where nobody knows."""
    if isinstance(error, Unauthenticated):
        return {"WWW-Authenticate": CHALLENGE}
    seconds = retry_after_seconds_of(error)
    return {"Retry-After": str(seconds)} if seconds is not None else None


def retry_after_seconds_of(error: Exception) -> int | None:
    """When to ask again, where that helps."""
    if not isinstance(error, Unavailable):
        return None
    return error.retry_after_seconds if isinstance(error, TooEarly) else RETRY_AFTER_SECONDS


async def _refused(request: Request, error: LemError) -> Response:
    return refusal(request, error)


async def _malformed(request: Request, error: RequestValidationError) -> Response:
    found = error.errors()
    if _body_was_not_json(request, found):
        detail = "the body must be sent with content-type: application/json"
        return problem(request, HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type", detail)
    detail, errors = errors_of(found)
    return problem(request, UNPROCESSABLE, errors[0].code, detail, errors=errors)


async def _not_served(request: Request, error: HTTPException) -> Response:
    code = error.code if isinstance(error, Refused) else HTTP_CODES.get(error.status_code, "http_error")
    headers = dict(error.headers or {})
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        headers["Allow"] = ", ".join(sorted(methods_of(request)))
    wrong = (
        [FieldError(code=code, detail=short(error.detail), pointer="#")] if error.status_code == UNPROCESSABLE else ()
    )
    return problem(request, error.status_code, code, error.detail, errors=wrong, headers=headers)


def methods_of(request: Request) -> set[str]:
    """All methods that the request's path takes: routes of one path are several, one for each method."""
    asked = {method: dict(request.scope, method=method) for method in METHODS}
    routes = request.app.routes
    found = {method for method in METHODS if any(each.matches(asked[method])[0] is Match.FULL for each in routes)}
    return found | ({"HEAD"} if "GET" in found else set())


async def _failed(request: Request, _: Exception) -> Response:
    """The server logs the error with its traceback; the client is not shown what went wrong."""
    headers = header_of_request()
    return problem(request, HTTPStatus.INTERNAL_SERVER_ERROR, "internal_error", FAILED, headers=headers)


def _body_was_not_json(request: Request, found: Sequence[Any]) -> bool:
    whole_body = any(tuple(entry["loc"]) == ("body",) and entry["type"] != "missing" for entry in found)
    return whole_body and media_type_of(request.scope) != "application/json"
