"""What the OpenAPI document says beyond the routes' own types: the problems of each route, bodies that are read by
hand, and how many steps the active model decides."""

from __future__ import annotations

import copy
from http import HTTPStatus
from itertools import groupby
from typing import Any

from fastapi import FastAPI
from pydantic import BaseModel

from app.api.access.rules import READING, needed_for
from app.api.codes import CODES, EVERY, GUARDED
from app.api.problem_bodies import Problem
from app.api.problems import MEDIA_TYPE
from app.api.services import Services

REF = "#/components/schemas/{model}"
HORIZON = "HorizonIn"
"""The schema whose steps the active model bounds."""
TAGS = [
    {"name": "instruments", "description": "What can be traded, and in which units."},
    {"name": "bars", "description": "Closed market bars, as they close."},
    {"name": "orders", "description": "Mandates from the OMS, their slices and fills."},
    {"name": "events", "description": "What happens to orders, as it happens."},
    {"name": "models", "description": "The bundles side by side, and which of them decides."},
    {"name": "operations", "description": "Liveness, readiness and metrics."},
]
RETRY_AFTER = {
    "description": "Repeat the call after that many seconds.",
    "schema": {"type": "integer", "minimum": 0},
}


KEY_NAME = "api_key"
KEY_SCHEME = {
    "type": "http",
    "scheme": "bearer",
    "description": "An API key that `lem keys create` has made. A service without keys, which only its own machine can "
    "reach, needs none.",
}


def problems(*codes: str, guarded: bool = True) -> dict[int | str, dict[str, Any]]:
    """The `responses` of a route that may refuse with these codes, and with what may happen to any call; `guarded` is
    False for one that everybody may call."""
    by_status = groupby(sorted({*codes, *EVERY, *(GUARDED if guarded else ())}, key=_status), key=_status)
    return {status: _response(status, sorted(same)) for status, same in by_status}


def describe(app: FastAPI, *extra_models: type[BaseModel]) -> None:
    """Replace `app.openapi` by one that also knows `extra_models`, shows problems under their own media type and, once
    the service has started, tells the bounds of the model that is active when somebody asks."""
    plain_openapi = app.openapi

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            document = plain_openapi()
            schemas = document["components"]["schemas"]
            for model in extra_models:
                schema = model.model_json_schema(ref_template=REF)
                schemas |= schema.pop("$defs", {}) | {model.__name__: schema}
            document["components"]["securitySchemes"] = {KEY_NAME: KEY_SCHEME}
            for path, operations in document["paths"].items():
                for method, operation in operations.items():
                    _mark_problems(path, operation["responses"])
                    operation.update(_security(path, method))
        services: Services | None = getattr(app.state, "services", None)
        document = app.openapi_schema or {}
        return document if services is None else _as_served(services, document)

    app.openapi = openapi  # type: ignore[method-assign]  # FastAPI's documented way to extend the document


def _security(path: str, method: str) -> dict[str, Any]:
    """The scopes, any one of which opens the call."""
    scopes = needed_for(path, writes=method.upper() not in READING)
    return {} if scopes is None else {"security": [{KEY_NAME: [scope]} for scope in scopes]}


def _as_served(services: Services, document: dict[str, Any]) -> dict[str, Any]:
    """A copy of the document in which no order has more steps than the active model decides, and no call needs a key
    where there are none."""
    served, model = copy.deepcopy(document), services.engine.models.active
    if not services.access.ring.guarded:
        for operations in served["paths"].values():
            for operation in operations.values():
                operation.pop("security", None)
    steps = model.max_steps
    fields = served["components"]["schemas"][HORIZON]["properties"]
    for name in ("min_steps", "max_steps"):
        fields[name]["maximum"] = steps
    fields["max_steps"]["description"] += f" The active model, {model.name}, decides at most {steps} steps."
    return served


def _status(code: str) -> int:
    return CODES[code][0]


def _response(status: int, codes: list[str]) -> dict[str, Any]:
    meanings = "".join(f"\n- `{code}`: {CODES[code][1]}" for code in codes)
    examples = {code: {"value": _example(status, code)} for code in codes}
    content = {"application/json": {"examples": examples}}
    told = {"model": Problem, "description": f"{HTTPStatus(status).phrase}\n{meanings}", "content": content}
    return told | ({"headers": {"Retry-After": RETRY_AFTER}} if status in (429, 503) else {})


def _example(status: int, code: str) -> dict[str, Any]:
    return {
        "type": f"urn:lem:problem:{code}",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": CODES[code][1],
        "code": code,
    }


def _mark_problems(path: str, responses: dict[str, Any]) -> None:
    """FastAPI files every model under application/json. A problem has a media type of its own, and names its
    path as `instance`."""
    for response in responses.values():
        told = response.get("content", {}).get("application/json", {})
        if told.get("schema", {}).get("$ref") == REF.format(model=Problem.__name__):
            for example in told["examples"].values():
                example["value"] = example["value"] | {"instance": path}
            response["content"] = {MEDIA_TYPE: told}
