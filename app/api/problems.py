"""Maps every error to `application/problem+json` (RFC 9457) with a stable `code`: nothing else builds error answers."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any, get_args

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ValidationError
from pydantic_core.core_schema import ErrorType
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.routing import Match

from app.api.headers import media_type_of
from app.api.request_ids import header_of_request
from app.domain.errors import Conflict, InvalidInput, LemError, NotFound, TooEarly, TooFast, Unavailable

MEDIA_TYPE = "application/problem+json"
ERRORS_MAX = 20
TEXT_MAX = 500
"""Characters of what a problem repeats of a request, such as the name of an unknown field."""
RETRY_AFTER_SECONDS = 1
FAILED = "the service failed to answer; the request may or may not have taken effect and is safe to repeat"

UNPROCESSABLE = HTTPStatus.UNPROCESSABLE_ENTITY

STATUSES: dict[type[LemError], HTTPStatus] = {
    InvalidInput: UNPROCESSABLE,
    NotFound: HTTPStatus.NOT_FOUND,
    Conflict: HTTPStatus.CONFLICT,
    TooFast: HTTPStatus.TOO_MANY_REQUESTS,
    Unavailable: HTTPStatus.SERVICE_UNAVAILABLE,
}
"""A kind comes before the kind that it is a part of."""

HTTP_CODES = {
    400: "bad_request",
    403: "cross_site",
    404: "unknown_path",
    405: "method_not_allowed",
    408: "request_timeout",
    413: "payload_too_large",
    415: "unsupported_media_type",
    426: "upgrade_required",
    431: "headers_too_large",
}

PARAMETERS = {"bad_symbol": "symbol"}
"""The parameter that is wrong, for codes that no field of a body has."""

METHODS = ("GET", "PUT", "POST", "DELETE", "PATCH")

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

DETAILS = {
    **dict.fromkeys(("model_type", "model_attributes_type", "dict_type"), "must be a JSON object"),
    "string_pattern_mismatch": "must have no control characters",
}
"""What we say instead of pydantic's words, which name our classes and patterns."""

_PARSER_NAMES: frozenset[str] = frozenset(get_args(ErrorType))


class Refused(HTTPException):
    """A refusal with a code of its own, for where FastAPI lets nothing but an HTTPException through."""

    def __init__(self, status: int, code: str, detail: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(status, detail, headers)
        self.code = code

    @classmethod
    def of(cls, error: LemError) -> Refused:
        return cls(_status_of(error), error.code, error.detail, _headers_of(error))


class FieldError(BaseModel):
    """One thing that is wrong. `pointer` is a JSON pointer into the body, `parameter` the name of a parameter of the
    query or the path."""

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
    """The response; its parts as `problem_text` puts them down."""
    content = problem_text(status, code, detail, request.scope["path"], errors)
    return Response(content, int(status), headers=dict(headers or {}), media_type=MEDIA_TYPE)


def problem_text(status: int, code: str, detail: str, instance: str, errors: Sequence[FieldError] = ()) -> bytes:
    """The problem as JSON. It is ASCII, so that no text a client sent can fail to be encoded."""
    return json.dumps(_problem(status, code, detail, instance, errors).model_dump(exclude_none=True)).encode("ascii")


def problem_of(error: Exception, instance: str) -> Problem:
    """The problem that an answer to that error would be, for where it is a part of something else."""
    if isinstance(error, LemError):
        return _problem(_status_of(error), error.code, error.detail, instance, _errors_of_refusal(error))
    if isinstance(error, RequestValidationError):
        detail, errors = _said_of(error.errors())
        return _problem(UNPROCESSABLE, errors[0].code, detail, instance, errors)
    if isinstance(error, Refused):
        return _problem(error.status_code, error.code, error.detail, instance, ())
    return _problem(HTTPStatus.INTERNAL_SERVER_ERROR, "internal_error", FAILED, instance, ())


def _problem(status: int, code: str, detail: str, instance: str, errors: Sequence[FieldError]) -> Problem:
    return Problem(
        type=f"urn:lem:problem:{code}",
        title=HTTPStatus(status).phrase,
        status=status,
        detail=_short(detail),
        code=code,
        instance=_short(instance),
        errors=list(errors) or None,
    )


def install(app: FastAPI) -> None:
    """Answer every error of `app` with a problem."""
    app.exception_handler(LemError)(_refused)
    app.exception_handler(RequestValidationError)(_malformed)
    app.exception_handler(HTTPException)(_not_served)
    app.exception_handler(Exception)(_failed)


def first_error(error: ValidationError) -> tuple[str, str]:
    """Code and detail of what is wrong first with a value that was read by itself."""
    entry = error.errors(include_url=False, include_input=False)[0]
    wrong = _field_error({**entry, "loc": ("body", *entry["loc"])})
    return wrong.code, _said_of_field(wrong)


def refusal(request: Request, error: LemError) -> Response:
    """The problem that tells of a refusal."""
    errors = _errors_of_refusal(error)
    return problem(request, _status_of(error), error.code, error.detail, errors=errors, headers=_headers_of(error))


def _errors_of_refusal(error: LemError) -> list[FieldError]:
    parameter = PARAMETERS.get(error.code)
    wrong = FieldError(code=error.code, detail=_short(error.detail), pointer=error.pointer, parameter=parameter)
    return [wrong] if error.pointer or parameter else []


def _status_of(error: LemError) -> HTTPStatus:
    return next(status for kind, status in STATUSES.items() if isinstance(error, kind))


def _headers_of(error: LemError) -> dict[str, str] | None:
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
    detail, errors = _said_of(found)
    return problem(request, UNPROCESSABLE, errors[0].code, detail, errors=errors)


def _said_of(found: Sequence[Any]) -> tuple[str, list[FieldError]]:
    """What is said of errors of the parser: the detail, and each of the first errors."""
    errors = [_field_error(entry) for entry in found[:ERRORS_MAX]]
    rest = f" (the first {ERRORS_MAX} errors are listed)" if len(found) > ERRORS_MAX else ""
    return _said_of_field(errors[0]) + rest, errors


async def _not_served(request: Request, error: HTTPException) -> Response:
    code = error.code if isinstance(error, Refused) else HTTP_CODES.get(error.status_code, "http_error")
    headers = dict(error.headers or {})
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        headers["Allow"] = ", ".join(sorted(methods_of(request)))
    wrong = (
        [FieldError(code=code, detail=_short(error.detail), pointer="#")] if error.status_code == UNPROCESSABLE else ()
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


def _field_error(entry: Mapping[str, Any]) -> FieldError:
    name = entry["type"]
    code = PARSER_CODES.get(name, "wrong_type") if name in _PARSER_NAMES else name
    detail = _short(DETAILS.get(name, entry["msg"]))
    where, *path = entry["loc"]
    if where != "body":
        return FieldError(code=code, detail=detail, parameter=_short(str(path[0] if path else where)))
    at = "" if name == "json_invalid" else "".join(f"/{_escaped(part)}" for part in path)
    return FieldError(code=code, detail=detail, pointer=_short(f"#{at}"))


def _said_of_field(wrong: FieldError) -> str:
    field = wrong.parameter or (wrong.pointer or "").removeprefix("#/").removeprefix("#")
    return f"{field}: {wrong.detail}" if field else wrong.detail


def _escaped(part: object) -> str:
    return str(part).replace("~", "~0").replace("/", "~1")


def _short(text: str) -> str:
    return text if len(text) <= TEXT_MAX else f"{text[:TEXT_MAX]}..."
